"""The demo's conversation, with a deployment that answers as the test says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from hitl_approval_cli import clock, demo, output
from hitl_approval_cli.demo import APPROVERS, Choice, play
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError

ID = "d" * 32
LINK = f"http://api.execute-api.localhost:1/a/{ID}.token"
MAIL = {
    "number": 1,
    "sent_at": "2026-01-01T00:00:00+00:00",
    "channel": "email",
    "to": [APPROVERS[0]],
    "subject": "Approval needed",
    "body": f"Approval {ID}\n  {LINK}\n",
}
RESULT = '{"statusCode": 200, "body": "{\\"decision\\": \\"%s\\"}"}'


@dataclass
class Asked:
    """A deployment with one request.

    Attributes:
        statuses: what the execution says of itself, one after the other; the last for ever.
        reads: what happens before each reading of the request.
        refusal: with which code a decision is refused.
        mailed: whether the approvers got a message.
    """

    statuses: list[str] = field(default_factory=lambda: ["SUCCEEDED"])
    reads: list[Callable[[], None]] = field(default_factory=list)
    refusal: str = ""
    mailed: bool = True
    status: str = "pending"
    by: str | None = None
    comments: str = ""

    def submit(self, _: Any) -> dict[str, str]:
        return {"approval_id": ID, "execution_arn": "arn"}

    def decided(self, status: str, by: str | None, comments: str = "") -> None:
        self.status, self.by, self.comments = status, by, comments

    def call(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["action"] == "history":
            return {"events": [], "verified": True, "findings": []}
        if asked["action"] == "decide":
            if self.refusal:
                self.status = "timeout"
                message = "time is over"
                raise CliError(message, code=self.refusal)
            self.decided(asked["decision"], asked["approver"], asked["comments"])
        elif self.reads:
            self.reads.pop(0)()
        return {"status": self.status, "decided_by": self.by, "comments": self.comments}

    def outcome(self, _: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"Status": status, "Result": RESULT % self.status}


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Type something; "" is Ctrl-D."""
    reader, writer = os.pipe()
    opened = [writer]

    def type_(text: str) -> None:
        if text:
            os.write(writer, text.encode())
        else:
            os.close(opened.pop())

    monkeypatch.setattr("sys.stdin", os.fdopen(reader))
    monkeypatch.setattr(demo, "CHECK_SECONDS", 0)
    monkeypatch.setattr(clock, "pause", lambda _: None)
    yield type_
    for descriptor in opened:
        os.close(descriptor)


@pytest.fixture
def shown(
    keyboard: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Asked, Choice | None], str]:
    """Play it at 80 columns; gives all that is shown."""

    def run(asked: Asked, choice: Choice | None = None) -> str:
        monkeypatch.setattr(output, "out", output.console(width=80))
        play(cast(Deployment, asked), choice, lambda: [MAIL] if asked.mailed else [])
        return capsys.readouterr().out

    return run


Shown = Callable[..., str]
Keyboard = Callable[[str], None]


def is_whole(text: str) -> bool:
    return all(step in text for step in ("1. ", "2. ", "3. ", "4. ", "5. "))


@pytest.mark.parametrize(("typed", "status"), [("a\n", "approved"), (" Reject \n", "rejected")])
def test_should_take_the_decision_from_the_keyboard(
    shown: Shown, keyboard: Keyboard, typed: str, status: str
) -> None:
    asked = Asked()
    keyboard(typed)
    text = shown(asked)
    assert is_whole(text)
    assert (asked.status, asked.by) == (status, APPROVERS[0])
    assert f'"decision": "{status}"' in text
    assert f"  {LINK}\n" in text  # whole, on a line of its own, so that a terminal opens it


def test_should_take_the_decision_from_the_page_while_it_asks(
    shown: Shown, keyboard: Keyboard
) -> None:
    asked = Asked()
    asked.reads = [
        lambda: keyboard("what?\n"),
        lambda: keyboard(""),
        lambda: None,
        lambda: asked.decided("rejected", "bob@example.com", "[bold]no"),
    ]
    text = shown(asked)
    assert is_whole(text)
    assert "bob@example.com: rejected: [bold]no" in text


def test_should_open_the_link(
    shown: Shown, keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def browser(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    keyboard("o\na\n")
    assert is_whole(shown(Asked()))
    assert opened == [LINK]


@pytest.mark.parametrize("refusal", ["APPROVAL_EXPIRED", "APPROVAL_ALREADY_DECIDED"])
def test_should_end_well_when_the_answer_comes_too_late(
    shown: Shown, keyboard: Keyboard, refusal: str
) -> None:
    keyboard("a\n")
    text = shown(Asked(refusal=refusal))
    assert is_whole(text)
    assert "Nobody answered in time." in text


@pytest.mark.parametrize("choice", [None, "timeout"])
def test_should_end_well_when_nobody_answers(shown: Shown, choice: Choice | None) -> None:
    asked = Asked()
    asked.reads = [lambda: None, lambda: asked.decided("timeout", None)]
    text = shown(asked, choice)
    assert is_whole(text)
    assert "Nobody answered in time." in text


def test_should_end_well_when_time_was_over_before_a_message_left(shown: Shown) -> None:
    text = shown(Asked(mailed=False, status="timeout"), "timeout")
    assert is_whole(text)
    assert "The time to decide was over before a message left.\n" in text
    assert "Nobody answered in time." in text


def test_should_say_why_a_workflow_that_failed_sent_no_message(shown: Shown) -> None:
    with pytest.raises(CliError, match="the workflow has failed"):
        shown(Asked(["FAILED"], mailed=False), "approve")


def test_should_wait_for_a_workflow_that_is_paused(shown: Shown) -> None:
    text = shown(Asked(["RUNNING", "PAUSING", "PAUSED", "RUNNING", "SUCCEEDED"]), "approve")
    assert is_whole(text)


def test_should_say_that_it_is_paused_and_not_that_it_failed(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PATIENCE", 0.05)
    with pytest.raises(CliError, match="the workflow is still paused after"):
        shown(Asked(["PAUSED"]), "approve")
