"""CloudWatch Logs in memory, and the functions of a stack that write there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from .fake_cloud import FakeCloud

FUNCTIONS = {
    "ApprovalWorkflowFunction0A1B2C3D": "workflow",
    "ApprovalSweepFunction0A1B2C3D": "sweep-1",
    "ApprovalMessengerFunction0A1B2C3D": "messenger-1",
    "ApprovalEUWorkflowFunction0A1B2C3D": "another-deployments",
    "Refund0A1B2C3D": "refund",
}
"""Logical id -> name: of one deployment, of another whose name begins alike, and a function of
the user's."""


def deploy_functions(cloud: FakeCloud) -> None:
    """Let the stack have functions, and something else."""
    cloud.template |= {name: {"Type": "AWS::Lambda::Function"} for name in FUNCTIONS}
    cloud.template["ApprovalTable0A1B2C3D"] = {"Type": "AWS::DynamoDB::Table"}
    cloud.physical |= FUNCTIONS
    for function in FUNCTIONS.values():
        rule = {"State": "ENABLED", "ScheduleExpression": "rate(1 minute)"}
        cloud.rules[f"each-minute-{function}"] = {"Target": function, **rule}


@dataclass
class FakeLogs:
    """Answers one event on each page."""

    groups: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Log group -> (milliseconds, message)."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None

    def log(self, group: str, at: int, message: str) -> None:
        self.groups.setdefault(f"/aws/lambda/{group}", []).append((at, message))

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        group = asked["logGroupName"]
        if group not in self.groups:
            missing = {"Error": {"Code": "ResourceNotFoundException", "Message": "no group"}}
            raise ClientError(missing, "FilterLogEvents")  # type: ignore[arg-type]
        wanted = asked.get("filterPattern", "").strip('"')
        found = [
            {"timestamp": at, "message": message, "eventId": f"{group} {number}"}
            for number, (at, message) in enumerate(self.groups[group])
            if wanted in message and at >= asked["startTime"]
        ]
        first = int(asked.get("nextToken", "0"))
        more = {"nextToken": str(first + 1)} if first + 1 < len(found) else {}
        return {"events": found[first : first + 1], **more}
