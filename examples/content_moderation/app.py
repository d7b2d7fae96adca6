"""Posts that people reported are hidden, unless a moderator keeps them within ten minutes."""

from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_events_targets import SqsQueue
from constructs import Construct

from hitl_approval_cdk import HitlApproval, OnTimeout


class ContentModeration(Stack):
    """A durable function, its moderators, and a queue that gets each decision."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Moderation",
            approval_timeout=Duration.minutes(10),
            on_timeout=OnTimeout.reject(),  # silence hides
            require_comment_on_rejection=True,  # the author reads why
            notify_emails=["moderators@example.com"],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.moderate = lambda_.Function(
            self,
            "Moderate",
            function_name="content-moderation",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "lambda")),
            durable_config=lambda_.DurableConfig(execution_timeout=Duration.hours(1)),
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        lambda_.Alias(self, "Live", alias_name="live", version=self.moderate.current_version)
        self.approvals.attach(self.moderate)
        self.approvals.on_decided("ToStatistics", target=SqsQueue(sqs.Queue(self, "Statistics")))


if __name__ == "__main__":
    app = App()
    ContentModeration(app, "content-moderation")
    app.synth()
