"""Two deployments in one stack, each with a durable function of the app's own.

With `TRACING_LAYER`, a folder, the functions that wait in the second one are traced by it.
"""

import os
from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import ApprovalPage, HitlApproval, OnTimeout, Quorum

app = App(analytics_reporting=False)
stack = Stack(app, os.environ.get("STACK", "embedded"), analytics_reporting=False)


def asking(name: str, approvals: HitlApproval) -> lambda_.Function:
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
    return function


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
releases = HitlApproval(
    stack,
    "Releases",
    on_timeout=OnTimeout.reject(),
    resume="polling",
    poll_interval=Duration.seconds(1),
    removal_policy=RemovalPolicy.DESTROY,
)
release = asking("Release", releases)
if "TRACING_LAYER" in os.environ:
    code = lambda_.Code.from_asset(os.environ["TRACING_LAYER"])
    layer = lambda_.LayerVersion(stack, "Tracing", code=code)
    for traced in (releases.workflow_function, release):
        traced.add_layers(layer)
        traced.add_environment("DURABLE_EXECUTION_PLUGINS", "otel-execution")
        traced.add_environment("OTEL_PYTHON_TRACER_PROVIDER", "to_log")
app.synth()
