"""`hitl` as a program of its own, over a deployment in memory whose approver decides by himself."""

from __future__ import annotations

import sys
from typing import Any

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.values import NOTHING
from hitl_approval.testing import in_memory
from hitl_approval_cli import mcp_gate
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.main import main
from tests.cli.fake_cloud import OUTPUTS, FakeCloud

BOB = Actor("bob@example.com", "jwt")


class DecidingCloud(FakeCloud):
    """Bob answers whatever is read a second time: he approves, but what says "No" in its subject.

    What says "Later" he answers never.
    """

    def __init__(self) -> None:
        super().__init__(in_memory())
        self.read: set[str] = set()

    def invoke(self, FunctionName: str, Payload: bytes, **more: Any) -> dict[str, Any]:  # noqa: N803
        answer = super().invoke(FunctionName, Payload, **more)
        if FunctionName == OUTPUTS["WorkflowFunctionArn"]:
            return answer
        asked = self.asked[-1]
        approval_id = asked["approval_id"]
        subject = self.started[-1]["subject"] if self.started else ""
        if asked["action"] == "get" and approval_id not in self.read and "Later" not in subject:
            self.read.add(approval_id)
            self.decisions.decide(
                approval_id,
                BOB,
                "rejected" if "No" in subject else "approved",
                "seen",
                content_digest=None,
                values=NOTHING,
            )
        return answer


if __name__ == "__main__":
    cloud = DecidingCloud()
    Deployment.client = lambda _, service: cloud.client(service)  # type: ignore[method-assign,assignment]
    vars(mcp_gate)["POLL"] = 0.05
    sys.argv[0] = "hitl"
    main()
