"""A CDK app that embeds approvals, deployed into the local cloud by the CDK CLI itself."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Protocol
from unittest.mock import patch

from hitl_approval.domain.command_line import reference
from hitl_approval_cli.deployment import Deployment
from tests.deployed import ROOT, eventually

from .wheel import CleanVenv, run

CHECKOUT = CleanVenv(Path(sys.prefix))
"""The environment that these tests run in."""


class Cloud(Protocol):
    """The local cloud, or AWS for `tests.aws`."""

    @property
    def region(self) -> str:
        """Where stacks are deployed."""

    @property
    def endpoint_url(self) -> str | None:
        """Of a local cloud; None for AWS."""

    def environment(self) -> Mapping[str, str]:
        """What the CDK CLI needs beside the user's own variables."""


@dataclass
class EmbeddingApp:
    """One stack of somebody's app.

    Attributes:
        cloud: where it is deployed.
        folder: where its cdk.json is.
        stack: its stack's name.
        assembly: what `cdk synth` fills; bundles that are there already are not made again.
        venv: the Python that synthesizes it.
    """

    cloud: Cloud
    folder: Path
    stack: str
    assembly: Path
    venv: CleanVenv = CHECKOUT

    @classmethod
    def of(cls, cloud: Cloud, script: Path, stack: str, folder: Path) -> EmbeddingApp:
        """One that is a single script, synthesized by the checkout."""
        (folder / "cdk.json").write_text(json.dumps({"app": f"python3 {quote(str(script))}"}))
        return cls(cloud, folder, stack, folder / "cdk.out")

    def deploy(self, *options: str, **variables: str) -> str:
        """`cdk deploy`, with some environment variables for the app; what it says."""
        return self.cdk("deploy", "--require-approval", "never", *options, **variables)

    def cdk(self, *words: str, **variables: str) -> str:
        """A command of the CDK CLI, with some environment variables for the app; what it says."""
        command = str(ROOT / "node_modules" / ".bin" / "cdk")
        return run(
            [command, *words, "--output", str(self.assembly), "--no-notices", "--ci"],
            cwd=self.folder,
            env={**self.venv.environment, **self.cloud.environment(), **variables},
        )

    def destroy(self) -> None:
        """Delete the stack: its sweep and its messenger would run each minute until all is over."""
        with patch.dict(os.environ, self.cloud.environment()):  # a test's own are gone by now
            cloudformation = self.deployment().client("cloudformation")
        cloudformation.delete_stack(StackName=self.stack)

    def deployment(self, name: str = "") -> Deployment:
        """One of its deployments, the only one by default; read anew, as each deploy changes it."""
        cloud = self.cloud
        return Deployment(reference(self.stack, name), cloud.region, None, cloud.endpoint_url)

    def output(self, key: str) -> str:
        """One of the app's own outputs."""
        cloudformation = self.deployment().client("cloudformation")
        [described] = cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        [value] = [o["OutputValue"] for o in described["Outputs"] if o["OutputKey"] == key]
        return str(value)

    def start(self, function: str, event: dict[str, Any]) -> str:
        """Start a durable function; returns the execution's ARN."""
        answer = (
            self.deployment()
            .client("lambda")
            .invoke(
                FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode()
            )
        )
        return str(answer["DurableExecutionArn"])

    def pending(self, subject: str, name: str = "") -> str:
        """The id of what awaits a decision, once it does."""
        deployment = self.deployment(name)

        def found() -> Any:
            page = deployment.call({"action": "list", "status": "pending", "limit": 100})
            return next((a["approval_id"] for a in page["approvals"] if a["subject"] == subject), 0)

        return str(eventually(found, f"request {subject}"))

    def decide(
        self, approval_id: str, decision: str, by: str, *, comments: str = "", name: str = ""
    ) -> dict[str, Any]:
        """Somebody decides; returns what the approval function answers."""
        return self.deployment(name).call(
            {
                "action": "decide",
                "approval_id": approval_id,
                "decision": decision,
                "approver": by,
                "comments": comments,
            }
        )

    def result(self, arn: str) -> Any:
        """What the durable function returned."""

        def ended() -> Any:
            execution = self.deployment().outcome(arn)
            return None if execution["Status"] == "RUNNING" else execution

        execution = eventually(ended, "end of the function")
        assert execution["Status"] == "SUCCEEDED", execution
        return json.loads(execution["Result"])
