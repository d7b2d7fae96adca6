"""`hitl show`: one approval, whole."""

from __future__ import annotations

from typing import Any

from hitl_approval.domain.trail_words import actor_in_words
from hitl_approval_cli import approval_tables, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.parameters import Id
from hitl_approval_cli.short_ids import call_about


@connected
def show(to: Connection, *, approval_id: Id) -> None:
    """Show one approval, whole.

    Example: hitl show 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = call_about(to.deployment, {"action": "get", "approval_id": approval_id})

    def for_people() -> None:
        approval_tables.approval(_with_who_handed_over(to.deployment, answer))
        if answer["status"] == "pending" and output.out.is_terminal:
            _say_how_to_decide(to.deployment, answer["approval_id"])

    to.show(answer, for_people)


@connected
def get(to: Connection, *, approval_id: Id) -> None:
    """Show one approval, whole: `hitl show` by its older name.

    Example: hitl get 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = call_about(to.deployment, {"action": "get", "approval_id": approval_id})
    to.show(answer, lambda: approval_tables.approval(answer))


def _with_who_handed_over(deployment: Deployment, answer: dict[str, Any]) -> dict[str, Any]:
    """The record, and of each place that was given away who did that, as the trail has it."""
    if not answer.get("handed_over"):
        return answer
    trail = deployment.call({"action": "history", "approval_id": answer["approval_id"]})
    by = {
        name: actor_in_words(event)
        for event in trail["events"]
        if event["event"] == "reassigned"
        for name in event["details"]["to"]
    }
    places = [{**one, "by": by.get(one["to"])} for one in answer["handed_over"]]
    return {**answer, "handed_over": places}


def _say_how_to_decide(deployment: Deployment, approval_id: str) -> None:
    """What to do about a pending approval."""
    commands = (
        deployment.command("approve", approval_id),
        deployment.command("reject", approval_id, "-m", "..."),
        deployment.command("comment", approval_id, "--question", "-m", "..."),
    )
    output.out.print(output.safe("\n".join(["", *commands])), style="dim", soft_wrap=True)
