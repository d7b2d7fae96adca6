"""The gate that every tool of an agent passes before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, NoReturn

from hitl_approval.domain.call import ArgumentsChanged
from hitl_approval.domain.outcome import Outcome
from hitl_approval.domain.text import canonical_json
from hitl_approval.domain.tool_arguments import ToolArguments
from hitl_approval.domain.tool_policy import ToolPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedCall:
    """The call that an approval is for, as the tool that runs reads it.

    Attributes:
        tool: its name.
        arguments: as they were approved, an approver's changes included.
        approval_id: of the record.
        idempotency_key: `Outcome.idempotency_key`; where the answer to an earlier call of the run
            holds for this one too, a key of its own.
        decided_by: whose answer decided.
    """

    tool: str
    arguments: Mapping[str, Any]
    approval_id: str
    idempotency_key: str
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that does not run.

    Attributes:
        tool: its name.
        arguments: as the model gave them.
        reason: in words: the policy's, a person's, or that nobody answered.
        outcome: how it ended where people were asked; None for the policy's own refusal.
    """

    tool: str
    arguments: Mapping[str, Any]
    reason: str
    outcome: Outcome | None = None


OnRefused = Callable[[Refused], str]


def answer_to(refused: Refused) -> str:
    """What the model reads by default in place of a result, so that it can go on."""
    return f"not done, {refused.reason}"


_RUNNING: ContextVar[ApprovedCall | None] = ContextVar("hitl_approval_call", default=None)


def approved_call() -> ApprovedCall | None:
    """The approved call that runs here: called by a tool, for its idempotency key say.

    Returns:
        None in a tool that runs without being asked for, and outside of tools.
    """
    return _RUNNING.get()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What becomes of a call that waited.

    Attributes:
        asked: the arguments as people were asked.
        approved: the call that may run; None: it may not.
        text: what the model is answered in place of a result.
    """

    tool: str
    asked: Mapping[str, Any]
    approved: ApprovedCall | None = None
    text: str = ""

    def is_for(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether this is the call: as it was asked, or as it was approved."""
        approved = [] if self.approved is None else [self.approved.arguments]
        known = map(canonical_json, [self.asked, *approved])
        return tool == self.tool and canonical_json(arguments) in known


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a call now.

    Attributes:
        action: `run` it, `ask` people, so interrupt, or `answer` the model in its place.
        arguments: with which it runs.
        answer: what the model is answered.
        approved: the approval that it runs by, if people were asked.
    """

    action: Literal["run", "ask", "answer"]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answer: str = ""
    approved: ApprovedCall | None = None


@dataclass
class Gate:
    """What may run in one turn of an agent.

    Attributes:
        policy: the rules for tools.
        answers: to the calls that waited before this turn, by their ids.
        on_refused: makes what the model reads of a call that the policy refuses.
        problem: what must end the run, whatever the framework makes of an exception.
        arguments: those of the agent's tools, as far as its framework has said.
    """

    policy: ToolPolicy
    answers: Mapping[str, Answer] = field(default_factory=dict)
    on_refused: OnRefused = answer_to
    problem: BaseException | None = None
    arguments: ToolArguments = field(default_factory=ToolArguments)

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._open = dict(self.answers)

    def rule_on(self, call_id: str, tool: str, arguments: Mapping[str, Any]) -> Ruling:
        """What becomes of a call; called once for each, right before it would run.

        Raises:
            ArgumentsChanged: it is not the call that people were asked about.
            Exception: whatever `on_refused` raises.
        """
        try:
            return self._rule_on(call_id, tool, arguments)
        except Exception as error:  # kept, whatever it is: a framework may make an answer of it
            self.problem = self.problem or error
            raise

    def _rule_on(self, call_id: str, tool: str, arguments: Mapping[str, Any]) -> Ruling:
        with self._lock:
            answer = self._open.pop(call_id, None)  # once: the same id again is another call
        if answer is not None and (answer.approved or answer.is_for(tool, arguments)):
            return _answered(call_id, answer, tool, arguments)
        ruling = self.policy.rule_on(tool, arguments)
        if ruling.action == "allow":
            return Ruling("run", arguments)
        if ruling.action == "ask":
            return Ruling("ask", arguments)
        said = denial(tool, arguments, ruling.rule.reason if ruling.rule else "")
        return Ruling("answer", arguments, self.on_refused(said))

    def would_ask(self, call_id: str, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether `rule_on` would say `ask`, for who must know it of all calls of a turn first."""
        answer = self._open.get(call_id)
        if answer is not None and (answer.approved or answer.is_for(tool, arguments)):
            return False
        return self.policy.rule_on(tool, arguments).action == "ask"

    def fail(self, error: Exception) -> NoReturn:
        """End the run with this error, whatever the framework makes of an exception."""
        self.problem = self.problem or error
        raise error

    @contextmanager
    def running(self, ruling: Ruling) -> Iterator[None]:
        """While the tool runs: `approved_call` tells it by which approval."""
        token = _RUNNING.set(ruling.approved)
        try:
            yield
        finally:
            _RUNNING.reset(token)


def _answered(call_id: str, answer: Answer, tool: str, arguments: Mapping[str, Any]) -> Ruling:
    if not answer.is_for(tool, arguments):
        msg = f"{tool} was not run: it is not the call {call_id} that people were asked about"
        raise ArgumentsChanged([msg])
    if answer.approved is None:
        return Ruling("answer", arguments, answer.text)
    return Ruling("run", answer.approved.arguments, approved=answer.approved)


def denial(tool: str, arguments: Mapping[str, Any], reason: str) -> Refused:
    """A call that the policy refuses."""
    said = f"denied by policy: {reason}" if reason else "denied by policy"
    return Refused(tool=tool, arguments=arguments, reason=said)
