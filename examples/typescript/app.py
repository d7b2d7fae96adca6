"""A durable function in TypeScript that asks: an alias of the request function, and no layer."""

from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval_cdk import HitlApproval

BUILT = Path(__file__).parent / "lambda"  # `npm run build` puts refund.js there


class Refunds(Stack):
    """The deployment, and a function of another language that asks through it."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Approvals",
            approvers=["ann@example.com", "bob@example.com"],
            approval_timeout=Duration.days(1),
            notify_emails=["refunds@example.com"],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.refund = self.approvals.function(
            "Refund",
            function_name="typescript-refund",
            runtime=lambda_.Runtime.NODEJS_24_X,
            handler="refund.handler",
            entry=BUILT,
            layer=False,
        )


if __name__ == "__main__":
    app = App()
    Refunds(app, "typescript")
    app.synth()
