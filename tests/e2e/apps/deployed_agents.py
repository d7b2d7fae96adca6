"""A function for the agents of each framework: its example as it is, and one of scenes."""

import os
from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack

from hitl_approval_cdk import HitlApproval

app = App(analytics_reporting=False)
stack = Stack(app, "agents", analytics_reporting=False)
approvals = HitlApproval(
    stack,
    "Approvals",
    approvers=["ann@example.com", "bob@example.com"],
    approval_timeout=Duration.hours(8),
    removal_policy=RemovalPolicy.DESTROY,
)
for build in sorted(Path(os.environ["BUILDS"]).iterdir()):
    approvals.function(
        build.name,
        function_name=build.name,
        handler="scripted.scenes.handler",
        entry=build,
        timeout=Duration.minutes(5),
        memory_size=512,
    )
app.synth()
