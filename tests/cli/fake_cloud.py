"""A deployment in memory: what the command reads of CloudFormation and calls of Lambda."""

from __future__ import annotations

import io
import json
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.policy import Policy
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


class Queue:
    """SQS's, as far as one reader sees it; a message's receipt is its id."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self.hidden: set[str] = set()

    def add(self, body: str, **attributes: str) -> str:
        name = f"m{len(self.messages) + 1}"
        self.messages[name] = body
        self.attributes[name] = attributes
        return name

    def receive(self, most: int) -> dict[str, Any]:
        shown = [name for name in self.messages if name not in self.hidden][:most]
        self.hidden |= set(shown)
        messages = [
            {
                "MessageId": name,
                "ReceiptHandle": name,
                "Body": self.messages[name],
                "MessageAttributes": {
                    key: {"StringValue": value} for key, value in self.attributes[name].items()
                },
            }
            for name in shown
        ]
        return {"Messages": messages} if messages else {}


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
        self.reserved: dict[str, int] = {}
        """Reserved concurrency, by function."""
        self.mappings: list[dict[str, Any]] = []
        """Event source mappings, each with its `FunctionName`."""
        self.rules: dict[str, dict[str, Any]] = {}
        """Rules of schedules by name, each with the `Target` that it starts."""
        self.variables: dict[str, dict[str, str]] = {}
        """Of the environment, by function."""
        self.queues: dict[str, Queue] = {"https://sqs.example/dead": Queue()}
        """By their URLs."""
        self.key_state = "Enabled"
        self.readers: dict[str, Any] = {}
        """What functions answer that read the audit table's stream."""
        self.brought: list[dict[str, Any]] = []
        """What these were brought."""

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

    def have_functions(self, *names: str) -> None:
        """The stack has these functions, each by its name in small letters."""
        for name in names:
            logical = f"{name}Function0123ABCD"
            self.template[logical] = {"Type": "AWS::Lambda::Function", "Properties": {}}
            self.physical[logical] = name.lower()

    def get_function_concurrency(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        reserved = self.reserved.get(FunctionName)
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def list_event_source_mappings(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        found = [each for each in self.mappings if each["FunctionName"] == FunctionName]
        return {"EventSourceMappings": found}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        found = {
            "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{FunctionName}",
            "Environment": {"Variables": self.variables.get(FunctionName, {})},
        }
        if FunctionName == OUTPUTS["WorkflowFunctionName"]:
            found["DeadLetterConfig"] = {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"}
        return found

    def list_rule_names_by_target(self, TargetArn: str) -> dict[str, Any]:  # noqa: N803
        function = TargetArn.rpartition(":")[2]
        return {"RuleNames": [n for n, rule in self.rules.items() if rule["Target"] == function]}

    def describe_rule(self, Name: str) -> dict[str, Any]:  # noqa: N803
        return self.rules[Name]

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        assert KeyId == self.outputs["ArchiveKeyArn"]
        return {"KeyMetadata": {"KeyState": self.key_state}}

    def get_queue_url(self, QueueName: str, QueueOwnerAWSAccountId: str) -> dict[str, Any]:  # noqa: N803
        assert QueueOwnerAWSAccountId == "123456789012"
        return {"QueueUrl": f"https://sqs.example/{QueueName}"}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        queue = self.queues[QueueUrl]
        counts = {
            "ApproximateNumberOfMessages": len(queue.messages) - len(queue.hidden),
            "ApproximateNumberOfMessagesNotVisible": len(queue.hidden),
        }
        return {"Attributes": {name: str(counts[name]) for name in AttributeNames}}

    def receive_message(self, QueueUrl: str, **asked: Any) -> dict[str, Any]:  # noqa: N803
        return self.queues[QueueUrl].receive(asked["MaxNumberOfMessages"])

    def change_message_visibility(
        self,
        QueueUrl: str,  # noqa: N803
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
    ) -> None:
        assert VisibilityTimeout == 0
        self.queues[QueueUrl].hidden.remove(ReceiptHandle)

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        self.queues[QueueUrl].hidden.remove(ReceiptHandle)
        del self.queues[QueueUrl].messages[ReceiptHandle]

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self.queues[QueueUrl].add(MessageBody)

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
        if FunctionName in self.readers:
            self.brought.append(event)
            said = self.readers[FunctionName]
            return {"Payload": io.BytesIO(json.dumps(said).encode())}
        self.asked.append(event)
        answer = handle(event, lambda: self.decisions, trust_authorizer=False)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def ask(self) -> None:
        """The workflow that was started last writes its request."""
        request = parse_document(self.started[-1])
        staged: dict[str, Any] = {}
        for stage in request.stages[:1]:
            staged = {"approvers": stage.approvers, "policy": Policy(quorum=stage.quorum)}
        opening = any_opening(
            approval_id=derive_approval_id(self.executions[-1], "document"),
            request=request,
            now=self.decisions.clock.now(),
            **staged,
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
