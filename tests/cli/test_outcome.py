"""`hitl submit --wait`: the outcome is the exit status, and Ctrl-C changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.testing import World
from hitl_approval_cli import clock
from tests.anything import declared

from .conftest import Hitl
from .fake_cloud import FakeCloud


@pytest.fixture
def script(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens between two checks, the workflow's request too; Ctrl-C at the end of it."""
    cloud.asks = False

    def play(*steps: Any) -> None:
        remaining = iter(steps)

        def pause(_: float) -> None:
            step = next(remaining, None)
            if step is None:
                raise KeyboardInterrupt
            step()

        monkeypatch.setattr(clock, "pause", pause)

    return play


def the_id(cloud: FakeCloud) -> str:
    return derive_approval_id(cloud.executions[-1], "document")


def ends(cloud: FakeCloud, how: str) -> Callable[[], None]:
    world = cloud.world

    def step() -> None:
        if how == "cancelled":
            world.decisions.cancel(the_id(cloud), declared("bob"))
        elif how == "timeout":
            world.clock.advance(timedelta(hours=2))
            world.requests.check_status(the_id(cloud))
        else:
            world.decisions.decide(the_id(cloud), declared("ann"), how, "")  # type: ignore[arg-type]

    return step


@pytest.mark.parametrize(
    ("how", "status"), [("approved", 0), ("rejected", 3), ("timeout", 4), ("cancelled", 5)]
)
def test_should_end_with_the_outcome(
    hitl: Hitl, world: World, cloud: FakeCloud, script: Any, *, how: str, status: int
) -> None:
    script(cloud.ask, lambda: None, ends(cloud, how))

    result = hitl("submit", "--subject", "Q4", "--wait")

    assert result.status == status
    assert result.out == f"{the_id(cloud)}\n"
    first, second, last = result.err.splitlines()
    assert first == "waiting until the request is on record, a few seconds"
    assert second.startswith("pending, ")
    assert last.startswith(f"{how} by ")


def test_should_print_two_objects(hitl: Hitl, world: World, cloud: FakeCloud, script: Any) -> None:
    script(cloud.ask, ends(cloud, "approved"))
    result = hitl("submit", "--subject", "Q4", "--wait", "--json")
    started, record = map(json.loads, result.out.splitlines())
    assert set(started) == {"approval_id", "execution_arn"}
    assert (record["approval_id"], record["status"]) == (started["approval_id"], "approved")


def test_should_leave_the_request_standing_when_interrupted(
    hitl: Hitl, world: World, cloud: FakeCloud, script: Any
) -> None:
    script(cloud.ask)
    result = hitl("submit", "--subject", "Q4", "--wait")
    assert result.status == 130
    assert result.err.splitlines()[-1] == (
        f"hitl: interrupted; the request stands: hitl status {the_id(cloud)} (INTERRUPTED)"
    )
    assert world.store.approvals[the_id(cloud)].pending


def refused(kind: str, message: str, status: str = "FAILED") -> dict[str, Any]:
    return {"Status": status, "Error": {"ErrorType": kind, "ErrorMessage": message}}


TOO_LONG = "timeout_seconds: must be at most 603900, got 34560000"


@pytest.mark.parametrize(
    ("execution", "line", "code"),
    [
        (refused("hitl_approval.InvalidRequest", TOO_LONG), TOO_LONG, "INVALID_REQUEST"),
        (
            refused("ValueError", "x" * 500),
            f"the workflow has failed without a request: {'x' * 97}...",
            "WORKFLOW",
        ),
        (
            {"Status": "TIMED_OUT"},
            "the workflow has timed out without a request: its log says why",
            "WORKFLOW",
        ),
        (
            {"Status": "SUCCEEDED"},
            "the workflow has succeeded without a request: its log says why",
            "WORKFLOW",
        ),
    ],
    ids=["refused", "failed", "timed out", "done"],
)
@pytest.mark.parametrize("more", [[], ["--wait"]], ids=["", "--wait"])
def test_should_fail_with_the_workflows_own_sentence(
    hitl: Hitl, cloud: FakeCloud, script: Any, *, execution: Any, line: str, code: str, more: Any
) -> None:
    script()
    cloud.execution = execution
    result = hitl("submit", "--subject", "Q4", *more)
    assert (result.status, result.out) == (1, "")
    assert result.err.splitlines()[1:] == [f"hitl: {line} ({code})"]

    result = hitl("submit", "--subject", "Q4", "--json", *more)
    assert (result.status, result.out) == (1, "")
    error = json.loads(result.err)["error"]
    assert (error["code"], error["message"]) == (code, line)
    assert error["details"]["approval_id"] == the_id(cloud)


def test_should_wait_until_the_request_is_on_record(
    hitl: Hitl, cloud: FakeCloud, script: Any
) -> None:
    cloud.unknown = 1  # accepted a moment ago
    script(lambda: None, lambda: None, cloud.ask)
    result = hitl("submit", "--subject", "Q4")
    assert (result.status, result.out) == (0, f"{the_id(cloud)}\n")
    assert result.err == "waiting until the request is on record, a few seconds\n"


@pytest.mark.parametrize("status", ["RUNNING", "PAUSING", "PAUSED", "OF_TOMORROW"])
def test_should_wait_for_an_execution_that_is_alive(
    hitl: Hitl, cloud: FakeCloud, script: Any, status: str
) -> None:
    cloud.execution = {"Status": status}
    script(lambda: None, cloud.ask, ends(cloud, "approved"))
    assert hitl("submit", "--subject", "Q4", "--wait").status == 0


def test_should_find_the_request_of_a_workflow_that_has_ended_since(
    hitl: Hitl, cloud: FakeCloud, script: Any
) -> None:
    script()
    cloud.execution = {"Status": "SUCCEEDED"}
    cloud.asks = True
    assert hitl("submit", "--subject", "Q4").status == 0


def test_should_not_wait_for_ever_for_a_request(hitl: Hitl, cloud: FakeCloud, script: Any) -> None:
    script(*[lambda: None] * 1_000)
    result = hitl("submit", "--subject", "Q4")
    assert (result.status, result.out) == (1, "")
    assert result.err.splitlines()[-1] == (
        "hitl: the workflow has made no request within 90 s; the request may stand: "
        f"hitl status {the_id(cloud)} (NO_REQUEST)"
    )


def test_should_say_that_it_may_not_read(hitl: Hitl, cloud: FakeCloud, script: Any) -> None:
    script()
    cloud.failures.append(of_aws("AccessDeniedException"))
    result = hitl("submit", "--subject", "Q4")
    assert (result.status, result.out) == (0, f"{the_id(cloud)}\n")
    assert "AWS refused Invoke: check the credentials' permissions; the request may" in result.err
    cloud.failures.append(of_aws("AccessDeniedException"))
    assert hitl("submit", "--subject", "Q4", "--wait").status == 1


def of_aws(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Invoke")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        of_aws("ThrottlingException"),
        of_aws("ServiceUnavailable"),
        of_aws("InternalFailure"),
        of_aws("EC2ThrottledException", 502),
        EndpointConnectionError(endpoint_url="x"),
    ],
    ids=str,
)
def test_should_bear_with_what_passes(
    hitl: Hitl, cloud: FakeCloud, script: Any, error: Exception
) -> None:
    def fails() -> None:
        cloud.failures += [error] * 10

    cloud.failures.append(error)
    script(cloud.ask, lambda: None, fails, *[lambda: None] * 10, ends(cloud, "approved"))
    assert hitl("submit", "--subject", "Q4", "--wait").status == 0


def test_should_not_bear_with_what_lasts(hitl: Hitl, cloud: FakeCloud, script: Any) -> None:
    script(cloud.ask, lambda: cloud.failures.append(of_aws("ExpiredTokenException")))
    result = hitl("submit", "--subject", "Q4", "--wait")
    assert result.status == 1
    assert "sign in again; the request stands: hitl status" in result.err
    script(cloud.ask, *[lambda: cloud.failures.append(of_aws("Throttling"))] * 20)
    result = hitl("submit", "--subject", "Q4", "--wait")
    assert result.status == 1
    assert "try again in a moment; the request stands: hitl status" in result.err
