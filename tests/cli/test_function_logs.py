"""What functions have logged about an approval: which functions, which lines, and no secrets."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from hitl_approval_cdk.specifications import FUNCTIONS as SPECIFIED
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.function_logs import Line, find_groups, read_lines
from hitl_approval_cli.functions import FUNCTIONS

from .fake_cloud import FakeCloud
from .logged import FakeLogs, deploy_functions

ID = "a" * 32
PREFIX = "[WARNING]\t2026-01-02T03:04:05.000Z\t8f14e45f\t"
GROUPS = {"/aws/lambda/workflow": "Workflow"}


@pytest.fixture
def logs(cloud: FakeCloud) -> FakeLogs:
    deploy_functions(cloud)
    cloud.clients["logs"] = found = FakeLogs()
    return found


def test_should_know_every_function_that_a_deployment_has() -> None:
    assert set(FUNCTIONS) == {each.name for each in SPECIFIED}


def test_should_find_the_functions_of_this_deployment_alone(logs: FakeLogs) -> None:
    assert find_groups(Deployment("hitl-approval"), ["/mine", "/aws/lambda/refund"]) == {
        "/aws/lambda/workflow": "Workflow",
        "/aws/lambda/sweep-1": "Sweep",
        "/aws/lambda/messenger-1": "Messenger",
        "/mine": "/mine",
        "/aws/lambda/refund": "refund",
    }


def test_should_say_that_the_stack_has_no_such_function(logs: FakeLogs, cloud: FakeCloud) -> None:
    cloud.template.clear()
    with pytest.raises(CliError, match="has no function workflow"):
        find_groups(Deployment("hitl-approval"))


def test_should_read_every_page_in_the_order_of_time(logs: FakeLogs) -> None:
    logs.log("workflow", 3, f"third approval_id={ID}")
    logs.log("sweep-1", 2, f"second approval_id={ID}")
    logs.log("workflow", 1, f"first approval_id={ID}\n")
    logs.log("workflow", 1, "of another")
    groups = {**GROUPS, "/aws/lambda/sweep-1": "Sweep", "/aws/lambda/messenger-1": "Messenger"}
    lines = read_lines(Deployment("hitl-approval"), groups, ID, since=1)
    assert [(line.function, line.said.split()[0]) for line in lines] == [
        ("Workflow", "first"),
        ("Sweep", "second"),
        ("Workflow", "third"),
    ]
    assert {asked["filterPattern"] for asked in logs.asked} == {f'"{ID}"'}
    assert read_lines(Deployment("hitl-approval"), groups, ID, since=4) == []


def test_should_say_what_may_not_be_read(logs: FakeLogs) -> None:
    denied = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
    logs.error = ClientError(denied, "FilterLogEvents")  # type: ignore[arg-type]
    with pytest.raises(CliError):
        read_lines(Deployment("hitl-approval"), GROUPS, ID, since=1)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "GET https://a.example/a/kW3v9Qd0-xY_zAb.12345 200",
            "GET https://a.example/a/*** 200",
        ),
        ("Authorization: Bearer eyJhbGciOi.eyJzdWIi.c2lnbg", "Authorization: Bearer ***"),
        ('{"task_token": "AQCEAAAAKgAAAAMAAAAA", "n": 1}', '{"task_token": "***", "n": 1}'),
        ("with xoxb-1234567890-abcdef", "with ***"),
        ("by AKIAABCDEFGHIJKLMNOP", "by ***"),
        ("a token is missing", "a token is missing"),
    ],
)
def test_should_cover_what_could_be_a_secret(logs: FakeLogs, written: str, shown: str) -> None:
    logs.log("workflow", 1, f"{written} {ID}")
    [line] = read_lines(Deployment("hitl-approval"), GROUPS, ID, since=0)
    assert line.message == f"{shown} {ID}"


def test_should_read_the_level_and_leave_out_what_lambda_puts_before_a_line() -> None:
    line = Line(1_767_323_045_000, "Sweep", f"{PREFIX}passed over: x\n", "1")
    assert (line.level, line.said) == ("WARNING", "passed over: x")
    assert line.to_dict() == {
        "time": "2026-01-02T03:04:05.000+00:00",
        "function": "Sweep",
        "level": "WARNING",
        "message": "passed over: x",
    }
    plain = Line(0, "Sweep", " as it is", "2")
    assert (plain.level, plain.said) == (None, "as it is")
