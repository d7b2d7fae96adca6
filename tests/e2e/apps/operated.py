"""A deployment to be operated: monitored, archived, with people in a group who are mailed by SES.

`OPERATED_STACK` is its stack's name, `PEOPLE` who is in the group, comma by comma.
"""

import os

from aws_cdk import App, Duration, RemovalPolicy, Stack

from hitl_approval_cdk import ApprovalPage, Archive, HitlApproval, Monitoring, SesMail

app = App(analytics_reporting=False)
stack = Stack(app, os.environ.get("OPERATED_STACK", "operated"), analytics_reporting=False)
HitlApproval(
    stack,
    "Approvals",
    groups={"leads": os.environ.get("PEOPLE", "ann@example.com,bob@example.com").split(",")},
    approvers=["leads"],
    operators=["olga"],
    notify_emails=["team@example.com"],
    page=ApprovalPage(),
    mail=SesMail(sender="approvals@example.com"),
    archive=Archive(retention=Duration.days(1)),
    monitoring=Monitoring(pending_age=Duration.days(1)),
    # What is staged stays until somebody ends it: no sweep comes in between.
    sweep_interval=Duration.hours(1),
    removal_policy=RemovalPolicy.DESTROY,
)
app.synth()
