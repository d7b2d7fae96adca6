"""Changes to production are approved by who is on call, and by security."""

from pathlib import Path

from aws_cdk import App, RemovalPolicy, Stack
from constructs import Construct

from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval, Quorum

GROUPS = {  # yours here
    "on-call": ["ann@example.com", "bob@example.com"],
    "security": ["sam@example.com", "sue@example.com"],
}
QUORUM = Quorum.of({"on-call": 1, "security": 1})  # all of both are asked, one of each must approve


class OnCallChange(Stack):
    """The people who are asked, and a durable function that deploys what they approve."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Approvals",
            groups=GROUPS,
            quorum=QUORUM,
            # Each of them is mailed a personal link that decides.
            page=ApprovalPage(),
            deliver_to=[EmailApprover(name) for people in GROUPS.values() for name in people],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.change = self.approvals.function(
            "Change",
            function_name="on-call-change",
            entry=Path(__file__).parent / "lambda",
            handler="handler.handler",
        )


if __name__ == "__main__":
    app = App()
    OnCallChange(app, "on-call-change")
    app.synth()
