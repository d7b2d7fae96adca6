"""An agent of the OpenAI Agents SDK, deployed."""

from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from constructs import Construct

from hitl_approval_cdk import HitlApproval

BUILD = Path(__file__).parent / "build"
"""The handler with its framework, see README.md."""


class SqlAgent(Stack):
    """The agent, and the people who decide what it may do."""

    def __init__(self, scope: Construct, construct_id: str, code: Path = BUILD) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Approvals",
            approvers=["ann@example.com", "bob@example.com"],
            approval_timeout=Duration.hours(8),
            notify_emails=["database-team@example.com"],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.agent = self.approvals.function(
            "Agent",
            function_name="sql-agent",
            handler="handler.handler",
            entry=code,
            timeout=Duration.minutes(5),
            memory_size=512,
        )


if __name__ == "__main__":
    app = App()
    SqlAgent(app, "sql-agent")
    app.synth()
