"""`run`: an agent that is durable, and whose tools wait for people where the policy says so.

Each turn of the agent is a step, each call that waits an approval of its own. Renaming or inserting
an operation fails the executions in flight: append only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepError
from aws_durable_execution_sdk_python.config import StepConfig

from hitl_approval.agents.adapter import Adapter, ToolCall, Turn, adapter_of
from hitl_approval.agents.asking import Asked, ByDefault, asked_of, last_of, last_words
from hitl_approval.agents.gate import (
    Answer,
    ApprovedCall,
    Gate,
    OnRefused,
    Refused,
    answer_to,
    denial,
)
from hitl_approval.agents.states import States, packed, state_of
from hitl_approval.agents.together import Ask, ask_together
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.business_hours import BusinessHours
from hitl_approval.domain.call import ArgumentsChanged
from hitl_approval.domain.digest import digest_json
from hitl_approval.domain.edit import CHANGES, changes_view
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import Members
from hitl_approval.domain.outcome import KEY_DIGITS, Outcome, Snapshot
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.domain.tool_policy import ToolPolicy
from hitl_approval.domain.view import vote_view
from hitl_approval.durable import wait
from hitl_approval.durable.refusals import check_context, refusal_of
from hitl_approval.durable.tool import ONCE, approved_context

MOST_TURNS = 50
"""Turns of one run: 50 times that somebody had to be asked is a loop, not a task."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHANGED = f"{ArgumentsChanged.__module__}.{ArgumentsChanged.__name__}"
_NO_REASON = ("no reason was given", "nobody has answered in time")
_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def run(
    context: DurableContext,
    agent: Any,
    prompt: Any,
    *,
    requester: str,
    approvers: Sequence[str] = (),
    quorum: Quorum | None = None,
    timeout: timedelta | BusinessHours | None = None,
    tools: ToolPolicy | Mapping[str, Any] | Sequence[Any] | None = None,
    sensitive: Sequence[str] = (),
    editable: Sequence[str] = (),
    conversation: bool = False,
    on_refused: OnRefused = answer_to,
    name: str = "agent",
    step: StepConfig = ONCE,
    store: States | None = None,
    members: Members | None = None,
    most_turns: int = MOST_TURNS,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Run an agent to its end; its tools wait, at no compute cost, for the people who must approve.

    No model and no tool is called again on a replay, and a call that was approved runs at most
    once, with exactly the arguments on record.

    Args:
        context: the durable context of the handler, a child context or a parallel branch.
        agent: of pydantic-ai, the OpenAI Agents SDK or Strands Agents, or a compiled LangGraph
            graph. It needs no change.
        prompt: what the framework's own call takes first.
        requester: who asks, the agent's name say.
        approvers: people or groups. Default: the deployment's approvers, else anyone.
        quorum: how many must approve. Default: the deployment's.
        timeout: time to decide about each call. Default: the deployment's.
        tools: which tools run at once, wait for people or do not run: `{"read_*": allow(),
            "delete_*": ask(approvers=["ops"]), "*": deny()}`, or the same as JSON. The first that
            matches is followed. Default: people are asked for every tool.
        sensitive: arguments, or fields of them as `customer.iban`, that no message shows, of
            whichever tool. Default: none.
        editable: arguments, or fields of them, that an approver may change when approving.
            Default: none.
        conversation: whether the request shows what was said before, its last 20,000 characters,
            on the page only. Default: no.
        on_refused: makes what the model reads of a call that is refused, by people, by the policy
            or since nobody answered; what it raises ends the run. Default: `not done, rejected: `
            and the reason.
        name: names this run within the execution: letters, digits, `-` and `_`, at most 64.
        step: how each turn's step is run. Default: at most once, not retried.
        store: keeps the agent's state between turns, `S3States(bucket)` say. Default: the execution
            does, up to 262,144 bytes.
        members: as `wait_for_approval` takes it.
        most_turns: after so many the run fails.
        options: keyword arguments for the framework's own call, `{"deps": ...}` say. They are read
            again on each replay, and never stored.

    Returns:
        The agent's output.

    Raises:
        InvalidRequest: what was given breaks a rule, or the agent's state is too large.
        ArgumentsChanged: a call is another one than was approved; it was not made.
        StepError: the model or a tool raised, or was interrupted: it is not known how far it came.
    """
    check_context(context)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequest("name", "must be 1 to 64 letters, digits, - and _")
    try:
        policy = ToolPolicy.of(tools)
    except ValueError as error:
        raise InvalidRequest("tools", str(error).removeprefix("tools ")) from None
    asking = ByDefault(
        requester=requester,
        approvers=approvers,
        quorum=quorum,
        timeout=timeout,
        sensitive=sensitive,
        editable=editable,
    )
    return _Run(
        context=context,
        adapter=adapter_of(agent, options or {}),
        policy=policy,
        asking=asking,
        conversation=conversation,
        on_refused=on_refused,
        name=name,
        step=step,
        store=store,
        members=members,
        most_turns=most_turns,
    ).run(prompt)


_Ended = tuple[Outcome, RequestKey]
"""How an approval ended, and under which key it stands."""


@dataclass(slots=True)
class _Run:
    context: DurableContext
    adapter: Adapter
    policy: ToolPolicy
    asking: ByDefault
    conversation: bool
    on_refused: OnRefused
    name: str
    step: StepConfig
    store: States | None
    members: Members | None
    most_turns: int
    held: dict[str, _Ended] = field(default_factory=dict)
    """How it ended for calls whose answer holds for the whole run, by the call's digest."""

    def run(self, prompt: Any) -> Any:
        """All turns, until the agent has ended."""
        values = self._turn(1, lambda gate: self.adapter.start(prompt, gate), {})
        for number in range(1, self.most_turns + 1):
            turn = Turn.from_json(values)
            if not turn.calls:
                return self.adapter.output(turn.output)
            answers = self._answers(number, turn.calls, values.get("said", ""))
            values = self._turn(number + 1, self._resuming(values), answers)
        rule = f"has not ended after {self.most_turns} turns in which somebody had to be asked"
        raise InvalidRequest("agent", rule)

    def _resuming(self, values: dict[str, Any]) -> Callable[[Gate], Turn]:
        return lambda gate: self.adapter.resume(state_of(values, self.store), gate)

    def _turn(
        self, number: int, go_on: Callable[[Gate], Turn], answers: Mapping[str, Answer]
    ) -> dict[str, Any]:
        """One turn, in a step; its result as JSON values."""

        def body() -> str:
            gate = Gate(self.policy, answers, self.on_refused)
            try:
                turn = go_on(gate)
            except Exception:  # a framework wraps what the gate has raised in one of its own
                if gate.problem is not None:
                    raise gate.problem from None
                raise
            if gate.problem is not None:  # the framework has made an answer to the model of it
                raise gate.problem
            for tool in dict.fromkeys(call.tool for call in turn.calls):
                self.asking.check_names(tool, self.policy, gate.arguments)
            calls = [last_words(call) for call in turn.calls]
            values = replace(turn, calls=calls).to_json()
            if self.conversation and turn.calls:
                values["said"] = last_of(self.adapter.conversation(turn.state))
            return packed(values, self.store)

        try:
            written: str = self.context.step(
                lambda _: body(), name=f"{self.name}/turn-{number}", config=self.step
            )
        except StepError as error:
            if error.error_type == _CHANGED:
                raise ArgumentsChanged([str(error.message)]) from None
            raise refusal_of(error) or error from None
        values: dict[str, Any] = json.loads(written)
        return values

    def _answers(self, number: int, calls: Sequence[ToolCall], said: str) -> dict[str, Answer]:
        """Ask people about the calls of a turn, all at once, and return what becomes of each."""
        ids = [call.id for call in calls]
        if len(set(ids)) < len(ids):
            raise InvalidRequest("agent", f"has two calls of one id in turn {number}: {ids}")
        answers: dict[str, Answer] = {}
        asked: dict[str, Asked] = {}
        for call in calls:
            ruling = self.policy.rule_on(call.tool, call.arguments)
            reason = ruling.rule.reason if ruling.rule else ""
            if ruling.action == "deny":
                answers[call.id] = self._refused(call, denial(call.tool, call.arguments, reason))
                continue
            try:
                asked[call.id] = asked_of(call, ruling, self.asking, said)
            except InvalidRequest as error:
                if error.details["field"] != "arguments":
                    raise
                refused = Refused(tool=call.tool, arguments=call.arguments, reason=str(error))
                answers[call.id] = self._refused(call, refused)
        outcomes = self._ask(number, asked)
        for call in calls:
            if call.id in asked:
                answers[call.id] = self._answer(number, call, asked[call.id], *outcomes[call.id])
        return answers

    def _ask(self, number: int, asked: Mapping[str, Asked]) -> dict[str, _Ended]:
        """How it ended for each call; of those that are asked once, people are asked about one."""
        first: dict[str, str] = {}
        for call_id, one in asked.items():
            if one.once and one.call.digest not in self.held:
                first.setdefault(one.call.digest, call_id)
        of_people = {
            call_id: one
            for call_id, one in asked.items()
            if not one.once or first.get(one.call.digest) == call_id
        }
        ended = self._ask_together(number, of_people)
        self.held.update({digest: ended[call_id] for digest, call_id in first.items()})
        return {
            call_id: ended[call_id] if call_id in ended else self.held[one.call.digest]
            for call_id, one in asked.items()
        }

    def _ask_together(self, number: int, asked: Mapping[str, Asked]) -> dict[str, _Ended]:
        """Ask people about several calls at once, each an approval of its own."""
        names = {call_id: self._named(number, call_id) for call_id in asked}

        def asking(call_id: str) -> Ask:
            return lambda context: self._ask_one(context, names[call_id], asked[call_id])

        asks = {names[call_id]: asking(call_id) for call_id in asked}
        if len(asked) > 1:
            together = f"{self.name}/turn-{number}/approvals"
            written = ask_together(self.context, asks, together)
        else:
            written = [ask(self.context) for ask in asks.values()]
        arn = self.context.execution_context.durable_execution_arn
        return {
            call_id: (Outcome.from_snapshot(values), RequestKey(arn, names[call_id]))
            for call_id, values in zip(asked, written, strict=True)
        }

    def _ask_one(self, context: DurableContext, name: str, asked: Asked) -> Snapshot:
        outcome, _ = wait.ask(context, asked.request, name=name, members=self.members)
        return _snapshot(outcome)

    def _answer(
        self, number: int, call: ToolCall, asked: Asked, outcome: Outcome, key: RequestKey
    ) -> Answer:
        """What becomes of a call now that people have answered, or nobody has."""
        if not outcome.approved:
            because = outcome.comments or _NO_REASON[outcome.status == "timeout"]
            reason = f"{outcome.status}: {because}"
            refused = Refused(
                tool=call.tool, arguments=call.arguments, reason=reason, outcome=outcome
            )
            return self._refused(call, refused)
        name = self._named(number, call.id)
        read = approved_context(self.context, key, f"{name}.approved-context")
        own_key = outcome.idempotency_key
        if key.key != name:  # another call's answer holds for this one: it is another effect
            own_key = digest_json([own_key, name])[:KEY_DIGITS]
        approved = ApprovedCall(
            tool=call.tool,
            arguments=asked.approved(read),
            approval_id=outcome.approval_id,
            idempotency_key=own_key,
            decided_by=outcome.decided_by,
        )
        return Answer(tool=call.tool, asked=call.arguments, approved=approved)

    def _refused(self, call: ToolCall, refused: Refused) -> Answer:
        return Answer(tool=call.tool, asked=call.arguments, text=self.on_refused(refused))

    def _named(self, number: int, call_id: str) -> str:
        """The name of an approval: whatever a model calls its call."""
        if not _CALL_ID.fullmatch(call_id):
            call_id = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"{self.name}/turn-{number}/{call_id}"


def _snapshot(outcome: Outcome) -> Snapshot:
    """An outcome as a branch returns it, so that `Outcome.from_snapshot` reads it back."""
    return {
        "approval_id": outcome.approval_id,
        "status": outcome.status,
        "decided_by": outcome.decided_by,
        "comments": outcome.comments,
        "decided_at": isoformat(outcome.decided_at),
        "votes": [vote_view(vote) for vote in outcome.votes],
        "content_digest": outcome.content_digest,
        "context_digest": outcome.context_digest,
        CHANGES: changes_view(outcome.changes),
        "rule": outcome.rule,
    }
