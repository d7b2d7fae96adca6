"""Documents are published when one of the board has approved them."""

from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval

BOARD = ["ann@example.com", "bob@example.com"]  # yours here


class DocumentApproval(Stack):
    """A durable function, the people it asks, and a page where they answer."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Approvals",
            approvers=BOARD,
            approval_timeout=Duration.days(3),
            # Each of the board is mailed a personal link that decides.
            page=ApprovalPage(),
            deliver_to=[EmailApprover(name) for name in BOARD],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.publish = lambda_.Function(
            self,
            "Publish",
            function_name="document-approval",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "lambda")),
            durable_config=lambda_.DurableConfig(execution_timeout=Duration.days(7)),
            # An execution stays on the version it started on: keep old ones.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        lambda_.Alias(self, "Live", alias_name="live", version=self.publish.current_version)
        self.approvals.attach(self.publish)


if __name__ == "__main__":
    app = App()
    DocumentApproval(app, "document-approval")
    app.synth()
