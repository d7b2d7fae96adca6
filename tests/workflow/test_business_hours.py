"""A time to decide in business hours: counted once, when the request is made."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import (
    ApprovalRequest,
    InvalidRequest,
    business_hours,
    wait_for_approval,
)
from hitl_approval.adapters.requests import RequestFunctionClient
from hitl_approval.domain.audit import on_record
from hitl_approval.domain.business_hours import BusinessHours
from hitl_approval.domain.stage import Stage
from hitl_approval.durable import wait
from hitl_approval.testing import Approvals, RunFailed
from hitl_approval.usecases.ask import Defaults, DirectRequests
from tests.asking import RequestFunctionOfARunner

HOURS = 8


class Holidays:
    """A container of dates that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __contains__(self, day: object) -> bool:
        self.asked += 1
        return day == date(2026, 1, 6)


def asking(hours: BusinessHours, **fields: Any) -> Any:
    @durable_execution
    def handler(_: Any, context: DurableContext) -> dict[str, Any]:
        request = ApprovalRequest(subject="Refund", requester="rita", timeout=hours, **fields)
        outcome = wait_for_approval(context, request)
        return {"status": outcome.status, "at": outcome.decided_at.isoformat()}

    return handler


@pytest.fixture
def now(approvals: Approvals) -> datetime:
    return on_record(approvals.clock.now())


def test_should_be_over_exactly_when_the_hours_are(approvals: Approvals, now: datetime) -> None:
    hours = business_hours(HOURS, "America/New_York")
    run = approvals.start(asking(hours), {})
    [approval] = approvals.pending()
    assert approval.expires_at == hours.end(now)
    approvals.let_time_out()
    assert run.result()["status"] == "timeout"


def test_should_count_once_however_often_it_is_replayed(approvals: Approvals) -> None:
    holidays = Holidays()
    hours = business_hours(100, "America/New_York", holidays=holidays)
    run = approvals.start(asking(hours, approvers=["ann"]), {})
    [approval] = approvals.pending()
    asked = holidays.asked
    assert asked > 0

    approvals.advance(timedelta(days=5))  # checks, each of which replays the function

    [later] = approvals.pending()
    assert (later.expires_at, holidays.asked) == (approval.expires_at, asked)
    approvals.approve(by="ann")
    assert run.result()["status"] == "approved"
    assert holidays.asked == asked


def test_should_remind_while_it_is_open(approvals: Approvals, now: datetime) -> None:
    hours = business_hours(HOURS, "Asia/Tokyo", opens=time(10), closes=time(12))
    approvals.start(asking(hours, approvers=["ann"]), {})
    [approval] = approvals.pending()
    assert approval.reminders == hours.reminders(now)


def test_should_keep_reminders_that_somebody_chose(approvals: Approvals) -> None:
    approvals.reminders = [timedelta(minutes=7)]
    approvals.start(asking(business_hours(HOURS, "Asia/Tokyo"), approvers=["ann"]), {})
    [approval] = approvals.pending()
    assert approval.reminders == (timedelta(minutes=7),)


def test_should_refuse_hours_that_an_execution_cannot_hold(approvals: Approvals) -> None:
    hours = business_hours(2_200, "UTC")
    with pytest.raises(RunFailed, match="timeout_seconds: must be at most"):
        approvals.start(asking(hours), {}).result()
    hours = business_hours(HOURS, "UTC", days="Mon", holidays=Mondays())
    with pytest.raises(RunFailed, match="timeout: UTC is not open for 8:00:00"):
        approvals.start(asking(hours), {}).result()


class Mondays:
    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and day.weekday() == 0


def test_should_refuse_hours_of_stages_that_open_nobody_knows_when(approvals: Approvals) -> None:
    stages = [Stage(["ann"]), Stage(["bob"])]
    with pytest.raises(RunFailed, match="give each stage a timeout of its own"):
        approvals.start(asking(business_hours(HOURS, "UTC"), stages=stages), {}).result()


@pytest.fixture
def through_a_function(
    approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> RequestFunctionOfARunner:
    """The same by a request function, which counts nothing itself."""
    direct = DirectRequests(approvals._requests, Defaults(page=True))
    function = RequestFunctionOfARunner(lambda: direct)
    client = function.client()
    monkeypatch.setattr(wait, "requests", lambda: client)
    monkeypatch.setattr(RequestFunctionClient, "now", lambda _: approvals.clock.now())
    return function


def test_should_reach_a_request_function_as_it_was_counted(
    approvals: Approvals, now: datetime, through_a_function: RequestFunctionOfARunner
) -> None:
    hours = business_hours(HOURS, "Asia/Tokyo")
    approvals.start(asking(hours, approvers=["ann"]), {})
    [approval] = approvals.pending()
    assert approval.expires_at == hours.end(now)
    assert approval.reminders == hours.reminders(now)
    [submitted] = [one for one in through_a_function.invoked if one["operation"] == "submit"]
    assert submitted["timeout_seconds"] == submitted["counted"]["timeout_seconds"]


def test_should_ask_in_no_other_way() -> None:
    request = ApprovalRequest(subject="a", requester="b", timeout=business_hours(1, "UTC"))
    with pytest.raises(InvalidRequest, match="is counted by wait_for_approval"):
        request.timeout_or(timedelta(hours=1), maximum=timedelta(days=1))
