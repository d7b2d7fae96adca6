"""Two deployments in one stack, each with a durable function of the app's own."""

import os
from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import ApprovalPage, HitlApproval, OnTimeout, Quorum

app = App(analytics_reporting=False)
stack = Stack(app, os.environ.get("STACK", "embedded"), analytics_reporting=False)


def asking(name: str, approvals: HitlApproval) -> None:
    function = lambda_.Function(
        stack,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="asking.handler",
        code=lambda_.Code.from_asset(str(Path(os.environ["CODE_FOLDER"]))),
        timeout=Duration.seconds(30),
        durable_config=lambda_.DurableConfig(execution_timeout=Duration.days(2)),
        current_version_options=lambda_.VersionOptions(
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        ),
    )
    live = lambda_.Alias(stack, f"{name}Live", alias_name="live", version=function.current_version)
    approvals.attach(function)
    CfnOutput(stack, f"{name}Arn", value=live.function_arn)


asking(
    "Refund",
    HitlApproval(
        stack,
        "Payments",
        groups={"leads": ["ann", "bob"]},
        quorum=Quorum.at_least(2),
        approvers=["leads"],
        page=ApprovalPage(),
        log_level=os.environ.get("LOG_LEVEL", "INFO"),
        removal_policy=RemovalPolicy.DESTROY,
    ),
)
asking(
    "Release",
    HitlApproval(
        stack,
        "Releases",
        on_timeout=OnTimeout.reject(),
        resume="polling",
        poll_interval=Duration.seconds(1),
        removal_policy=RemovalPolicy.DESTROY,
    ),
)
app.synth()
