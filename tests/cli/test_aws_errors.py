"""Real clients whose requests end here: whatever AWS answers, or does not, is one line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session

from hitl_approval_cli import main

from .fake_cloud import OUTPUTS

Answer = Callable[[Any], AWSResponse]
COMMANDS = [
    ["list"],
    ["inbox", "--mine"],
    ["show", "abc"],
    ["history", "abc"],
    ["approve", "abc", "--yes"],
    ["submit", "--subject", "Q4"],
    ["resume", "abc"],
    ["stats"],
    ["audit", "verify", "--all"],
    ["audit", "export"],
]


class Body:
    """What a response is read from."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> list[bytes]:
        return [self.content]

    def read(self, *_: Any) -> bytes:
        content, self.content = self.content, b""
        return content


def answered(status: int, content: str, **headers: str) -> Answer:
    return lambda request: AWSResponse(
        request.url, status, HTTPHeaders.from_dict(headers), Body(content.encode())
    )


def error(status: int, code: str, message: str = "no") -> Answer:
    """In each protocol's own form: XML of CloudFormation, JSON of the others."""

    def answer(request: Any) -> AWSResponse:
        if "cloudformation" in request.url:
            xml = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return answered(status, f"<ErrorResponse>{xml}</ErrorResponse>")(request)
        content = json.dumps({"__type": code, "Message": message})
        return answered(status, content, **{"x-amzn-errortype": code})(request)

    return answer


def stack(request: Any) -> AWSResponse:
    """CloudFormation knows the stack."""
    outputs = {**OUTPUTS, "SnsTopicArn": "topic", "WorkflowVersion": "1"}
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in outputs.items()
    )
    found = f"<StackName>hitl-approval</StackName><Outputs>{members}</Outputs>"
    xml = f"<Stacks><member>{found}</member></Stacks>"
    result = f"<DescribeStacksResult>{xml}</DescribeStacksResult>"
    return answered(200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>")(request)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What answers, `then` once the stack is found; nobody waits between tries."""
    monkeypatch.setenv("HITL_USER", "bob")
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def answer(first: Answer, then: Answer | None = None) -> None:
        def send(_: URLLib3Session, request: Any) -> AWSResponse:
            return (then if then and "cloudformation" not in request.url else first)(request)

        monkeypatch.setattr(URLLib3Session, "send", send)

    return answer


def fails(make: Callable[[str], Exception]) -> Answer:
    def answer(request: Any) -> AWSResponse:
        raise make(request.url)

    return answer


def the_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    assert main.run(words) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return line


EXPIRED = "hitl: the AWS credentials have expired: sign in again (EXPIRED)"
THROTTLED = "hitl: AWS does not take "
REFUSED = "hitl: AWS refused "
NOT_AWS = "hitl: what is between here and AWS does not answer as AWS does: check the network"
PORTAL = answered(200, "<html>sign in to the hotel's network</html>")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (error(403, "ExpiredToken"), EXPIRED),
        (error(400, "Throttling"), THROTTLED),
        (error(403, "AccessDenied"), REFUSED),
        (
            error(400, "ValidationError", "Stack with id hitl-approval does not exist"),
            "hitl: no stack hitl-approval in us-east-1: pass --stack or set HITL_STACK, check",
        ),
        (
            fails(lambda url: EndpointConnectionError(endpoint_url=url)),
            "hitl: AWS cannot be reached: check the network, --region and --endpoint-url",
        ),
        (
            fails(lambda url: SSLError(endpoint_url=url, error=OSError("certificate"))),
            "hitl: AWS cannot be reached: check the network, --region and --endpoint-url",
        ),
        (error(403, "InvalidClientTokenId"), "hitl: AWS does not know these credentials: sign in"),
        (PORTAL, NOT_AWS),
    ],
    ids=[
        *("expired", "throttled", "refused", "no stack", "no network", "no trust", "not known"),
        "a portal",
    ],
)
def test_should_say_in_one_line_why_there_is_no_stack(
    aws: Any, capsys: pytest.CaptureFixture[str], words: list[str], answer: Answer, line: str
) -> None:
    aws(answer)
    assert the_line(capsys, words).startswith(line)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (error(403, "ExpiredTokenException"), EXPIRED),
        (error(429, "ThrottlingException"), THROTTLED),
        (error(403, "AccessDeniedException"), REFUSED),
        (
            fails(lambda url: ConnectTimeoutError(endpoint_url=url)),
            "hitl: AWS cannot be reached: check the network, --region and --endpoint-url",
        ),
        (
            fails(lambda url: ReadTimeoutError(endpoint_url=url)),
            "hitl: AWS cannot be reached: check the network, --region and --endpoint-url",
        ),
        (PORTAL, NOT_AWS),
        (answered(502, "<html>bad gateway</html>"), "hitl: "),
    ],
    ids=["expired", "throttled", "refused", "no network", "slow", "a portal", "a gateway"],
)
def test_should_say_in_one_line_what_happened_behind_the_stack(
    aws: Any, capsys: pytest.CaptureFixture[str], words: list[str], answer: Answer, line: str
) -> None:
    aws(stack, answer)
    assert the_line(capsys, words).startswith(line)


@pytest.mark.parametrize(
    "answer",
    [
        error(429, "ThrottlingException"),
        error(400, "ProvisionedThroughputExceededException"),
        error(500, "InternalServerError"),
        fails(lambda url: ReadTimeoutError(endpoint_url=url)),
        PORTAL,
    ],
    ids=["throttled", "too much", "AWS's fault", "slow", "a portal"],
)
def test_should_go_on_checking_when_a_check_fails(
    aws: Any, capsys: pytest.CaptureFixture[str], answer: Answer
) -> None:
    identity = "<GetCallerIdentityResult><Arn>arn:ann</Arn></GetCallerIdentityResult>"
    known = answered(200, f"<GetCallerIdentityResponse>{identity}</GetCallerIdentityResponse>")
    aws(stack, lambda request: (known if "sts." in request.url else answer)(request))
    assert main.run(["doctor", "--json"]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    states = {check["name"]: check["state"] for check in json.loads(printed.out)["checks"]}
    needs_none_of_it = {"version", "credentials", "stack", "deployed version"}
    not_deployed = {"personal addresses", "mail", "page", "archive"}
    fine = {name for name, state in states.items() if state == "ok"}
    assert fine == needs_none_of_it | not_deployed
    assert {states[name] for name in states.keys() - fine} == {"wrong"}


def test_should_not_call_a_stack_healthy_that_is_not_there(
    aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = error(400, "ValidationError", "Stack with id refused-x does not exist")
    identity = "<GetCallerIdentityResult><Arn>arn:ann</Arn></GetCallerIdentityResult>"
    known = answered(200, f"<GetCallerIdentityResponse>{identity}</GetCallerIdentityResponse>")
    aws(lambda request: (known if "sts." in request.url else missing)(request))
    assert main.run(["doctor", "--stack", "refused-x", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["healthy"] is False
    assert [check["state"] for check in answer["checks"]] == ["ok", "ok", "wrong"]


def test_should_name_the_right_that_is_missing(
    aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    who = "User: arn:aws:iam::123456789012:user/ann"
    what = "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:f"
    message = f"{who} is not authorized to perform: {what} because no policy allows it"
    aws(stack, error(403, "AccessDeniedException", message))
    assert the_line(capsys, ["list"]) == (
        "hitl: AWS refused Invoke: the credentials lack the right lambda:InvokeFunction"
        " (AccessDeniedException)"
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--region", "us-esat-1"], "hitl: no stack hitl-approval in us-esat-1: pass --stack or"),
        (["--region", "not a region"], "hitl: Provided region_name 'not a region' doesn't match"),
        (["--profile", "nobody"], "hitl: The config profile (nobody) could not be found: pass an"),
    ],
    ids=str,
)
def test_should_say_what_is_wrong_with_where_it_searches(
    aws: Any, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    aws(error(400, "ValidationError", "Stack with id hitl-approval does not exist"))
    assert the_line(capsys, ["list", *words]).startswith(line)


def test_should_say_that_there_is_no_region_and_no_credentials(
    aws: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws(stack)
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    line = "hitl: no AWS region: pass --region or set AWS_REGION (NO_REGION)"
    assert the_line(capsys, ["list"]) == line
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    line = "hitl: no AWS credentials: run `aws configure` or set AWS_PROFILE (NO_CREDENTIALS)"
    assert the_line(capsys, ["list", "--region", "us-east-1"]) == line


def test_should_say_that_the_single_sign_on_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile work]\nregion = us-east-1\nsso_session = us\nsso_account_id = 123456789012\n"
        "sso_role_name = admin\n[sso-session us]\nsso_region = us-east-1\n"
        "sso_start_url = https://example.com/start\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    # A process of its own: what botocore logs itself must not be seen, either.
    line = "hitl: the AWS credentials have expired: run `aws sso login` (EXPIRED)\n"
    done = subprocess.run(
        [Path(sys.executable).parent / "hitl", "list", "--profile", "work"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
