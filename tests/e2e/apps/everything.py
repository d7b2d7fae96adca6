"""A user's app, without any cdk.json, that uses every feature of the construct."""

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn

from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApproval,
    HitlApprovalStack,
    OnTimeout,
    Quorum,
    SqsApprover,
    context,
)

app = App()
HitlApprovalStack(app, context.stack_name({}), **context.options({}))

stack = Stack(app, "Payments")
inbox = sqs.Queue(stack, "Inbox")
approvals = HitlApproval(
    stack,
    "Approvals",
    approvers=["leads"],
    groups={"leads": ["ann@example.com", "bob@example.com"]},
    quorum=Quorum.at_least(2),
    on_timeout=OnTimeout.reject(),
    approval_timeout=Duration.hours(24),
    page=ApprovalPage(),
    deliver_to=[EmailApprover("ann@example.com"), SqsApprover("bob@example.com", inbox)],
    encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
    signing_key=kms.Key(
        stack,
        "SigningKey",
        key_spec=kms.KeySpec.ECC_NIST_P256,
        key_usage=kms.KeyUsage.SIGN_VERIFY,
    ),
    alarm_topic=sns.Topic(stack, "Alarms"),
)
refund = lambda_.Function(
    stack,
    "Refund",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context): ..."),
    durable_config=lambda_.DurableConfig(execution_timeout=Duration.days(2)),
)
approvals.attach(refund)
user = iam.User(stack, "User")
approvals.grant_request(user)
approvals.grant_decide(user)
approvals.grant_read(user)
approvals.grant_read_audit(user)
approvals.on_decided("Decided", target=targets.SqsQueue(sqs.Queue(stack, "Ledger")))
approvals.metric_time_to_decision(statistic="p95")
ask = approvals.step(stack, "Ask", subject="Refund", requester="rita", result_path="$.outcome")
sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(ask))
HitlApproval(stack, "Polling", resume="polling", poll_interval=Duration.seconds(5))
app.synth()
