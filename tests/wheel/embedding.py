"""A user's app without any cdk.json: our stack, and a durable function of theirs attached."""

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import HitlApproval, HitlApprovalStack, context

app = App()
HitlApprovalStack(app, context.stack_name({}), **context.options({}))

payments = Stack(app, "Payments")
refund = lambda_.Function(
    payments,
    "Refund",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context): ..."),
    durable_config=lambda_.DurableConfig(execution_timeout=Duration.days(2)),
)
HitlApproval(payments, "Approvals").attach(refund)
app.synth()
