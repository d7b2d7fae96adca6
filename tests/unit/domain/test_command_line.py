"""Each command that a message names can be typed as it stands, whatever the deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from hitl_approval.contract import MessageKind
from hitl_approval.domain import slack
from hitl_approval.domain.command_line import command, reference
from hitl_approval.domain.message import Message
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.saying import what_is_said
from hitl_approval.domain.thread import Comment
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_request, declared
from tests.unit.mail.mailed import read, text_of

ASKED = any_approval(
    request=any_request(approvers=("ann", "bob"), context={"iban": "DE02"}, sensitive=["iban"])
)
THREAD = (
    Comment(2, "bob", "link", NOW, "Which cost centre?", question=True),
    Comment(3, "rita", "link", NOW, "4711", answers=2),
)
COMMAND = re.compile(r"hitl [a-z].*")
KINDS = get_args(MessageKind)


def said(kind: MessageKind, stack: str | None, link: str | None = None) -> Iterator[str]:
    """All texts of a message of that kind."""
    ended = cast_vote(ASKED, declared("ann"), "approved", "", now=NOW + timedelta(minutes=1))
    assert ended is not None
    approval = ended.after if kind in {"outcome", "expired", "withdrawn"} else ASKED
    message = Message(
        approval_id=approval.approval_id,
        sequence={"question": 2, "answer": 3}.get(kind, 4),
        kind=kind,
        recipient="bob",
        to_requester=kind == "question",
    )
    found = what_is_said(message, approval, THREAD, link=link, entry=None, stack=stack)
    yield found.body
    yield text_of(read(replace(found, address="bob@example.com", at=NOW)))
    if message.asks:
        yield str(slack.asking(approval, page=None, stack=stack, kind=kind).blocks)


@pytest.mark.parametrize("link", [None, "https://approvals.example.com/a/token"])
@pytest.mark.parametrize("kind", KINDS)
def test_should_name_the_deployment_in_each_command(kind: MessageKind, link: str | None) -> None:
    bare = [one for text in said(kind, None, link) for one in COMMAND.findall(text)]
    named = [one for text in said(kind, "prod/Payments", link) for one in COMMAND.findall(text)]
    assert len(named) == len(bare)
    assert bare
    for one in named:
        assert re.match(r"hitl [a-z]+ \S+( -.*)? --stack prod/Payments\b", one), one
    assert not any("--stack" in one for one in bare)


def test_should_name_it_to_everybody_too() -> None:
    body = approval_needed(ASKED, stack="prod").body
    assert all(one.endswith(" --stack prod") for one in COMMAND.findall(body))
    assert len(COMMAND.findall(body)) == 2


def test_should_say_no_more_than_the_command_needs() -> None:
    assert command("show", "1234", stack=None) == "hitl show 1234"
    assert command("show", "1234", stack="prod") == "hitl show 1234 --stack prod"


@pytest.mark.parametrize(
    ("deployment", "found"),
    [("", "Pay"), ("Payments", "Pay/Payments"), ("Pay-ments_2", "Pay/Payments2")],
)
def test_should_name_a_deployment_as_cdk_does(deployment: str, found: str) -> None:
    assert reference("Pay", deployment) == found
