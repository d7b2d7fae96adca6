"""An agent whose tool pays a refund: it asks, people answer, and processes die around the tool.

It makes one call: several of one turn are asked in branches, whose threads no schedule orders.
"""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest.mock import patch

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import StepConfig
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from hitl_approval.agents import approved_call, run
from hitl_approval.agents.asking import Asked
from hitl_approval.agents.gate import Gate, Refused, Ruling
from hitl_approval.domain.approval import derive_approval_id
from tests.faults.deployment import TIMEOUT, Deployment
from tests.faults.durable import arn_of
from tests.faults.evidence import TERMINAL
from tests.faults.scenario import APPROVERS, Scenario, decision
from tests.faults.simulator import NOTHING, Call, World

__all__ = [
    "AGENTS",
    "fails_visibly",
    "pays_something_else",
    "runs_an_interrupted_turn_again",
    "runs_what_was_not_asked",
    "tools_run_as_approved",
]
INTERRUPTED = "interrupted"
"""In the message of an execution whose turn was begun and not ended."""


@dataclass(frozen=True)
class Paid:
    """One run of the tool."""

    amount: int
    approval_id: str
    key: str
    at: datetime


@dataclass
class Desk:
    """What one world's agent has done.

    Attributes:
        paid: the tool's runs.
    """

    world: World
    paid: list[Paid] = field(default_factory=list)


_NOW: list[Desk] = []
"""The desk of the schedule that runs now."""


def _say(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    parts = [part for message in messages for part in message.parts]
    answers = [str(part.content) for part in parts if part.part_kind == "tool-return"]
    if answers:
        return ModelResponse([TextPart(answers[0])])
    return ModelResponse([ToolCallPart("refund", {"amount": 70}, "c1")])


_AGENT = Agent(FunctionModel(_say))


@_AGENT.tool_plain
async def refund(amount: int) -> str:
    """Pay: an effect that no database of ours knows of."""
    desk, call = _NOW[0], approved_call()

    def pay(_: str) -> None:
        said = (call.approval_id, call.idempotency_key) if call else ("", "")
        desk.paid.append(Paid(amount, *said, at=desk.world.now))

    desk.world.call(Call("Refund", NOTHING, pay, ("dies-before", "dies-after")))
    decided_by = call.decided_by if call else ""
    return _body(call.approval_id if call else "", "approved", decided_by)


def _refused(refused: Refused) -> str:
    outcome = refused.outcome
    assert outcome is not None
    return _body(outcome.approval_id, outcome.status, outcome.decided_by)


def _body(approval_id: str, decided: str, by: str) -> str:
    return json.dumps({"approval_id": approval_id, "decision": decided, "decided_by": by})


@durable_execution
def handler(_: Any, context: DurableContext) -> dict[str, Any]:
    """The agent as somebody would deploy it; it returns what became of its first call."""
    said = run(
        context,
        _AGENT,
        "help",
        requester="alice",
        approvers=APPROVERS,
        timeout=TIMEOUT,
        on_refused=_refused,
    )
    return {"statusCode": 200, "body": said}


def _answered(*decisions: tuple[str, str]) -> Callable[[Deployment], None]:
    """The agent asks about one call, and these people answer as soon as they can."""

    def set_up(world: Deployment) -> None:
        world.desk = Desk(world.world)
        _NOW[:] = [world.desk]
        world.start("start", {})
        asked = derive_approval_id(arn_of("start"), "agent/turn-1/c1")
        for person, decided in decisions:
            world.person(person, decision(asked, person, decided), when=world.row_exists(asked))

    return set_up


def _scenario(name: str, set_up: Any) -> Scenario:
    return Scenario(name, set_up, handlers=lambda: (handler, _api()))


def _api() -> Any:
    return importlib.import_module("approval_api.handler").handler


AGENTS = [
    _scenario("agent", _answered(("bob", "approved"))),
    _scenario("agent-opposite", _answered(("bob", "approved"), ("carol", "rejected"))),
]


def fails_visibly(deployment: Deployment, message: str) -> bool:
    """Whether an execution failed as it should: its turn was interrupted, and is not run again."""
    return deployment.desk is not None and INTERRUPTED in message


def tools_run_as_approved(deployment: Deployment) -> Iterator[str]:
    """23. No tool runs without an approval on record for exactly its arguments, and none twice."""
    desk: Desk | None = deployment.desk
    if desk is None:
        return
    rows = deployment.rows()
    for paid in desk.paid:
        row = rows.get(paid.approval_id)
        if row is None or row["status"] != "approved":
            yield f"{paid.amount} was paid, and nobody has approved it"
        elif json.loads(row["context"])["arguments"] != {"amount": paid.amount}:
            yield f"{paid.amount} was paid, approved was {row['context']}"
        elif datetime.fromisoformat(row["decided_at"]) > paid.at:
            yield f"{paid.amount} was paid before it was approved"
    for amount, times in Counter(paid.amount for paid in desk.paid).items():
        if times > 1:
            yield f"{amount} was paid {times} times"
    for arn, execution in deployment.durable.executions.items():
        result = execution.result
        if result is None or result.status.value != "SUCCEEDED":
            continue
        approved = [row for row in rows.values() if row["status"] == "approved"]
        ended = all(row["status"] in TERMINAL for row in rows.values())
        if len(desk.paid) != len(approved) or not ended:
            yield f"{arn} has ended well: {len(approved)} approved, {len(desk.paid)} paid"


@contextmanager
def runs_what_was_not_asked() -> Iterator[None]:
    """The gate is open."""

    def allow(self: Gate, call_id: str, tool: str, arguments: Any) -> Ruling:
        return Ruling("run", arguments)

    with patch.object(Gate, "_rule_on", allow):
        yield


@contextmanager
def runs_an_interrupted_turn_again() -> Iterator[None]:
    """As steps are by default: at least once."""
    with patch.dict(run.__kwdefaults__, {"step": StepConfig()}):
        yield


@contextmanager
def pays_something_else() -> Iterator[None]:
    """What runs is not what is on record."""

    def approved(self: Asked, context: str) -> dict[str, Any]:
        return {"amount": json.loads(context)["arguments"]["amount"] + 1}

    with patch.object(Asked, "approved", approved):
        yield
