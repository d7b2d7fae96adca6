"""What is asked and answered about a request: who may, whom it reaches, that it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval, Transition, digest_content
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.ending import cancel
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalExpired,
    Forbidden,
    InvalidRequest,
    ThreadFull,
)
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.thread import (
    MAX_COMMENTS,
    accept_text,
    comment,
    comment_view,
    open_questions,
    sent_in_words,
    still_expires,
    thread_of,
)
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, any_request, declared

SOON = NOW + timedelta(minutes=1)


class Talk:
    """A request for ann and bob, asked by rita, and what is said about it."""

    def __init__(self, **policy: Any) -> None:
        opening = any_opening(
            request=any_request(approvers=("ann", "bob")), policy=Policy(**policy)
        )
        self.approval: Approval = opening.after
        self.trail: list[Mapping[str, Any]] = [opening.entry]

    def say(self, who: str | Actor, said: str, **how: Any) -> Transition | None:
        actor = declared(who) if isinstance(who, str) else who
        transition = comment(
            self.approval, actor, said, thread=thread_of(self.trail), **{"now": SOON} | how
        )
        return self.commit(transition)

    def commit(self, transition: Transition | None) -> Transition | None:
        if transition is not None:
            self.approval = transition.after
            self.trail.append(transition.entry)
        return transition


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_should_put_a_question_and_its_answer_on_record_and_decide_nothing(talk: Talk) -> None:
    before = talk.approval
    asked = talk.say("bob", "Which cost centre?", question=True)
    answered = talk.say("rita", "4711", answers=2)
    assert asked is not None
    assert answered is not None
    assert asked.event.event == answered.event.event == "commented"
    assert asked.event.details == {
        "comments": "Which cost centre?", "question": True, "to": ["rita"],
    }  # fmt: skip
    assert answered.event.details == {"comments": "4711", "answers": 2, "to": ["bob"]}
    after = talk.approval
    assert (after.status, after.votes, after.expires_at) == ("pending", (), before.expires_at)
    assert (after.thread_length, before.thread_length) == (2, 0)
    assert digest_content(after) == before.content_digest == after.content_digest
    assert examine(talk.trail, after) == []


def test_should_name_who_vouches_for_who_says_it(talk: Talk) -> None:
    said = talk.say(Actor("bob", "jwt", issuer="https://issuer.example"), "why?", question=True)
    assert said is not None
    assert said.event.details["issuer"] == "https://issuer.example"
    assert (said.event.actor.name, said.event.actor.identity) == ("bob", "jwt")


@pytest.mark.parametrize("who", ["ann", "bob", " BOB", "rita", "olga"])
def test_should_let_those_comment_whom_it_concerns_and_operators(talk: Talk, who: str) -> None:
    said = talk.say(who, "mind the month's end", operators=["olga"])
    assert said is not None
    assert "to" not in said.event.details


@pytest.mark.parametrize("who", ["eve", "r\u0456ta", "olga", "hitl-approval"])
def test_should_let_nobody_else(talk: Talk, who: str) -> None:
    for how in ({}, {"question": True}):
        with pytest.raises(Forbidden, match="neither asked for this nor is asked to decide"):
            talk.say(who, "hello", **how)
    assert talk.approval.thread_length == 0


def test_should_take_no_name_that_was_only_typed_in_where_identities_are_verified() -> None:
    talk = Talk(require_verified_identity=True)
    for who in ("bob", "rita"):
        with pytest.raises(Forbidden, match="verified identities only"):
            talk.say(who, "hello")
    assert talk.say(Actor("rita", "link"), "hello") is not None


def test_should_take_nothing_any_more_once_it_has_ended(talk: Talk) -> None:
    with pytest.raises(ApprovalExpired):
        talk.say("bob", "late", now=talk.approval.expires_at)
    talk.commit(cast_vote(talk.approval, declared("ann"), "approved", "", now=SOON))
    for who in ("bob", "rita", "ann"):
        with pytest.raises(AlreadyDecided):
            talk.say(who, "late")
    withdrawn = Talk()
    withdrawn.commit(cancel(withdrawn.approval, declared("rita"), "", now=SOON))
    with pytest.raises(AlreadyDecided):
        withdrawn.say("bob", "late", question=True)


def test_should_send_an_answer_to_who_asked_whoever_answers(talk: Talk) -> None:
    talk.say("bob", "Which cost centre?", question=True)
    by_ann = talk.say("ann", "it is on page 2", answers=2)
    by_bob = talk.say("bob", "found it", answers=2)
    assert by_ann is not None
    assert by_bob is not None
    assert by_ann.event.details["to"] == ["bob"]
    assert "to" not in by_bob.event.details, "nobody is sent what they said themselves"


@pytest.mark.parametrize("answers", [1, 3, 4, 99, -2])
def test_should_refuse_an_answer_to_what_is_no_question(talk: Talk, answers: int) -> None:
    talk.say("bob", "Which cost centre?", question=True)
    talk.say("ann", "a remark")
    with pytest.raises(InvalidRequest, match="must be the number of a question: 2"):
        talk.say("rita", "4711", answers=answers)
    assert talk.approval.thread_length == 2


def test_should_refuse_an_answer_where_nothing_was_asked(talk: Talk) -> None:
    with pytest.raises(InvalidRequest, match="answers: nothing was asked"):
        talk.say("rita", "4711", answers=1)


def test_should_refuse_what_asks_and_answers_at_once(talk: Talk) -> None:
    talk.say("bob", "Which cost centre?", question=True)
    with pytest.raises(InvalidRequest, match="answers: must be left out of a question"):
        talk.say("ann", "and which month?", question=True, answers=2)


@pytest.mark.parametrize("who", ["rita", "RITA", "\uff32\uff29\uff34\uff21"])
def test_should_ask_nobody_their_own_question(talk: Talk, who: str) -> None:
    with pytest.raises((InvalidRequest, Forbidden)):
        talk.say(who, "what did I want?", question=True)


def test_should_put_on_record_once_what_is_sent_twice(talk: Talk) -> None:
    for _ in range(3):
        talk.say("bob", "Which cost centre?", question=True)
    assert talk.approval.thread_length == 1
    talk.say("rita", "4711", answers=2)
    assert talk.say("rita", "4711", answers=2) is None
    assert talk.say("ann", "4711") is not None, "somebody else"
    assert talk.say("bob", "Which cost centre?", question=True) is not None, "asked anew"


def test_should_take_as_many_as_one_request_takes_and_say_so(talk: Talk) -> None:
    for number in range(MAX_COMMENTS):
        assert talk.say("ann", f"remark {number}")
    assert talk.approval.thread_length == MAX_COMMENTS
    with pytest.raises(ThreadFull, match="has 50 comments, which is as many as one takes"):
        talk.say("bob", "one more")
    assert talk.say("ann", f"remark {MAX_COMMENTS - 1}") is None, "a repeat of the last is no more"
    decided = cast_vote(talk.approval, declared("bob"), "approved", "", now=SOON)
    assert decided is not None, "it can be decided all the same"
    assert decided.after.thread_length == MAX_COMMENTS


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "must be a string, got null"),
        (["why"], "must be a string, got a list"),
        ("", "must not be empty"),
        (" \n\t ", "must not be empty"),
        ("\u200b\u00a0", "must not be empty"),
        ("x" * 2_001, "at most 2000 characters, got 2001"),
        ("why\u202e?", r"U\+202E"),
        ("why\x1b[2J", r"U\+001B"),
        ("\x00", r"U\+0000"),
    ],
)
def test_should_refuse_what_is_no_text(value: Any, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        accept_text(value)


def test_should_accept_several_lines_in_any_script() -> None:
    assert accept_text("  Warum?\r\nなぜ\n\tpourquoi ") == "Warum?\nなぜ\n\tpourquoi"


def test_should_read_the_thread_back_oldest_first(talk: Talk) -> None:
    talk.say("bob", "Which cost centre?", question=True)
    talk.say("rita", "4711", answers=2)
    talk.commit(cast_vote(talk.approval, declared("ann"), "rejected", "no comment", now=SOON))
    question, answer = thread_of(talk.trail)
    assert (question.author, question.question, question.answers) == ("bob", True, None)
    assert comment_view(answer) == {
        "sequence": answer.sequence,
        "author": "rita",
        "identity": "declared",
        "at": "2026-01-02T03:05:05.000Z",
        "comments": "4711",
        "question": False,
        "answers": 2,
    }


def test_should_know_what_is_still_open(talk: Talk) -> None:
    talk.say("bob", "Which cost centre?", question=True)
    talk.say("ann", "Which month?", question=True)
    talk.say("rita", "4711", answers=2)
    talk.say("rita", "soon")
    assert [each.text for each in open_questions(thread_of(talk.trail))] == ["Which month?"]


@pytest.mark.parametrize(
    "event",
    [
        {"event": "commented"},
        {"event": "commented", "sequence": 2, "details": None, "actor": "bob"},
        {"event": "commented", "sequence": "two", "details": {"comments": "x"}},
        {"event": "commented", "sequence": 2, "actor": "b", "identity": "link", "at": "yesterday",
         "details": {"comments": "x"}},
        {},
    ],
)  # fmt: skip
def test_should_pass_over_what_cannot_be_read(event: dict[str, Any]) -> None:
    assert thread_of([event]) == ()


def test_should_find_a_row_that_counts_otherwise_than_its_trail(talk: Talk) -> None:
    talk.say("bob", "Which cost centre?", question=True)
    for altered in (0, 2):
        row = replace(talk.approval, thread_length=altered)
        [finding] = examine(talk.trail, row)
        assert finding.problem == f"the row's thread_length is {altered}, the trail says 1"


def test_should_say_honestly_who_is_sent_it(talk: Talk) -> None:
    assert sent_in_words(["rita@example.com"]) == "It is sent to rita@example.com."
    assert "Nobody is sent it" in sent_in_words([])
    said = sent_in_words(["nightly-job"])
    assert "whoever subscribed to messages for nightly-job" in said
    assert "If that is a program, nobody can be sent it, and it is on record only." in said
    assert still_expires(talk.approval, now=SOON) == (
        "The request stays open and still expires at 2026-01-02 04:04 UTC, in 59 minutes."
    )
