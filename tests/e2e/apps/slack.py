"""A deployment that asks in Slack."""

import json
import os

from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk.aws_secretsmanager import Secret

from hitl_approval_cdk import ApprovalPage, HitlApproval, Slack

app = App(analytics_reporting=False)
stack = Stack(app, "slack", analytics_reporting=False)
arn = os.environ["SLACK_SECRET_ARN"]
slack = Slack(
    secret=Secret.from_secret_complete_arn(stack, "SlackApp", arn),
    team_id="T0123ABCD",
    channel="C0123ABCD",
)
approvals = HitlApproval(
    stack, "Approvals", page=ApprovalPage(), slack=slack, removal_policy=RemovalPolicy.DESTROY
)
# Slack is a server on this machine, which no deployment of anybody's would take.
here = {
    "team_id": slack.team_id,
    "channel": slack.channel,
    "direct_messages": True,
    "api": os.environ["SLACK_API"],
    "secret_arn": arn,
}
assert approvals.page is not None
for function in (approvals.messenger_function, approvals.page.slack_function):
    assert function is not None
    function.add_environment("SLACK", json.dumps(here))
app.synth()
