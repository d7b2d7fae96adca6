"""A deployment with all that functions need rights for, and an attached function of the app's."""

import os

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from hitl_approval_cdk import ApprovalPage, Archive, HitlApproval, SesMail, readers

app = App(analytics_reporting=False)
stack = Stack(app, "permitted", analytics_reporting=False)
approvals = HitlApproval(
    stack,
    "Approval",
    page=ApprovalPage(sign_in=readers.sign_in(os.environ["SIGN_IN"])),
    mail=SesMail(sender="approvals@example.com"),
    archive=Archive(retention=Duration.days(1)),
    encryption_key=kms.Key(stack, "Key", removal_policy=RemovalPolicy.DESTROY),
    signing_key=kms.Key(
        stack,
        "SigningKey",
        key_spec=kms.KeySpec.ECC_NIST_P256,
        key_usage=kms.KeyUsage.SIGN_VERIFY,
        removal_policy=RemovalPolicy.DESTROY,
    ),
    removal_policy=RemovalPolicy.DESTROY,
)
refund = lambda_.Function(
    stack,
    "Refund",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="asking.handler",
    code=lambda_.Code.from_asset(os.environ["CODE_FOLDER"]),
    timeout=Duration.minutes(2),
    durable_config=lambda_.DurableConfig(execution_timeout=Duration.days(2)),
    current_version_options=lambda_.VersionOptions(
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    ),
)
live = lambda_.Alias(stack, "RefundLive", alias_name="live", version=refund.current_version)
approvals.attach(refund)
ask = approvals.step(
    stack,
    "Ask",
    subject=sfn.JsonPath.string_at("$.subject"),
    requester="rita",
    result_path="$.outcome",
)
machine = sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(ask))
CfnOutput(stack, "RefundArn", value=live.function_arn)
CfnOutput(stack, "MachineArn", value=machine.state_machine_arn)
app.synth()
