"""What a call to AWS asks of IAM: actions, the resource of each, and what conditions may name.

Most of it the emulator knows (`ministack.core.iam_actions`, made for a mode of its own that holds
the whole cloud to IAM). Here is what it does not know: durable executions, qualifiers of functions,
who a mail is from, whose task a token is of, and the keys that a service uses for its caller.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from aws_durable_execution_sdk_python_testing.token import CallbackToken
from ministack import app
from ministack.core import iam_actions
from ministack.core.router import detect_service
from ministack.services import dynamodb, lambda_svc, sns, sqs

Context = Mapping[str, Any]

_INVOKE = re.compile(r"/2015-03-31/functions/(?P<name>.+)/invocations/?")
_DURABLE = re.compile(
    r"/2025-12-01/(?P<kind>durable-executions|durable-execution-callbacks)/(?P<target>.+?)"
    r"(/(?P<verb>checkpoint|state|history|stop|succeed|fail|heartbeat))?/?"
)
_DURABLE_ACTIONS: Final = {
    ("durable-executions", "checkpoint"): "lambda:CheckpointDurableExecution",
    ("durable-executions", "state"): "lambda:GetDurableExecutionState",
    ("durable-executions", "history"): "lambda:GetDurableExecutionHistory",
    ("durable-executions", "stop"): "lambda:StopDurableExecution",
    ("durable-executions", None): "lambda:GetDurableExecution",
    ("durable-execution-callbacks", "succeed"): "lambda:SendDurableExecutionCallbackSuccess",
    ("durable-execution-callbacks", "fail"): "lambda:SendDurableExecutionCallbackFailure",
    ("durable-execution-callbacks", "heartbeat"): "lambda:SendDurableExecutionCallbackHeartbeat",
}
_BY_FUNCTION = re.compile(r"/2025-12-01/functions/(?P<name>.+)/durable-executions/?")
_MAILS: Final = "/v2/email/outbound-emails"
_READS: Final = frozenset({"BatchGetItem", "ConditionCheckItem", "GetItem", "Query", "Scan"})


class Demand(NamedTuple):
    """What must be allowed.

    Attributes:
        action: as policies name it.
        resource: its ARN; `*` where the action has none, or none is known.
        context: values of the condition keys that the call itself decides.
    """

    action: str
    resource: str
    context: Context = MappingProxyType({})


@dataclass(frozen=True)
class Call:
    """A request to AWS, as the emulator gets it: the path is decoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: bytes

    @property
    def service(self) -> str:
        """The emulator's name of the service that is called."""
        return str(detect_service(self.method, self.path, dict(self.headers), self._parameters))

    @property
    def _parameters(self) -> dict[str, Any]:
        query = dict(self.query)
        found = app._routing_params(self.method, self.path, dict(self.headers), self.body, query)
        return dict(found)

    def demands(self, account: str, region: str) -> list[Demand]:
        """What the call asks of IAM; nothing where that is not known."""
        found = self._of_lambda(account, region)
        if found is None:
            found = self._of_ses(account, region)
        if found is None:
            found = list(self._known(account, region))
        return [each for one in found for each in with_keys(one, region)]

    def _of_lambda(self, account: str, region: str) -> list[Demand] | None:
        if invoked := _INVOKE.fullmatch(self.path):
            name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(
                unquote(invoked["name"])
            )
            qualifier = qualifier or _first(self.query, "Qualifier")
            arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
            return [Demand("lambda:InvokeFunction", f"{arn}:{qualifier}" if qualifier else arn)]
        if listed := _BY_FUNCTION.fullmatch(self.path):
            name, _ = lambda_svc._resolve_request_scoped_name_and_qualifier(unquote(listed["name"]))
            arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
            return [Demand("lambda:ListDurableExecutionsByFunction", arn)]
        if durable := _DURABLE.fullmatch(self.path):
            action = _DURABLE_ACTIONS.get((durable["kind"], durable["verb"]))
            target = unquote(durable["target"])
            if durable["kind"] == "durable-execution-callbacks":
                try:
                    target = CallbackToken.from_str(target).execution_arn
                except (ValueError, KeyError, TypeError):
                    return []  # nobody's: the answer is that there is none
            return [Demand(action, target)] if action else []
        return None

    def _of_ses(self, account: str, region: str) -> list[Demand] | None:
        """Sending a mail: of the identity that it is from, and with a configuration set.

        A raw mail is held to `ses:SendRawEmail`, though the operation is SES v2's SendEmail.
        """
        if (self.method, self.path) != ("POST", _MAILS):
            return None
        mail = _json(self.body)
        action = "ses:SendRawEmail" if "Raw" in mail.get("Content", {}) else "ses:SendEmail"
        sender = parseaddr(str(mail.get("FromEmailAddress", "")))[1]
        context = {"ses:FromAddress": sender}
        arn = f"arn:aws:ses:{region}:{account}"
        demands = [Demand(action, f"{arn}:identity/{_identity(sender)}", context)]
        if name := mail.get("ConfigurationSetName"):
            demands.append(Demand(action, f"{arn}:configuration-set/{name}", context))
        return demands

    def _known(self, account: str, region: str) -> Iterator[Demand]:
        """What the emulator itself finds."""
        service, headers, parameters = self.service, dict(self.headers), self._parameters
        where = service, self.method, self.path, headers, self.body, parameters
        action = iam_actions.extract_iam_action(*where)
        if action is None:
            return
        resource = iam_actions.extract_resource_arn(*where, region, account)
        context = iam_actions.request_tag_context(service, action, self.body, parameters)
        if service == "dynamodb":
            context |= iam_actions.dynamodb_service_context(self.body)
            parts = iam_actions.dynamodb_transaction_checks(action, self.body, region, account)
            tables = iam_actions.dynamodb_resource_arns(self.body, region, account)
            for single, table in parts or [(action, each) for each in tables or [resource]]:
                yield Demand(single, table, context)
        elif service == "events":
            buses = iam_actions.eventbridge_resource_arns(self.body, region, account)
            for bus in buses or [resource]:
                yield Demand(action, bus, context)
        elif service == "s3":
            context |= iam_actions.s3_service_context(action, parameters, self.path, headers)
            yield Demand(action, resource, context)
            more = iam_actions.s3_additional_checks(
                self.method, self.path, headers, self.body, parameters
            )
            for single, each in more:
                yield Demand(single, each)
        elif service == "states" and "taskToken" in (task := _json(self.body)):
            if machine := _machines.get(str(task["taskToken"])):
                yield Demand(action, machine, context)
        elif service == "kms":
            yield Demand(action, _key(resource) or resource, context)
        else:
            yield Demand(action, resource, context)


def _identity(sender: str) -> str:
    """The verified identity of an address: itself, or its domain."""
    from ministack.services import ses_v2  # as KMS and Step Functions: loaded when first called

    return sender if ses_v2._identities.get(sender) else sender.rpartition("@")[2]


def _key(named: str) -> str | None:
    """The ARN of a key by its id, its alias or an ARN; None for one that is not a customer's."""
    from ministack.services import kms

    key = kms._resolve_key(named)
    return None if key is None or key.get("KeyManager") == "AWS" else str(key["Arn"])


def with_keys(demand: Demand, region: str) -> list[Demand]:
    """A demand, and what its service does for its caller with the customer's key of the resource.

    DynamoDB decrypts the table's own key for whoever reads. Who publishes to a topic or sends to a
    queue needs a data key of theirs.
    """
    service, _, operation = demand.action.partition(":")
    actions: tuple[str, ...] = _SENDING
    if service == "dynamodb" and operation in _READS:
        table = dynamodb._tables.get(demand.resource.partition(":table/")[2].partition("/")[0])
        described = (table or {}).get("SSEDescription") or {}
        named, actions = described.get("KMSMasterKeyArn"), ("kms:Decrypt",)
    elif (service, operation) == ("sns", "Publish"):
        topic = sns._topic_by_arn_any_scope(demand.resource)
        named = (topic or {}).get("attributes", {}).get("KmsMasterKeyId")
    elif (service, operation) == ("sqs", "SendMessage"):
        queue = sqs._queue_by_arn(demand.resource)
        named = (queue or {}).get("attributes", {}).get("KmsMasterKeyId")
    else:
        return [demand]
    key = _key(str(named)) if named else None
    context = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
    return [demand, *(Demand(action, key, context) for action in actions if key)]


_SENDING: Final = ("kms:Decrypt", "kms:GenerateDataKey")

_machines: dict[str, str] = {}
"""State machines by the tokens of their tasks that wait."""
_execution = threading.local()


def know_whose_a_task_is() -> None:
    """Remember of each task that waits for its token in which state machine it does.

    Upstream forgets it. AWS holds who answers to a right on that state machine.
    """
    from ministack.services import stepfunctions

    stock_task, stock_wait = stepfunctions._execute_task, stepfunctions._invoke_with_callback

    def execute(state: Any, given: Any, execution: Mapping[str, Any], *rest: Any) -> Any:
        _execution.machine = execution.get("stateMachineArn", "*")
        return stock_task(state, given, execution, *rest)

    def wait(resource: str, given: Any, token: str, state: Any) -> Any:
        _machines[token] = getattr(_execution, "machine", "*")
        try:
            return stock_wait(resource, given, token, state)
        finally:
            _machines.pop(token, None)

    stepfunctions._execute_task, stepfunctions._invoke_with_callback = execute, wait


def service_of(arn: str) -> str:
    """The service that an ARN is of; empty where it is no ARN."""
    return ([*arn.split(":"), "", ""])[2]


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _first(query: Mapping[str, list[str]], name: str) -> str | None:
    return next(iter(query.get(name, ())), None) or None
