"""What the event bus gets: one shape for every transition, and the same id however often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.domain.bus_event import MAX_DETAIL, bus_event
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, any_request, declared
from tests.unit.domain.test_delegation import given as delegation

OPENED = any_opening()
APPROVED = cast_vote(OPENED.after, declared("bob"), "approved", "", now=NOW)


def published(transition: Any, **fields: Any) -> tuple[str, dict[str, Any]]:
    event = bus_event(transition.entry | fields, transition.after, deployment="app")
    return event.detail_type, json.loads(event.detail)


@pytest.mark.parametrize(
    ("transition", "kind", "status"),
    [
        (OPENED, "Approval Requested", "pending"),
        (APPROVED, "Approval Decided", "approved"),
        (cancel(OPENED.after, declared("rita"), "", now=NOW), "Approval Cancelled", "cancelled"),
        (expire(OPENED.after, now=OPENED.after.expires_at), "Approval Timed Out", "timeout"),
    ],
)
def test_should_say_what_happened(transition: Any, kind: str, status: str) -> None:
    detail_type, detail = published(transition)
    assert (detail_type, detail["status"]) == (kind, status)
    assert detail["event_id"] == f"{OPENED.after.approval_id}-{detail['sequence']}"
    assert (detail["deployment"], detail["subject"]) == ("app", OPENED.after.subject)


def test_should_publish_an_event_whose_record_is_gone() -> None:
    detail = json.loads(bus_event(OPENED.entry, None, deployment="app").detail)
    assert (detail["approval_id"], detail["subject"]) == (OPENED.after.approval_id, None)


def test_should_refuse_what_the_bus_would_not_take() -> None:
    with pytest.raises(ValueError, match="too long for an event"):
        published(OPENED, actor="x" * MAX_DETAIL)


def test_should_refuse_what_is_none_of_our_events() -> None:
    with pytest.raises(KeyError):
        published(OPENED, event="celebrated")


def test_should_say_for_whom_somebody_has_answered() -> None:
    asked = any_opening(request=any_request(approvers=["ann"])).after
    voted = cast_vote(
        asked, declared("bob"), "approved", "", now=NOW, delegations=[delegation("ann", "bob")]
    )
    _, detail = published(voted)
    assert (detail["actor"], detail["on_behalf_of"]) == ("bob", "ann")
    assert "on_behalf_of" not in published(APPROVED)[1]
