"""A deployment to be operated, and what an operator's tests see and break of it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import marshal
from hitl_approval.contract import Output
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.functions import configuration_of, find_functions
from tests.deployed import eventually

ROOT: Final = Path(__file__).parents[2]
APP: Final = ROOT / "tests" / "e2e" / "apps" / "operated.py"
ANN, BOB = "ann@example.com", "bob@example.com"
OPERATOR: Final = "olga"
PATIENCE: Final = "STAGED_PATIENCE"
"""Variable: seconds until something that happens by itself counts as not happening, 180."""

Words = dict[str, str]
"""What stands for the words in capitals of the runbook's commands."""


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait until something holds; returns it."""
    patience = float(os.environ.get(PATIENCE, "180"))
    return eventually(condition, what, patience=patience, pause=0.2)


@dataclass(frozen=True)
class Operated:
    """The deployment of `apps/operated.py`.

    Attributes:
        deployment: it.
        deploy: deploys it again with these people in the group.
    """

    deployment: Deployment
    deploy: Callable[[Sequence[str]], None]

    def client(self, service: str) -> Any:
        """Of the local cloud."""
        return self.deployment.client(service)

    def hitl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, as an operator types it where nobody can be asked."""
        command = [str(Path(sys.executable).with_name("hitl")), *words]
        stack = ["--stack", self.deployment.stack]
        return subprocess.run([*command, *stack], capture_output=True, text=True, check=False)

    def check(self, name: str) -> dict[str, str]:
        """One check of `hitl doctor`."""
        checks = json.loads(self.hitl("doctor", "--json").stdout)["checks"]
        [found] = [each for each in checks if each["name"] == name]
        return dict(found)

    def wrong(self, name: str) -> str:
        """What `hitl doctor` says beside a check, which must be wrong."""
        found = until(lambda: self.wrong_now(name), f"{name} is wrong")
        return f"{found['found']}\n{found['fix']}"

    def wrong_now(self, name: str) -> dict[str, str] | None:
        """The check, if it is wrong."""
        found = self.check(name)
        return found if found["state"] == "wrong" else None

    def is_well(self, name: str) -> bool:
        """Whether a check finds nothing."""
        return self.check(name)["state"] == "ok"

    def ask(self, subject: str, **fields: Any) -> Words:
        """A request, once it is on record; its id and its execution."""
        event = {"subject": subject, "requester": "rita", "timeout_seconds": 36_000, **fields}
        started = self.deployment.submit(event)
        until(lambda: self.row(started["approval_id"]), "record")
        return {"ID": started["approval_id"], "ARN": started["execution_arn"]}

    def row(self, approval_id: str) -> dict[str, Any]:
        """The record, as it is stored."""
        answer = self.client("dynamodb").get_item(
            TableName=self.table, Key={"approval_id": {"S": approval_id}}, ConsistentRead=True
        )
        return dict(answer.get("Item", {}))

    def write(self, approval_id: str, **attributes: str) -> None:
        """Change the record by hand."""
        self.client("dynamodb").update_item(
            TableName=self.table,
            Key={"approval_id": {"S": approval_id}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in attributes),
            ExpressionAttributeValues=marshal({f":{n}": v for n, v in attributes.items()}),
        )

    @property
    def table(self) -> str:
        """The approvals table's name."""
        return self.deployment.output(Output.APPROVALS_TABLE_NAME)

    @property
    def store(self) -> DynamoDbStore:
        """The tables."""
        return DynamoDbStore(
            client=self.client("dynamodb"),
            approvals_table=self.table,
            audit_table=self.deployment.output(Output.AUDIT_TABLE_NAME),
        )

    def variable(self, function: str, name: str) -> str:
        """What a function has in its environment."""
        configuration = configuration_of(self.deployment, find_functions(self.deployment)[function])
        return str(configuration["Environment"]["Variables"][name])

    def inbox(self, person: str) -> set[str]:
        """The ids of what awaits somebody's answer."""
        return {each["approval_id"] for each in self.deployment.awaiting(person)}

    def stop(self, arn: str) -> None:
        """Somebody stops an execution."""
        self.client("lambda").stop_durable_execution(DurableExecutionArn=arn)

    def dead_letter(self, body: Any, **attributes: str) -> None:
        """What Lambda, or SQS, puts into the dead-letter queue."""
        name = self.deployment.output(Output.WORKFLOW_FUNCTION_NAME)
        arn = configuration_of(self.deployment, name)["DeadLetterConfig"]["TargetArn"]
        queue = self.client("sqs").get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        self.client("sqs").send_message(
            QueueUrl=queue,
            MessageBody=json.dumps(body),
            MessageAttributes={
                key: {"DataType": "String", "StringValue": value}
                for key, value in attributes.items()
            },
        )


def deploy(stack: str, people: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """`cdk deploy` of the app, its sender verified as the local cloud has it."""
    command = [str(ROOT / "node_modules" / ".bin" / "cdk"), "deploy", "--ci", "--no-notices"]
    app = ["--app", f"python3 {shlex.quote(str(APP))}", "--output", str(folder / "cdk.out")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"OPERATED_STACK": stack, "PEOPLE": ",".join(people)}
    done = subprocess.run(
        [*command, *app, "--require-approval", "never"],
        cwd=folder,
        env={**os.environ, **environment, **variables, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
