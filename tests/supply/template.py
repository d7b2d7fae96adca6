"""The template of a deployment as a company with rules makes it, by checkov's rules.

checkov requires versions that do not go together with this project's, so that no lock has it.
cdk-nag and cfn-lint, which go together, run with the tests.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from hitl_approval_cdk import (
    ApprovalPage,
    Archive,
    HitlApproval,
    Monitoring,
    Network,
    SesMail,
    SignIn,
    Slack,
    Webhook,
)
from tests.infra.synth import any_app, template
from tests.supply.scan import NotRunError, Scan, run_tool

CHECKOV = "checkov==3.3.30"


def deployment() -> dict[str, Any]:
    """With a key and a network of their own, and with every kind of resource that we can make."""
    app = any_app()
    theirs, stack = Stack(app, "Theirs"), Stack(app, "Embedding")
    secret = secretsmanager.Secret(theirs, "Secret")
    HitlApproval(
        stack,
        "Approval",
        archive=Archive(),
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        groups={"leads": ["ann", "bob"]},
        mail=SesMail(sender="approvals@example.com"),
        mcp=True,
        monitoring=Monitoring(
            alarm_topic=sns.Topic(theirs, "Alarms"), alarm_emails=["ops@example.com"]
        ),
        network=Network(vpc=ec2.Vpc(theirs, "Vpc", restrict_default_security_group=False)),
        notify_emails=["ann@example.com"],
        page=ApprovalPage(sign_in=SignIn.cognito()),
        reserved_concurrent_executions=10,
        slack=Slack(secret=secret, team_id="T0123ABCD"),
        webhooks=[Webhook(name="teams", secret=secret)],
    )
    return template(stack)


def checkov() -> Scan:
    """Each resource against each of its rules."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "template.json")
        file.write_text(json.dumps(deployment()))
        words = ["--file", str(file), "--framework", "cloudformation", "--skip-download"]
        words += ["--quiet", "--compact", "--output", "json"]
        done = run_tool(CHECKOV, "checkov", *words, cwd=Path(folder))
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise NotRunError(done.stderr.strip().splitlines()[-1]) from None
    failed = [
        f"{each['check_id']} {each['resource']}: {each['check_name']}"
        for each in found["results"]["failed_checks"]
    ]
    summary = found["summary"]
    assert summary["resource_count"] > 0
    return Scan(
        "checkov", f"{summary['passed']} checks of {summary['resource_count']} resources", failed
    )
