"""`make checkov`: its rules on a deployment with a key and a network; exit 1 if one fails.

checkov requires versions that do not go together with this project's, so that no lock has it: uv
runs the pinned one in an environment of its own, which needs a network the first time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from uv import find_uv_bin

from hitl_approval_cdk import ApprovalPage, HitlApproval, Network
from tests.infra.synth import any_app, template

CHECKOV = "checkov==3.3.30"


def deployment() -> dict[str, Any]:
    """The template of a deployment as a company with rules makes it."""
    app = any_app()
    theirs, stack = Stack(app, "Theirs"), Stack(app, "Embedding")
    HitlApproval(
        stack,
        "Approval",
        alarm_topic=sns.Topic(theirs, "Alarms"),
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        groups={"leads": ["ann", "bob"]},
        network=Network(vpc=ec2.Vpc(theirs, "Vpc", restrict_default_security_group=False)),
        page=ApprovalPage(),
        reserved_concurrent_executions=10,
    )
    return template(stack)


def main() -> None:
    """Run it and show what fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "template.json")
        file.write_text(json.dumps(deployment()))
        words = ["--file", str(file), "--framework", "cloudformation", "--skip-download"]
        done = subprocess.run(
            [
                *(find_uv_bin(), "tool", "run", "--quiet", "--from", CHECKOV, "checkov"),
                *(*words, "--quiet", "--compact", "--output", "json"),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            found = json.loads(done.stdout)
        except ValueError:
            sys.exit(f"checkov did not run: {done.stderr.strip()}")
    for each in found["results"]["failed_checks"]:
        sys.stdout.write(f"{each['check_id']} {each['resource']}: {each['check_name']}\n")
    summary = found["summary"]
    assert summary["resource_count"] > 0
    sys.stdout.write("{passed} passed, {skipped} skipped, {failed} failed\n".format(**summary))
    sys.exit(1 if summary["failed"] else 0)


if __name__ == "__main__":
    main()
