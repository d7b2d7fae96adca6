"""A start with a task token answers the state machine once, whatever becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.values import Values
from hitl_approval.durable import document
from tests.anything import a_document

from .conftest import Stage


class Machine:
    """Keeps what it was answered; fails the first `failures` times."""

    def __init__(self) -> None:
        self.failures = 0
        self.answers: list[tuple[Any, ...]] = []

    def succeed(self, token: str, output: Any) -> bool:
        return self._tell("succeeded", token, output)

    def fail(self, token: str, error: str, cause: str) -> bool:
        return self._tell("failed", token, error, cause)

    def _tell(self, *what: Any) -> bool:
        if self.failures:
            self.failures -= 1
            raise Unavailable("throttled")
        self.answers.append(what)
        return True


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(document, "tasks", lambda: made)
    return made


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_answer_with_the_decision(stage: Stage, machine: Machine, decision: str) -> None:
    machine.failures = 2
    stage.start({"subject": "Refund 70", "requester": "rita", "task_token": "token"})
    stage.suspend()
    assert machine.answers == []

    stage.decide(decision)
    body = stage.finish()

    approved = decision == "approved"
    assert machine.answers == [("succeeded", "token", {**body, "approved": approved})]


def test_should_fail_the_state_when_nothing_can_be_asked(stage: Stage, machine: Machine) -> None:
    stage.start({"subject": "", "requester": "rita", "task_token": "token"})
    assert stage.fail().type == "hitl_approval.InvalidRequest"
    assert machine.answers == [("failed", "token", "InvalidRequest", "subject: must not be empty")]


def test_should_answer_nobody_without_a_token(stage: Stage, machine: Machine) -> None:
    stage.start(a_document())
    stage.suspend()
    stage.decide()
    stage.finish()
    assert machine.answers == []
    assert not [name for name in stage.names() if "task" in name]


def test_should_answer_with_what_was_filled_in_and_changed(stage: Stage, machine: Machine) -> None:
    form = {"type": "object", "properties": {"reason": {"type": "string"}}}
    event = {"subject": "Refund", "requester": "rita", "task_token": "token"}
    asks = {"context": {"amount": 100}, "form": form, "editable": ["amount"]}
    stage.start({**event, **asks})
    stage.suspend()
    stage.decisions.decide(
        stage.approval_id,
        Actor("bob", "declared"),
        "approved",
        content_digest=stage.approval.content_digest,
        values=Values({"reason": "lunch"}, {"amount": 70}),
    )
    body = stage.finish()
    assert body["input"] == {"reason": "lunch"}
    assert body["changes"] == {"amount": {"before": 100, "after": 70}}
    assert machine.answers == [("succeeded", "token", {**body, "approved": True})]
