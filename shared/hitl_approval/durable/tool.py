"""`requires_approval`: a function that runs only after people have seen its arguments."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import StepConfig, StepSemantics
from aws_durable_execution_sdk_python.retries import RetryDecision

from hitl_approval.domain.business_hours import BusinessHours
from hitl_approval.domain.call import Call
from hitl_approval.domain.naming import Members
from hitl_approval.domain.outcome import NotApproved, Outcome
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.durable import wait
from hitl_approval.durable.retries import patiently

P = ParamSpec("P")
R = TypeVar("R")

ONCE = StepConfig(
    retry_strategy=lambda _, __: RetryDecision.no_retry(),
    step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY,
)
"""An approval is for one run: one that was interrupted fails, and a person finds out why."""


def requires_approval(
    *,
    requester: str,
    approvers: Sequence[str] = (),
    quorum: Quorum | None = None,
    timeout: timedelta | BusinessHours | None = None,
    sensitive: Sequence[str] = (),
    editable: Sequence[str] = (),
    members: Members | None = None,
    on_refused: Callable[[Outcome], Any] | None = None,
    step: StepConfig = ONCE,
) -> Callable[[Callable[P, R]], Callable[Concatenate[DurableContext, P], R]]:
    """Let a function run only when people have approved exactly this call.

    The function then takes the durable context before its own arguments, which must be JSON values:
    they are what the approver sees. After the approval they are compared with the record, and the
    function runs in a step with a copy of what was approved, an approver's changes included.

    ```python
    @requires_approval(requester="support-agent", approvers=["ops"])
    def delete_table(name: str, *, force: bool = False) -> str: ...

    delete_table(context, "orders", force=True)  # in a durable handler
    ```

    Args:
        requester: who asks, an agent's name say.
        approvers: people or groups. Default: the deployment's approvers, else anyone.
        quorum: how many must approve. Default: the deployment's.
        timeout: time to decide. Default: the deployment's.
        sensitive: arguments, or fields of them as `customer.iban`, that only the page and
            `hitl show` show: messages have them masked. Default: none.
        editable: arguments, or fields of them as `customer.limit`, that an approver may change when
            approving; the function then runs with the changed ones. Default: none.
        members: as `wait_for_approval` takes it.
        on_refused: makes the result of a call that was not approved, for an agent to read, say.
            Default: `NotApproved` is raised.
        step: how the function's step is run. Default: at most once, not retried.

    Raises:
        InvalidRequest: (the decorated function) its arguments are not JSON values.
        NotApproved: (the decorated function) rejected, cancelled or out of time.
        ArgumentsChanged: (the decorated function) on resuming, the arguments are others than those
            that were approved: they came from outside a step, or were changed meanwhile.
    """

    def decorate(function: Callable[P, R]) -> Callable[Concatenate[DurableContext, P], R]:
        @functools.wraps(function)
        def gated(context: DurableContext, /, *args: P.args, **kwargs: P.kwargs) -> R:
            call = Call.of(function, args, kwargs, sensitive=sensitive, editable=editable)
            request = ApprovalRequest(
                subject=call.subject,
                requester=requester,
                approvers=approvers,
                quorum=quorum,
                timeout=timeout,
                context=call.context,
                sensitive=[f"arguments.{path}" for path in call.sensitive],
                editable=call.paths,
            )
            outcome, key = wait.ask(context, request, members=members)
            if not outcome.approved:
                if on_refused is None:
                    raise NotApproved(outcome)
                refused: R = on_refused(outcome)
                return refused
            call = call.approved(json.loads(approved_context(context, key)))
            result: R = context.step(lambda _: call.run(function), name=call.tool, config=step)
            return result

        return gated

    return decorate


def approved_context(
    context: DurableContext, key: RequestKey, name: str = "approved-context"
) -> str:
    """The context that stands on an approval's record, as JSON, read in a step of this name."""
    requests = wait.requests()
    read: str = context.step(lambda _: requests.read_context(key), name=name, config=patiently())
    return read
