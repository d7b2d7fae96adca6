"""The local cloud is its user's alone: what a page, another user and a stranger's key get from it.

The same calls do what they say in stock ministack.
"""

from __future__ import annotations

import http.client
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from hitl_approval_cli.local import LocalCloud
from tests.local.harness import Deployed, Emulator, any_name, needs_proc

EVIL = "http://evil.example"


def call(
    emulator: Emulator, method: str, path: str, key: str | None = None, **headers: str
) -> http.client.HTTPResponse:
    """A call as no SDK makes it."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/lambda/aws4_request, "
            "SignedHeaders=host, Signature=none"
        )
    where = urlsplit(emulator.endpoint_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    connection.request(method, path, b"{}" if method in {"POST", "PUT"} else None, sent)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def bucket(cloud: Emulator, stock: Emulator) -> str:
    """What a reset would take away."""
    name = any_name("bucket")
    for emulator in (cloud, stock):
        emulator.client("s3").create_bucket(Bucket=name)
    return name


FUNCTIONS = "/2015-03-31/functions"
CALLS = [
    ("GET", FUNCTIONS, {}),
    ("GET", "/_ministack/ses/messages", {}),
    ("GET", "/_ministack/sqs/messages", {}),
    ("GET", "/_ministack/health", {}),
    ("POST", "/_ministack/config", {}),
    ("POST", "/", {"X_Amz_Target": "DynamoDB_20120810.ListTables"}),
    ("GET", "/?Action=ListTopics", {}),
    ("POST", "/_ministack/reset", {}),
]


@pytest.mark.parametrize(("method", "path", "headers"), CALLS, ids=str)
def test_should_demand_the_key_of_every_call(
    cloud: Emulator, method: str, path: str, headers: dict[str, str]
) -> None:
    for key in (None, "", "test", "000000000000", cloud.key.lower(), cloud.key[:-1]):
        assert call(cloud, method, path, key, **headers).status == 403, key


@pytest.mark.parametrize(
    "host", [None, "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[", "::1"]
)
def test_should_answer_to_no_name_that_a_stranger_can_point_here(
    cloud: Emulator, host: str | None
) -> None:
    port = urlsplit(cloud.endpoint_url).port
    named = f"{host}:{port}" if host else ""
    assert call(cloud, "GET", FUNCTIONS, cloud.key, Host=named).status == 403
    for own in ("127.0.0.1", f"localhost:{port}", f"bucket.s3.localhost:{port}"):
        assert call(cloud, "GET", FUNCTIONS, cloud.key, Host=own).status != 403


def test_should_answer_no_page_of_another_origin_even_with_the_key(cloud: Emulator) -> None:
    port = urlsplit(cloud.endpoint_url).port or 0
    own = f"http://127.0.0.1:{port}"
    for origin in (EVIL, "null", f"http://127.0.0.1:{port + 1}", f"https://127.0.0.1:{port}"):
        assert call(cloud, "GET", FUNCTIONS, cloud.key, Origin=origin).status == 403, origin
        asked = call(
            cloud, "OPTIONS", FUNCTIONS, Origin=origin, Access_Control_Request_Method="POST"
        )
        assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (403, None)
    assert call(cloud, "GET", FUNCTIONS, cloud.key, Origin=own).status == 200


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/reset?init=1"])
def test_should_be_reset_by_its_user_only(
    stock: Emulator, cloud: Emulator, bucket: str, path: str
) -> None:
    """At an API's name, too, where anybody may call; upstream reads the path first."""
    for host in ("127.0.0.1", "abcdef12.execute-api.localhost"):
        call(cloud, "POST", path, Host=host)
    cloud.client("s3").head_bucket(Bucket=bucket)
    api = f"abcdef12.execute-api.localhost:{urlsplit(stock.endpoint_url).port}"
    assert call(stock, "POST", path, Host=api).status == 200


@pytest.fixture(scope="module")
def plain(cloud: Emulator) -> Deployed:
    return cloud.deploy("plain.handler")


@pytest.mark.parametrize("kind", ["NONE", "AWS_IAM"])
def test_should_let_strangers_call_what_a_deployment_publishes(
    cloud: Emulator, plain: Deployed, kind: str
) -> None:
    lambda_ = plain.lambda_
    qualifier = {"FunctionName": plain.name, "Qualifier": "live"}
    url = lambda_.create_function_url_config(**qualifier, AuthType=kind)["FunctionUrl"]
    host = urlsplit(url).netloc
    try:
        strangers = call(cloud, "GET", "/", Host=host, Origin=EVIL).status
        assert (strangers == 403) is (kind == "AWS_IAM")
        assert call(cloud, "GET", "/", cloud.key, Host=host).status != 403
        assert call(cloud, "GET", "/", Host="evil.lambda-url.us-east-1.evil.example").status == 403
    finally:
        lambda_.delete_function_url_config(**qualifier)


def test_should_let_functions_call_it_with_a_key_of_their_roles(
    cloud: Emulator, plain: Deployed
) -> None:
    seen = plain.invoke({})["Payload"]["environment"]["AWS_ACCESS_KEY_ID"]
    assert seen != cloud.key
    assert call(cloud, "GET", FUNCTIONS, seen).status == 200
    assert call(cloud, "GET", FUNCTIONS, seen[:-1]).status == 403
    again = plain.invoke({})["Payload"]["environment"]["AWS_ACCESS_KEY_ID"]
    assert again == seen
    other = cloud.deploy("plain.handler").invoke({})["Payload"]["environment"]["AWS_ACCESS_KEY_ID"]
    assert other != seen


def test_should_take_the_keys_that_it_lends(cloud: Emulator) -> None:
    lent = cloud.client("sts").assume_role(
        RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="any"
    )["Credentials"]["AccessKeyId"]
    assert call(cloud, "GET", FUNCTIONS, lent).status == 200
    assert call(cloud, "GET", FUNCTIONS, lent[:-1]).status == 403


def test_should_take_unsigned_what_aws_takes_unsigned(cloud: Emulator) -> None:
    make: Any = boto3.client
    people = make(
        "cognito-idp",
        endpoint_url=cloud.endpoint_url,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError) as known:
        people.initiate_auth(ClientId="nobody", AuthFlow="USER_PASSWORD_AUTH", AuthParameters={})
    assert known.value.response["Error"]["Code"] != "UnknownKey"
    with pytest.raises(ClientError) as refused:
        people.list_user_pools(MaxResults=1)
    assert refused.value.response["Error"]["Code"] == "UnknownKey"


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("lambda", "list_functions"),
        ("dynamodb", "list_tables"),
        ("s3", "list_buckets"),
        ("sts", "get_caller_identity"),
        ("cloudformation", "describe_stacks"),
        ("sns", "list_topics"),
        ("cloudwatch", "describe_alarms"),
        ("logs", "describe_log_groups"),
    ],
)
def test_should_say_to_every_client_how_to_get_the_key(
    cloud: Emulator, service: str, operation: str
) -> None:
    stranger = Emulator(cloud.endpoint_url, cloud.pid, "another")
    with pytest.raises(ClientError) as refused:
        getattr(stranger.client(service), operation)()
    error = refused.value.response["Error"]
    assert error["Code"] == "UnknownKey"
    assert "hitl local env" in error["Message"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """What every user may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


READ = """
import encodings.idna, http.client, os, pathlib, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
port, pid, *files = sys.argv[1:]
for file in [*files, f"/proc/{pid}/environ", f"/proc/{pid}/mem"]:
    try:
        with open(file, "rb") as opened:
            opened.read(1)
        print("read", file)
    except OSError:
        pass
print("LOCAL" in pathlib.Path(f"/proc/{pid}/cmdline").read_text())
connection = http.client.HTTPConnection("127.0.0.1", int(port))
connection.request("POST", "/_ministack/reset")
print(connection.getresponse().status)
"""


@needs_proc
def test_should_be_closed_to_another_user_of_the_machine(
    open_folder: Path,
) -> None:
    before = os.umask(0o022)
    try:
        state, log = open_folder / "state", open_folder / "cloud.log"
        with LocalCloud.start(state_dir=state, log_file=log) as cloud:
            files = [path for path in (log, *state.rglob("*")) if path.is_file()]
            assert {path.name for path in files} >= {"cloud.json", "executions.db", "cloud.log"}
            assert stat.S_IMODE(state.stat().st_mode) == 0o700
            for file in files:
                assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
            assert cloud.access_key not in log.read_text()
            assert cloud.access_key not in repr(cloud)
            if os.geteuid() == 0:  # only root can be somebody else
                port = str(urlsplit(cloud.endpoint_url).port)
                seen = subprocess.run(
                    [sys.executable, "-c", READ, port, str(cloud.pid), *map(str, files)],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                assert seen.stdout.split() == ["False", "403"]
            assert json.loads((state / "cloud.json").read_text())["key"] == cloud.access_key
    finally:
        os.umask(before)
