"""What `hitl template` writes, deployed without the CDK: a bucket, one template, one approval."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hitl_approval.contract import Output
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud
from hitl_approval_cli.portable import FOLDER

from .conftest import Live, eventually

HITL = Path(sys.executable).with_name("hitl")
NAME = "with-other-tools"


def test_should_be_deployed_by_cloudformation_alone(
    cloud: LocalCloud, environment: dict[str, str], tmp_path: Path
) -> None:
    deployment = Deployment(NAME)
    s3, formation = deployment.client("s3"), deployment.client("cloudformation")
    s3.create_bucket(Bucket="their-code")
    words = ["template", "approvals", "--bucket", "their-code", "-c", f"stack_name={NAME}"]
    groups = ["-c", 'groups={"leads": ["ann", "bob"]}', "-c", "removal_policy=destroy"]
    done = subprocess.run(
        [HITL, *words, *groups],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    formation.create_stack(
        StackName=NAME,
        TemplateBody=s3.get_object(Bucket="their-code", Key=f"{FOLDER}/template.json")["Body"]
        .read()
        .decode(),
        Capabilities=["CAPABILITY_IAM"],
    )
    eventually(
        lambda: (
            formation.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"]
            == "CREATE_COMPLETE"
        ),
        "deployed stack",
    )
    live = Live(NAME, deployment)
    started = live.submit(approvers=["leads"])
    live.decide(started["approval_id"], "approved", approver="bob")
    assert live.result(started["execution_arn"])["decided_by"] == "bob"
    assert deployment.output(Output.WORKFLOW_VERSION) == "1"
    formation.delete_stack(StackName=NAME)
