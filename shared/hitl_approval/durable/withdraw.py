"""`withdraw`: a workflow takes back what it has asked and does not need any more."""

from __future__ import annotations

from aws_durable_execution_sdk_python import DurableContext, StepError

from hitl_approval.domain.approval import Status
from hitl_approval.domain.text import comment, line
from hitl_approval.durable import wait
from hitl_approval.durable.refusals import check_context, refusal_of
from hitl_approval.durable.retries import patiently


def withdraw(context: DurableContext, approval: str, reason: str = "") -> Status | None:
    """Withdraw a request of this execution, so that nobody is asked in vain.

    For a request whose branch was given up, by `first_successful()` say: the durable engine does
    not tell a branch that it was. What has been decided before stays so. A branch that still waits
    for the request goes on at its next check.

    Args:
        context: the durable context of the handler, a child context or a parallel branch.
        approval: the `name` that `wait_for_approval` was given, or the approval's id.
        reason: on record as the comment; at most 2,000 characters.

    Returns:
        How the approval stands now: `cancelled`, or as it had ended before; None if this execution
        has not asked under that name.

    Raises:
        InvalidRequest: another execution has asked, the reason is not a comment, or this is called
            within a step.
        StepError: the record could not be read or written within about an hour.
    """
    check_context(context)
    approval, reason = line(approval, "approval"), comment(reason, "reason")
    arn = context.execution_context.durable_execution_arn
    requests = wait.requests()
    try:
        status: Status | None = context.step(
            lambda _: requests.withdraw(arn, approval, reason),
            name="withdraw-request",
            config=patiently(),
        )
    except StepError as error:
        raise refusal_of(error) or error from None
    return status
