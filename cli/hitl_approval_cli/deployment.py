"""A deployed stack as the CLI sees it: found by its outputs, spoken to through its functions."""

from __future__ import annotations

import json
import os
import shlex
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url

from hitl_approval.contract import DEFAULT_STACK_NAME, DOCUMENT_APPROVAL, Output
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.command_line import reference
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.text import shown
from hitl_approval_cli import output
from hitl_approval_cli.aws_errors import AWS_ERRORS, as_cli_error
from hitl_approval_cli.errors import (
    CliError,
    TransientError,
    refused_field,
    usage,
)
from hitl_approval_cli.page_api import DECISIONS, call_page
from hitl_approval_cli.sessions import Session, find_session
from hitl_approval_cli.stack_outputs import deployments_in, nested_in

PAGE = 100
"""Most approvals of one page of a list."""

_OK, _UNAUTHORIZED, _SERVERS_FAULT = 200, 401, 500
"""HTTP statuses: of a good answer, of a sign-in that is none, the first of a server's fault."""

SIGNED_OUT = "SIGNED_OUT"
"""Code of the error where a sign-in is needed and there is none any more."""

VARIABLES: Final[Mapping[str, Sequence[str]]] = {
    "stack": ("HITL_STACK", "STACK_NAME"),
    "region": ("HITL_REGION",),
    "profile": ("HITL_PROFILE",),
    "endpoint_url": ("HITL_ENDPOINT_URL",),
}
"""What says which deployment, and the environment's variables that say it too; an option wins."""


@dataclass(frozen=True)
class Deployment:
    """One deployment.

    Attributes:
        stack: the stack's name or ARN; of several deployments in one stack `Stack/Deployment`.
        region, profile, endpoint_url: as boto3 takes them; None for its own defaults.
        verbose: whether each call of AWS is named on stderr.
    """

    stack: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    verbose: bool = False

    def command(self, *words: str) -> str:
        """A command of `hitl` about this deployment, as it can be typed where it is printed.

        What a command without options would take there is not repeated.
        """
        return shlex.join(["hitl", *words, *self._options(_taken_without_options())])

    def aws_command(self, *words: str) -> str:
        """A command of the AWS CLI in this deployment's account and region, as it can be typed."""
        return shlex.join(["aws", *words, *self._options({"stack": self.stack})])

    def _options(self, without: Mapping[str, str | None]) -> list[str]:
        return [
            word
            for name in VARIABLES
            if (value := getattr(self, name)) is not None and value != without.get(name)
            for word in (f"--{name.replace('_', '-')}", value)
        ]

    def submit(self, event: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
        """Start the packaged workflow; its approval's id is derived, so it is known at once.

        Args:
            event: of the workflow.
            name: of the execution, which sent again is the same one: its fields are then sorted,
                since Lambda compares bytes. Default: a new one, which keeps their order.
        """
        with self.errors():
            answer = self.client("lambda").invoke(
                FunctionName=self._output(Output.WORKFLOW_FUNCTION_ARN),
                InvocationType="Event",
                DurableExecutionName=name or f"hitl-{uuid.uuid4().hex}",
                Payload=json.dumps(event, sort_keys=name is not None).encode(),
            )
            arn = answer["DurableExecutionArn"]
        return {
            "approval_id": derive_approval_id(arn, DOCUMENT_APPROVAL),
            "execution_arn": arn,
        }

    def call(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Send one action to the approval function, or as who is signed in to the page's API.

        Raises:
            CliError: it was refused, with a code, or not reached.
        """
        if payload["action"] in DECISIONS and "approver" not in payload:
            return self._call_signed_in(payload)
        with self.errors():
            answer = self.client("lambda").invoke(
                FunctionName=self._output(Output.APPROVAL_API_FUNCTION_NAME),
                Payload=json.dumps(payload).encode(),
            )
            reply = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or not isinstance(reply, dict) or "statusCode" not in reply:
            msg = "the approval function failed: its log has the details"
            raise TransientError(msg, code="FUNCTION_ERROR")
        body: dict[str, Any] = json.loads(reply["body"])
        if reply["statusCode"] != _OK:
            raise _refusal(reply["statusCode"], **body["error"])
        return body

    @cached_property
    def session(self) -> Session | None:
        """The sign-in of `hitl login`, ended or not."""
        return find_session(self.find_output(Output.PAGE_URL))

    def _call_signed_in(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        session = self.session
        if session is None or session.has_ended:
            ended = "your sign-in has ended" if session else "nobody is signed in"
            msg = f"{ended}: run {self.command('login')}, or say who you are with --as"
            raise CliError(msg, code=SIGNED_OUT)
        status, body = call_page(session, payload)
        if status == _OK:
            return body
        if status == _UNAUTHORIZED or "error" not in body:
            msg = f"the page's API does not take your sign-in ({status}): run "
            msg += f"{self.command('login')} again"
            raise CliError(msg, code=SIGNED_OUT)
        raise _refusal(status, **body["error"])

    def pages(self, status: str, **wanted: Any) -> Iterator[dict[str, Any]]:
        """The list of a status, page by page, as `call` answers; each is read when it is needed."""
        return self._pages({"action": "list", "status": status, "limit": PAGE, **wanted})

    def awaiting(self, approver: str) -> Iterator[dict[str, Any]]:
        """Every request that awaits this person's answer; what expires first comes first."""
        for page in self._pages({"action": "inbox", "approver": approver, "limit": PAGE}):
            yield from page["approvals"]

    def _pages(self, action: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while True:
            page = self.call(action)
            yield page
            if page["cursor"] is None:
                return
            action["cursor"] = page["cursor"]

    def outcome(self, execution_arn: str) -> dict[str, Any]:
        """The durable execution as it now is: `Status`, and `Result` or `Error` at its end."""
        with self.errors():
            answer = self.client("lambda").get_durable_execution(DurableExecutionArn=execution_arn)
        return dict(answer)

    def output(self, key: str) -> str:
        """One of the stack's outputs (`contract.Output`)."""
        with self.errors():
            return self._output(key)

    def find_output(self, key: str) -> str | None:
        """One of the stack's outputs, if it has it."""
        with self.errors():
            return self._outputs.get(key)

    def client(self, service: Any) -> Any:
        """A client for this deployment's account and region."""
        url = self.endpoint_url
        if url is not None and not (is_valid_endpoint_url(url) or is_valid_ipv6_endpoint_url(url)):
            like = "must be a URL like http://localhost:4566"
            raise usage(f"--endpoint-url: {like}, got {shown(url)}")
        with self.errors():
            return self._session.client(service, endpoint_url=self.endpoint_url, config=_CONFIG)

    @property
    def region_name(self) -> str:
        """The region that is spoken to, whoever has said so."""
        with self.errors():
            return self._session.region_name or "no region"

    @property
    def stack_name(self) -> str:
        """The stack that holds the deployment: the one that was named, or one nested in it."""
        return self._found[0]

    @cached_property
    def _session(self) -> boto3.Session:
        session = boto3.Session(profile_name=self.profile, region_name=self.region)
        if self.verbose:
            session.events.register("after-call", _name_call)
        return session

    @cached_property
    def _names(self) -> tuple[str, str]:
        """The stack's name, and the deployment's in it; empty where only the stack is named."""
        if self.stack.startswith("arn:"):  # has slashes of its own
            return self.stack, ""
        stack, _, deployment = self.stack.partition("/")
        return stack, deployment

    @cached_property
    def _outputs(self) -> Mapping[str, str]:
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[str, Mapping[str, str]]:
        """The stack that holds the deployment, and the deployment's outputs."""
        stack, name = self._names
        formation = self.client("cloudformation")
        [described] = formation.describe_stacks(StackName=stack)["Stacks"]
        stack = described["StackName"]
        found = {known: (stack, each) for known, each in deployments_in(described).items()}
        for nested in () if found else nested_in(formation, stack):
            [described] = formation.describe_stacks(StackName=nested)["Stacks"]
            theirs = deployments_in({**described, "StackName": stack})
            if alike := found.keys() & theirs.keys():
                msg = (
                    f"two stacks nested in {stack} hold a deployment {min(alike)}: pass --stack "
                    f"with the name of the nested stack"
                )
                raise CliError(msg, code="ALIKE")
            found |= {known: (nested, each) for known, each in theirs.items()}
        wanted = reference(stack, name)
        if not name and wanted not in found and len(found) == 1:
            [wanted] = found
        if wanted in found:
            return found[wanted]
        if not found:
            msg = f"stack {stack} holds no deployment: is it a hitl-approval stack?"
            raise CliError(msg, code="NOT_A_HITL_STACK")
        ways = " or ".join(f"--stack {known}" for known in sorted(found))
        if name:
            msg = f"stack {stack} holds no deployment {name}: pass {ways}"
            raise CliError(msg, code="NO_DEPLOYMENT")
        msg = f"stack {stack} holds {len(found)} deployments: pass {ways}"
        raise CliError(msg, code="SEVERAL_DEPLOYMENTS")

    def _output(self, key: str) -> str:
        if key not in self._outputs:
            msg = f"stack {self.stack} has no output {key}: is it a hitl-approval stack?"
            raise CliError(msg, code="NOT_A_HITL_STACK")
        return self._outputs[key]

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what AWS raises inside it into one line that says what to do."""
        try:
            yield
        except AWS_ERRORS as error:
            raise as_cli_error(
                error,
                endpoint_url=self.endpoint_url,
                stack=self._names[0],
                region=lambda: self._session.region_name,
            ) from error


def _taken_without_options() -> Mapping[str, str | None]:
    """Which deployment a command speaks to that is given no option."""
    said = {
        name: next(filter(None, map(os.environ.get, variables)), None)
        for name, variables in VARIABLES.items()
    }
    return said | {"stack": said["stack"] or DEFAULT_STACK_NAME}


def _refusal(status: int, code: str, message: str, details: Mapping[str, Any]) -> CliError:
    """The approval function's refusal, as a person or a program sees it."""
    if code == InvalidRequest.code and (usage_error := refused_field(message, details)):
        return usage_error
    kind = TransientError if status >= _SERVERS_FAULT else CliError
    return kind(message, code=code, details=details)


def _name_call(model: Any, http_response: Any, **_: Any) -> None:
    """Which call was made and how it was answered; nothing of what was sent."""
    service = model.service_model.service_name
    output.plain_error(f"{service} {model.name}: {http_response.status_code}")


_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"})
