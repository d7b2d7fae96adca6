"""`verify` names every event that was changed, removed, inserted or moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import verify
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, declared

Trail = list[dict[str, Any]]


def trail_of(voters: int) -> tuple[Approval, Trail]:
    opening = any_opening(policy=Policy(quorum=Quorum.at_least(voters)))
    approval, events = opening.after, [opening.event.to_dict()]
    for number in range(voters):
        voted = cast_vote(
            approval,
            declared(f"voter-{number}"),
            "approved",
            "fine",
            now=NOW + timedelta(minutes=number),
        )
        assert voted is not None
        approval = voted.after
        events.append(voted.event.to_dict())
    return approval, events


def problems(approval: Approval, events: Trail) -> list[int]:
    findings = verify(events, approval.audit_head)
    return [finding.sequence for finding in findings]


def test_should_find_nothing_wrong_with_an_untouched_trail() -> None:
    approval, events = trail_of(4)
    assert problems(approval, events) == []


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize(
    "field", ["actor", "at", "event", "details", "identity", "content_digest", "hash", "sequence",
              "previous_hash", "approval_id"],
)  # fmt: skip
def test_should_name_an_event_that_was_edited(index: int, field: str) -> None:
    approval, events = trail_of(4)
    events[index][field] = "edited"
    assert index + 1 in problems(approval, events)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda trail: trail.pop(0),
        lambda trail: trail.pop(2),
        lambda trail: trail.pop(),
        lambda trail: trail.insert(2, dict(trail[2])),
        lambda trail: trail.append(dict(trail[-1])),
        lambda trail: trail.reverse(),
        lambda trail: trail.insert(1, trail.pop(3)),
        lambda trail: trail.clear(),
    ],
    ids=["first removed", "middle removed", "last removed", "inserted", "appended", "reversed",
         "moved", "all removed"],
)  # fmt: skip
def test_should_find_a_removal_an_insertion_or_a_reordering(
    tamper: Callable[[Trail], object],
) -> None:
    approval, events = trail_of(4)
    tamper(events)
    assert problems(approval, events) != []


def test_should_find_a_trail_rewritten_from_some_event_on() -> None:
    approval, _ = trail_of(4)
    other, forged = trail_of(4)
    assert problems(other, forged) == []
    assert problems(approval, forged) != []
