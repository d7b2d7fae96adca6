"""An AI agent whose dangerous tools wait for a person."""

from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval_cdk import HitlApproval


class AgentToolGate(Stack):
    """The agent, a durable function, and the people who decide what it may do."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Gate",
            approvers=["ann@example.com", "bob@example.com"],
            approval_timeout=Duration.hours(8),
            notify_emails=["support-leads@example.com"],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.agent = lambda_.Function(
            self,
            "Agent",
            function_name="agent-tool-gate",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "lambda")),
            durable_config=lambda_.DurableConfig(execution_timeout=Duration.days(7)),
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        lambda_.Alias(self, "Live", alias_name="live", version=self.agent.current_version)
        self.approvals.attach(self.agent)


if __name__ == "__main__":
    app = App()
    AgentToolGate(app, "agent-tool-gate")
    app.synth()
