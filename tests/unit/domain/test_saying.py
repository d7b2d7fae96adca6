"""What one message says, and when there is nothing to say any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_approval.contract import MessageKind
from hitl_approval.domain.message import Message
from hitl_approval.domain.saying import brings_link, nothing_to_say, what_is_said
from hitl_approval.domain.thread import Comment
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_request, declared

APPROVAL = any_approval(request=any_request(approvers=("ann", "bob")))
QUESTION = Comment(2, "bob", "link", NOW, "Which cost centre?", question=True)
ANSWER = Comment(3, "rita", "link", NOW, "4711", answers=2)
SOON = NOW + timedelta(minutes=1)
KINDS: tuple[MessageKind, ...] = ("requested", "reminder", "question", "answer")


def message(kind: MessageKind, to: str = "bob", sequence: int = 2) -> Message:
    return Message(
        approval_id=APPROVAL.approval_id,
        sequence=sequence,
        kind=kind,
        recipient=to,
        to_requester=kind == "question",
    )


def test_should_send_what_concerns_an_open_request() -> None:
    for kind in KINDS:
        sequence = 3 if kind == "answer" else 2
        thread = (QUESTION,) if kind == "question" else (QUESTION, ANSWER)
        said = nothing_to_say(message(kind, sequence=sequence), APPROVAL, thread, now=SOON)
        assert said is None, kind


@pytest.mark.parametrize("kind", KINDS)
def test_should_say_no_more_of_a_request_that_has_ended(kind: MessageKind) -> None:
    ended = cast_vote(APPROVAL, declared("ann"), "approved", "", now=SOON)
    assert ended is not None
    for approval, now in ((ended.after, SOON), (APPROVAL, APPROVAL.expires_at)):
        why = nothing_to_say(message(kind), approval, (QUESTION,), now=now)
        assert why == "the request has ended"


def test_should_not_ask_what_has_been_answered_meanwhile() -> None:
    why = nothing_to_say(message("question", "rita"), APPROVAL, (QUESTION, ANSWER), now=SOON)
    assert why == "has been answered"


@pytest.mark.parametrize("kind", ["question", "answer"])
def test_should_not_send_what_does_not_stand_in_the_trail(kind: MessageKind) -> None:
    why = nothing_to_say(message(kind, sequence=7), APPROVAL, (QUESTION,), now=SOON)
    assert why == "what was said cannot be read"


@pytest.mark.parametrize(
    ("kind", "to", "brings"),
    [
        ("requested", "bob", True),
        ("question", "rita", True),
        ("answer", "bob", True),
        ("answer", "rita", False),
        ("outcome", "bob", False),
    ],
)
def test_should_bring_a_link_to_who_may_decide_by_it(
    kind: MessageKind, to: str, brings: bool
) -> None:
    assert brings_link(message(kind, to), APPROVAL) == brings


def test_should_say_how_it_ended_whenever() -> None:
    assert nothing_to_say(message("outcome"), APPROVAL, (), now=APPROVAL.expires_at) is None


def test_should_compose_each_kind() -> None:
    ended = cast_vote(APPROVAL, declared("ann"), "approved", "", now=SOON)
    assert ended is not None
    thread = (QUESTION, ANSWER)
    for kind, sequence in (*((k, 2) for k in KINDS[:3]), ("answer", 3), ("outcome", 4)):
        one = replace(message(kind), sequence=sequence)
        approval = ended.after if kind == "outcome" else APPROVAL
        said = what_is_said(one, approval, thread, link="https://l.example", entry=None)
        assert (said.kind, said.recipient, said.to_requester) == (
            kind, "bob", kind == "question",
        )  # fmt: skip
        assert (said.comment is None) == (kind not in {"question", "answer"})
