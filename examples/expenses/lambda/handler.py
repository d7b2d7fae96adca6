"""An expense goes through as many approvals as its amount asks for, then it is paid."""

from typing import Any, NamedTuple

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, Quorum, wait_for_approval


class Stage(NamedTuple):
    """One approval of the chain."""

    approvers: list[str]
    quorum: Quorum


ONE_MANAGER = Stage(["managers"], Quorum.any_one())
TWO_MANAGERS = Stage(["managers"], Quorum.at_least(2))
FINANCE = Stage(["finance"], Quorum.any_one())


def stages(amount: float) -> list[Stage]:
    """Who is asked for this amount, one after the other."""
    if amount <= 50:
        return []
    if amount <= 1000:
        return [ONE_MANAGER]
    return [TWO_MANAGERS, FINANCE]


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    employee, amount, purpose = event["employee"], event["amount"], event["purpose"]
    approved_by: list[str] = []
    for stage in stages(amount):
        outcome = wait_for_approval(
            context,
            ApprovalRequest(
                subject=f"{purpose}: {amount} for {employee}",
                requester=employee,
                approvers=stage.approvers,
                quorum=stage.quorum,
                context={**event, "approved_by": approved_by},  # finance sees who came before
            ),
        )
        if not outcome.approved:
            return {"paid": 0, "status": outcome.status, "comments": outcome.comments}
        approved_by = [*approved_by, *(vote.approver for vote in outcome.votes)]
    context.step(lambda _: pay(employee, amount), name="pay")
    return {"paid": amount, "approved_by": approved_by}


def pay(employee: str, amount: float) -> None:
    """Your code: pay, with a key that makes a second try the same payment."""
    print(f"{amount} to {employee}")
