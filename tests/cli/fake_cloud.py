"""A deployment in memory: what the command reads of CloudFormation and calls of Lambda."""

from __future__ import annotations

import io
import json
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.start import parse_document
from hitl_approval.http.envelope import handle
from hitl_approval.testing import World
from tests.anything import any_opening

OUTPUTS = {
    "WorkflowFunctionName": "workflow",
    "WorkflowFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:workflow:live",
    "ApprovalApiFunctionName": "approval-api",
    "ApprovalsTableName": "approvals",
    "AuditTableName": "audit",
    "HitlApprovalVersion": LIBRARY_VERSION,
}


class FakeCloud:
    """CloudFormation that knows one stack, and Lambda that runs the approval function here."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.decisions = world.decisions
        self.started: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.executions: list[str] = []
        self.execution: dict[str, Any] = {"Status": "RUNNING"}
        self.unknown = 0
        """How often GetDurableExecution does not know an execution yet."""
        self.asks = True
        """Whether the workflow writes its request as soon as it starts."""
        self.error: Exception | None = None
        self.failures: list[Exception] = []
        self.clients: dict[str, Any] = {}
        self.outputs: dict[str, str] = dict(OUTPUTS)
        """CloudFormation's key -> value."""
        self.template: dict[str, Any] = {}
        """The stack's resources as its template has them, by logical id."""
        self.physical: dict[str, str] = {}
        """Their physical ids."""
        self.nested: dict[str, dict[str, str]] = {}
        """Outputs of the stacks that are nested in it, by their physical ids."""

    def client(self, service: str) -> Any:
        return self.clients.get(service, self)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self.error:
            raise self.error
        if StackName in self.nested:
            outputs = [
                {"OutputKey": k, "OutputValue": v} for k, v in self.nested[StackName].items()
            ]
            return {"Stacks": [{"StackName": f"Theirs-{StackName}", "Outputs": outputs}]}
        if StackName != "hitl-approval":
            message = f"Stack with id {StackName} does not exist"
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks"
            )
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]
        return {"Stacks": [{"StackName": StackName, "Outputs": outputs}]}

    def get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "hitl-approval"
        return {"TemplateBody": {"Resources": self.template}}

    def list_stack_resources(self, StackName: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        """One on each page."""
        if StackName in self.nested:
            return {"StackResourceSummaries": []}
        assert StackName == "hitl-approval"
        at = int(NextToken)
        names = list(self.template)[at : at + 1]
        rows = [
            {"LogicalResourceId": name, "ResourceType": self.template[name].get("Type", "")}
            | ({"PhysicalResourceId": self.physical[name]} if name in self.physical else {})
            for name in names
        ]
        more = {"NextToken": str(at + 1)} if at + 1 < len(self.template) else {}
        return {"StackResourceSummaries": rows, **more}

    def invoke(self, FunctionName: str, Payload: bytes, **more: Any) -> dict[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        if FunctionName == OUTPUTS["WorkflowFunctionArn"]:
            assert more["InvocationType"] == "Event"
            arn = f"arn/{more['DurableExecutionName']}"
            if arn in self.executions:
                if self.started[self.executions.index(arn)] == event:
                    return {"DurableExecutionArn": arn}
                code = "DurableExecutionAlreadyStartedException"
                raise ClientError({"Error": {"Code": code}}, "Invoke")
            self.started.append(event)
            self.executions.append(arn)
            if self.asks:
                self.ask()
            return {"DurableExecutionArn": arn}
        if self.failures:
            raise self.failures.pop()
        self.asked.append(event)
        answer = handle(event, lambda: self.decisions, trust_authorizer=False)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def ask(self) -> None:
        """The workflow that was started last writes its request."""
        opening = any_opening(
            approval_id=derive_approval_id(self.executions[-1], "document"),
            request=parse_document(self.started[-1]),
            now=self.decisions.clock.now(),
        )
        self.decisions.store.create(opening)

    def list_durable_executions_by_function(self, **wanted: Any) -> dict[str, Any]:
        """One on each page."""
        assert wanted["FunctionName"] == OUTPUTS["WorkflowFunctionName"]
        alive = self.executions if self.execution["Status"] in wanted["Statuses"] else []
        at = int(wanted.get("Marker", "0"))
        more = {"NextMarker": str(at + 1)} if at + 1 < len(alive) else {}
        found = [{"DurableExecutionArn": arn} for arn in alive[at : at + 1]]
        return {"DurableExecutions": found, **more}

    def get_durable_execution(self, DurableExecutionArn: str) -> dict[str, Any]:  # noqa: N803
        assert DurableExecutionArn in self.executions
        if self.unknown:
            self.unknown -= 1
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException"}}, "GetDurableExecution"
            )
        return self.execution
