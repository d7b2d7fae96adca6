"""A change is deployed once one of each group has approved it, within four business hours."""

from datetime import date
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, Vote, business_hours, wait_for_approval

# Monday to Friday from 9 to 17, in Berlin. Asked on Friday at 16, it is over on Monday at 12.
FOUR_HOURS = business_hours(
    4, "Europe/Berlin", holidays=[date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1)]
)


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    service, version = event["service"], event["version"]
    outcome = wait_for_approval(
        context,
        ApprovalRequest(
            subject=f"Deploy {service} {version}",
            requester=event["engineer"],
            timeout=FOUR_HOURS,
            context={"why": event["why"]},
        ),
    )
    if not outcome.approved:
        return {"deployed": None, "status": outcome.status, "comments": outcome.comments}
    context.step(lambda _: deploy(service, version), name="deploy")
    return {"deployed": version, "approved_by": [in_words(vote) for vote in outcome.votes]}


def in_words(vote: Vote) -> str:
    """Who approved, and for whom if that was in somebody's place."""
    return f"{vote.approver} for {vote.on_behalf_of}" if vote.on_behalf_of else vote.approver


def deploy(service: str, version: str) -> None:
    """Your code: deploy. A step may be tried again, so let it bear being done twice."""
    print(f"{service} is at {version}")
