"""Each function's calls, held to what its role may do, as AWS holds them.

A function's process gets an access key of its role's. What it calls is held against the role's
policies, its boundary and the policy of what is called, by the emulator's own evaluation; what is
not allowed is answered with AccessDenied. The same for what Lambda does under a function's role:
writing its log, reading what it is fed from, and sending what it failed at to a dead-letter queue.

Which grants were used is kept, and what was refused: `GET /_hitl/permissions` answers both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.iam_evaluator import EvalContext, EvalResult, ParsedStatement
from ministack.core.responses import fix_error_content_type, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import iam, lambda_svc, sts

from hitl_approval_cli.local.calls import Call, Demand, service_of, with_keys
from hitl_approval_cli.local.functions import Function

Answer = tuple[int, dict[str, str], bytes]
Policies = list[list[ParsedStatement]]

MANAGED: Final = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicDurableExecutionRolePolicy": {
        "Statement": {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "lambda:CheckpointDurableExecution",
                "lambda:GetDurableExecutionState",
            ],
            "Resource": "*",  # AWS's own policy, as AWS has it
        }
    }
}
"""AWS's own policies that roles of functions have and the emulator has not."""
FEEDS: Final = {
    "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
    "sqs": ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage"),
}
"""What Lambda does under a function's role with what it feeds the function from."""
SENDS: Final = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}
"""What it does with where it sends what the function failed at."""
FEED_SECONDS = 1.0
"""How long it goes by what it was last allowed, between two reads of a queue or a stream."""
MAX_REFUSED = 1000
"""How many different refusals are kept."""


class Grant(NamedTuple):
    """One action, as a policy writes it, on one resource, as it writes that."""

    role: str
    action: str
    resource: str


@dataclass(frozen=True)
class Role:
    """Whose a function's process is.

    Attributes:
        account: twelve digits.
        region: the function's.
        name: the role's.
        function: the function's name, which is the session's.
    """

    account: str
    region: str
    name: str
    function: str

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Role:
        """The role of a function, by the function's configuration."""
        _, _, _, region, account, *_ = config["FunctionArn"].split(":")
        role = str(config.get("Role", "")).rpartition("/")[2]
        return cls(account, region, role, config["FunctionName"])

    @property
    def session(self) -> str:
        """Who calls, as AWS names them."""
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{self.function}"


class Permissions:
    """Holds functions to their roles, and remembers what they did."""

    def __init__(self, secret: str) -> None:
        """Draw keys from this secret: that of the cloud."""
        self._secret = secret.encode()
        self._roles: dict[str, Role] = {}
        self._used: Counter[Grant] = Counter()
        self._refused: Counter[Grant] = Counter()
        self._lock = threading.Lock()
        self._fed: dict[str, tuple[float, bool]] = {}

    def key(self, config: Mapping[str, Any]) -> str:
        """The access key id of a function's processes."""
        role = Role.of(config)
        named = f"{config['FunctionArn']} {role.name}".encode()
        digest = hmac.new(self._secret, named, hashlib.sha256).hexdigest()
        key = f"LOCAL{digest[:32].upper()}"
        if key not in self._roles:
            session = {"Arn": role.session, "UserId": f"{role.name}:{role.function}"}
            sts.register_session(key, session | {"SecretAccessKey": "test", "SessionToken": ""})
            self._roles[key] = role
        return key

    async def refuse(self, scope: Mapping[str, Any], receive: Any, send: Any) -> Any:
        """Answer a function's call that its role may not make.

        Args:
            scope: ASGI's.
            receive: ASGI's.
            send: ASGI's.

        Returns:
            What stands for `receive` from here on; None where the call is answered.
        """
        headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in scope["headers"]}
        role = self._roles.get(extract_access_key_id(headers))
        if role is None or scope["type"] != "http":
            return receive
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        query = parse_qs(scope["query_string"].decode(errors="replace"), keep_blank_values=True)
        call = Call(scope["method"], scope["path"], headers, query, body)
        answer = self.answer(role, call)
        if answer is not None:
            status, answered, written = answer
            named = [(name.encode(), value.encode()) for name, value in answered.items()]
            await send({"type": "http.response.start", "status": status, "headers": named})
            await send({"type": "http.response.body", "body": written})
            return None
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Any:
            return next(given, None) or await receive()

        return again

    def answer(self, role: Role, call: Call) -> Answer | None:
        """AWS's answer to a call that the role may not make; None to one that it may."""
        with request_scope(role.account, role.region):
            for demand in call.demands(role.account, role.region):
                result = self._held(role, demand)
                if result is not None:
                    return _denied(call, demand, result)
        return None

    def allow(self, config: Mapping[str, Any], *demands: Demand) -> bool:
        """Whether Lambda may do all of this under the role of a function."""
        role = Role.of(config)
        with request_scope(role.account, role.region):
            all_of_them = [each for one in demands for each in with_keys(one, role.region)]
            refused = [each for each in all_of_them if self._held(role, each)]
        return not refused

    def may_send(self, config: Mapping[str, Any], target: str) -> bool:
        """Whether Lambda may send there what a function failed at."""
        action = SENDS.get(service_of(target))
        return action is None or self.allow(config, Demand(action, target))

    def held(self, dead_letter: Callable[..., None]) -> Callable[..., None]:
        """What sends durable executions that failed to a queue, where the function's role may."""

        def send(function: Function, *failed: Any) -> None:
            with request_scope(function.account, function.region):
                _, config = lambda_svc._get_func_record_for_qualifier(
                    function.name, function.version
                )
            if config is None or self.may_send(config, str(function.dead_letter_arn)):
                dead_letter(function, *failed)

        return send

    def feeds(self, account: str, region: str, mapping: Mapping[str, Any]) -> bool:
        """Whether Lambda may read what a mapping feeds its function from."""
        until, allowed = self._fed.get(mapping["UUID"], (0.0, False))
        now = time.monotonic()
        if now < until:
            return allowed
        arn = str(mapping.get("EventSourceArn", ""))
        service = service_of(arn)
        with request_scope(account, region):
            record, config = lambda_svc._get_func_record_for_qualifier(
                mapping["FunctionName"], mapping.get("Qualifier")
            )
        demands = [Demand(f"{service}:{name}", arn) for name in FEEDS.get(service, ())]
        allowed = record is None or self.allow(config, *demands)
        self._fed[mapping["UUID"]] = now + FEED_SECONDS, allowed
        return allowed

    def report(self) -> dict[str, list[dict[str, Any]]]:
        """Each grant of the roles that functions have now, how often it was used, what was refused.

        A stack that is deleted loses its policies before its functions: that is no news.
        """
        configs = [found["config"] for _, found in lambda_svc._functions.all_items()]
        roles = {Role.of(config) for config in configs}
        with self._lock:
            used = {grant: self._used[grant] for role in roles for grant in _grants(role)}
            names = {role.name for role in roles}
            refused = {grant: calls for grant, calls in self._refused.items() if grant[0] in names}
        return {"grants": _counted(used), "refused": _counted(refused)}

    def _held(self, role: Role, demand: Demand) -> EvalResult | None:
        """The refusal of what a role may not do; notes what was used or refused."""
        policies = _policies(role)
        if policies is None or demand.action in iam_evaluator._ALWAYS_ALLOWED_ACTIONS:
            return None
        limits = iam_evaluator._permissions_boundary(iam._roles, role.name, role.account)
        context = _context(role, demand)
        result = iam_evaluator.evaluate(context, policies, *limits)
        service = demand.action.partition(":")[0]
        found = iam_evaluator._resource_policy(service, demand.resource)
        if found is not None:
            required = service in iam_evaluator._POLICY_REQUIRED
            result = iam_evaluator.combine_resource_policy(
                result, context, *found, required=required, limits=limits
            )
        allowed = result.decision == "Allow"
        with self._lock:
            if allowed:
                self._used.update(_allowing(role, policies, context))
            elif len(self._refused) < MAX_REFUSED:
                self._refused[Grant(role.name, demand.action, demand.resource)] += 1
        return None if allowed else result


def hold_functions_to_their_roles(permissions: Permissions) -> None:
    """Give functions keys of their roles, and hold what Lambda does for them to the roles, too.

    Upstream gives all functions of an account one key, and its Lambda asks nobody. AWS gives them
    keys of their roles.
    """
    stock_credentials = lambda_runtime.execution_credentials
    stock_logs, stock_mappings = lambda_svc._emit_lambda_logs, lambda_svc._iter_all_esms
    stock_failure = lambda_svc._route_async_failure
    stock_record = lambda_svc._send_ddb_stream_failure_record

    def credentials(config: dict[str, Any]) -> dict[str, str]:
        return {**stock_credentials(config), "AWS_ACCESS_KEY_ID": permissions.key(config)}

    def logs(function: dict[str, Any], *rest: Any, **named: Any) -> None:
        config = function.get("config") or function
        if permissions.allow(config, *_writing_logs(config)):
            stock_logs(function, *rest, **named)

    def mappings() -> Iterator[Any]:
        return (found for found in stock_mappings() if permissions.feeds(*found))

    def failure(target: str, name: str, *rest: Any) -> None:
        function = lambda_svc._functions.get(name)
        if function is None or permissions.may_send(function["config"], target):
            stock_failure(target, name, *rest)

    def record(mapping: Any, function: dict[str, Any], *rest: Any) -> None:
        config = function.get("config") or function
        failing = (mapping.get("DestinationConfig") or {}).get("OnFailure") or {}
        if permissions.may_send(config, str(failing.get("Destination"))):
            stock_record(mapping, function, *rest)

    lambda_runtime.execution_credentials = credentials
    lambda_svc.execution_credentials = credentials
    lambda_svc._emit_lambda_logs, lambda_svc._iter_all_esms = logs, mappings
    lambda_svc._route_async_failure = failure
    lambda_svc._send_ddb_stream_failure_record = record


def _counted(found: Mapping[Grant, int]) -> list[dict[str, Any]]:
    return [{**grant._asdict(), "calls": calls} for grant, calls in sorted(found.items())]


def _writing_logs(config: Mapping[str, Any]) -> list[Demand]:
    role = Role.of(config)
    settings = config.get("LoggingConfig") or {}
    group = settings.get("LogGroup") or f"/aws/lambda/{role.function}"
    stream = f"arn:aws:logs:{role.region}:{role.account}:log-group:{group}:log-stream:any"
    return [Demand(action, stream) for action in ("logs:CreateLogStream", "logs:PutLogEvents")]


def _context(role: Role, demand: Demand) -> EvalContext:
    return EvalContext(
        principal_arn=role.session,
        principal_type="AssumedRole",
        principal_account=role.account,
        action=demand.action,
        resource_arn=demand.resource,
        region=role.region,
        secure_transport=True,  # the loopback stands for AWS's TLS
        service_context={name.lower(): value for name, value in demand.context.items()},
    )


def _policies(role: Role) -> Policies | None:
    """The policies of a role; None where it or one of them is not here, and nothing is held to it.

    The emulator has a few of AWS's own policies, and takes the names of all others.
    """
    found = iam._roles.get_scoped(role.account, None, role.name)
    if found is None:
        return None
    named = [
        MANAGED.get(arn) or iam_evaluator._resolve_managed_policy_document(arn, role.account)
        for arn in found.get("AttachedPolicies", [])
    ]
    if not all(named):
        return None
    inline = (found.get("InlinePolicies") or {}).values()
    return [iam_evaluator.parse_policy_document(each) for each in (*inline, *named)]


def _allowing(role: Role, policies: Policies, context: EvalContext) -> list[Grant]:
    """The grants of a role that allow this."""
    return [
        Grant(role.name, action, resource)
        for statements in policies
        for one in statements
        if one.effect == "Allow" and iam_evaluator._conditions_met(one.conditions, context)
        for action in one.actions
        if iam_evaluator.fnmatch_iam(context.action, action)
        for resource in one.resources
        if iam_evaluator.fnmatch_iam_cs(context.resource_arn, resource)
    ]


def _grants(role: Role) -> list[Grant]:
    return [
        Grant(role.name, action, resource)
        for statements in _policies(role) or []
        for one in statements
        if one.effect == "Allow"
        for action in one.actions
        for resource in one.resources
    ]


def _denied(call: Call, demand: Demand, result: EvalResult) -> Answer:
    """A refusal in the protocol of the service that was called, in AWS's words."""
    explicit = result.decision == "Deny"
    message = iam_actions.identity_denial_message(
        demand.action, result.principal_arn, demand.resource, explicit
    )
    service = call.service
    status, headers, body = iam_actions.access_denied_response(
        service,
        demand.action,
        result.principal_arn,
        str(uuid.uuid4()),
        message=message,
        headers=dict(call.headers),
        resource_arn=demand.resource,
        explicit_deny=explicit,
    )
    fix_error_content_type(service, status, headers)
    return status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()
