"""An expense is one request. What was approved is paid, which may be less than was claimed."""

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, Stage, wait_for_approval

MANAGER_THEN_FINANCE = [Stage(["managers"]), Stage(["finance"])]


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    employee, purpose, claimed = event["employee"], event["purpose"], event["claimed"]
    outcome = wait_for_approval(
        context,
        ApprovalRequest(
            subject=f"{purpose}: {claimed} for {employee}",
            requester=employee,
            # Else the deployment says who is asked, if anybody is: see RULES in app.py.
            stages=MANAGER_THEN_FINANCE if claimed > 1000 else [],
            context={"purpose": purpose, "claimed": claimed, "paid_out": claimed},
            editable=["paid_out"],  # and not `claimed`, by which the rules said who decides
        ),
    )
    if not outcome.approved:
        return {"paid": 0, "status": outcome.status, "comments": outcome.comments}
    edit = outcome.changes.get("paid_out")
    amount = edit.after if edit else claimed
    if amount > claimed:  # whoever may decide on 900 may not make 9,000 of it
        return {"paid": 0, "status": "above the claim", "comments": outcome.comments}
    context.step(lambda _: pay(employee, amount, outcome.idempotency_key), name="pay")
    approved_by = [vote.approver for vote in outcome.votes] or [outcome.decided_by]
    return {"paid": amount, "approved_by": approved_by}


def pay(employee: str, amount: float, key: str) -> None:
    """Your code: pay. A second try brings the same key, and so is the same payment."""
    print(f"{amount} to {employee}, payment {key}")
