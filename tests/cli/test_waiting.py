"""`hitl submit --wait`: the outcome is the exit status, and Ctrl-C changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.testing import World
from hitl_approval_cli import screen
from tests.anything import any_opening, any_request, declared

from .conftest import FakeCloud, Hitl


@pytest.fixture
def script(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens between two looks; Ctrl-C at the end of it."""

    def play(*steps: Any) -> None:
        remaining = iter(steps)

        def pause(_: float) -> None:
            step = next(remaining, None)
            if step is None:
                raise KeyboardInterrupt
            step()

        monkeypatch.setattr(screen, "pause", pause)

    return play


def the_id(cloud: FakeCloud) -> str:
    return derive_approval_id(cloud.executions[-1], "document")


def asks(world: World, cloud: FakeCloud) -> Callable[[], None]:
    """The workflow writes its request."""

    def step() -> None:
        opening = any_opening(
            approval_id=the_id(cloud), request=any_request(), now=world.clock.now()
        )
        world.store.create(opening)

    return step


def ends(world: World, cloud: FakeCloud, how: str) -> Callable[[], None]:
    def step() -> None:
        if how == "cancelled":
            world.decisions.cancel(the_id(cloud), declared("rita"))
        elif how == "timeout":
            world.clock.advance(timedelta(hours=2))
            world.requests.look(the_id(cloud))
        else:
            world.decisions.decide(the_id(cloud), declared("ann"), how, "")  # type: ignore[arg-type]

    return step


@pytest.mark.parametrize(
    ("how", "status"), [("approved", 0), ("rejected", 3), ("timeout", 4), ("cancelled", 5)]
)
def test_should_end_with_the_outcome(
    hitl: Hitl, world: World, cloud: FakeCloud, script: Any, *, how: str, status: int
) -> None:
    script(asks(world, cloud), lambda: None, ends(world, cloud, how))

    result = hitl("submit", "--subject", "Q4", "--wait")

    assert result.status == status
    assert result.out == f"{the_id(cloud)}\n"
    first, second, last = result.err.splitlines()
    assert first == "the workflow starts"
    assert second.startswith("pending, ")
    assert last.startswith(f"{how} by ")


def test_should_print_two_objects(hitl: Hitl, world: World, cloud: FakeCloud, script: Any) -> None:
    import json

    script(asks(world, cloud), ends(world, cloud, "approved"))
    result = hitl("submit", "--subject", "Q4", "--wait", "--json")
    started, record = map(json.loads, result.out.splitlines())
    assert set(started) == {"approval_id", "execution_arn"}
    assert (record["approval_id"], record["status"]) == (started["approval_id"], "approved")


def test_should_leave_the_request_standing_when_interrupted(
    hitl: Hitl, world: World, cloud: FakeCloud, script: Any
) -> None:
    script(asks(world, cloud))
    result = hitl("submit", "--subject", "Q4", "--wait")
    assert result.status == 130
    assert result.err.splitlines()[-1] == (
        f"hitl: interrupted; the request stands: hitl status {the_id(cloud)} (INTERRUPTED)"
    )
    assert world.store.approvals[the_id(cloud)].pending


def test_should_say_when_the_workflow_has_failed(hitl: Hitl, cloud: FakeCloud, script: Any) -> None:
    cloud.execution_status = "FAILED"
    script()
    result = hitl("submit", "--subject", "Q4", "--wait")
    assert result.status == 1
    assert result.err.splitlines()[-1] == (
        "hitl: the workflow has failed and asks for nothing: its log says why (WORKFLOW)"
    )


def test_should_bear_with_what_passes(
    hitl: Hitl, world: World, cloud: FakeCloud, script: Any
) -> None:
    error = ClientError({"Error": {"Code": "ThrottlingException"}}, "Invoke")
    script(
        asks(world, cloud),
        lambda: cloud.failures.append(error),
        ends(world, cloud, "approved"),
    )
    assert hitl("submit", "--subject", "Q4", "--wait").status == 0
    expired = ClientError({"Error": {"Code": "ExpiredTokenException"}}, "Invoke")
    script(asks(world, cloud), lambda: cloud.failures.append(expired))
    result = hitl("submit", "--subject", "Q4", "--wait")
    assert result.status == 1
    assert "sign in again; the request stands: hitl status" in result.err
