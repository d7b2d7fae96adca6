"""The trace of who asks: on the record and in events, absent where there is none."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.adapters.rows import new_row, read_approval
from hitl_approval.domain.bus_event import bus_event
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.view import view
from tests.anything import TRACEPARENT, any_opening, any_request


def test_should_stand_on_the_record_and_in_events() -> None:
    opening = any_opening(request=any_request(traceparent=TRACEPARENT))
    approval = opening.after
    row = new_row(approval, retention=timedelta(days=1))
    assert row["traceparent"] == TRACEPARENT
    assert read_approval(row).traceparent == TRACEPARENT
    assert view(approval)["traceparent"] == TRACEPARENT
    detail = json.loads(bus_event(opening.entry, approval, deployment="d").detail)
    assert detail["traceparent"] == TRACEPARENT


def test_should_be_absent_where_none_is_given() -> None:
    opening = any_opening()
    assert "traceparent" not in new_row(opening.after, retention=timedelta(days=1))
    assert "traceparent" not in view(opening.after)
    detail = json.loads(bus_event(opening.entry, opening.after, deployment="d").detail)
    assert "traceparent" not in detail


def test_should_be_no_part_of_what_people_are_shown_and_approve() -> None:
    plain = any_opening(approval_id="a").after
    traced = any_opening(approval_id="a", request=any_request(traceparent=TRACEPARENT)).after
    assert traced.content_digest == plain.content_digest
    assert TRACEPARENT not in approval_needed(traced).body


@pytest.mark.parametrize(
    "given",
    [
        "",
        7,
        TRACEPARENT.upper(),
        TRACEPARENT + "-more",
        "ff" + TRACEPARENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        TRACEPARENT[:-1],
    ],
)
def test_should_refuse_what_is_no_trace_context(given: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^traceparent: "):
        any_request(traceparent=given)
