"""Expenses: the amount decides who is asked, from nobody to two managers and then finance."""

from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval_cdk import HitlApproval


class Expenses(Stack):
    """A durable function and the groups of people that it asks."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Approvals",
            groups={
                "managers": ["ann@example.com", "bob@example.com", "cid@example.com"],
                "finance": ["fay@example.com"],
            },
            approval_timeout=Duration.days(7),
            require_comment_on_rejection=True,
            notify_emails=["expenses@example.com"],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.pay = lambda_.Function(
            self,
            "Pay",
            function_name="expenses",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "lambda")),
            # Two waits of at most seven days each.
            durable_config=lambda_.DurableConfig(execution_timeout=Duration.days(15)),
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        lambda_.Alias(self, "Live", alias_name="live", version=self.pay.current_version)
        self.approvals.attach(self.pay)


if __name__ == "__main__":
    app = App()
    Expenses(app, "expenses")
    app.synth()
