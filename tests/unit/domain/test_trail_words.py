"""What an event about whose turn it is says."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.trail_words import actor_in_words, in_words


@pytest.mark.parametrize(
    ("event", "details", "said"),
    [
        ("stage_opened", {"stage": 1, "to": ["bob"]}, "stage 2 begins, bob may answer"),
        ("escalated", {"escalation": 1, "to": ["leo"], "released": []},
         "step 1: leo may answer too"),
        ("escalated", {"escalation": 2, "to": ["mia"], "released": ["ann"]},
         "step 2: mia may answer, ann may not any more"),
        ("escalated", {"escalation": 1, "to": [], "released": []}, "step 1: nobody new"),
        ("reassigned", {"from": "ann", "to": ["bob"], "comments": "away"},
         "from ann to bob: away"),
        ("retracted", {"retracted": "approved"}, "took back: approved"),
        ("approved", {"comments": "fine"}, ""),
    ],
)  # fmt: skip
def test_should_say_it(event: str, details: dict[str, Any], said: str) -> None:
    assert in_words({"event": event, "details": details}) == said


@pytest.mark.parametrize("details", [None, 7, [], {"to": 7, "stage": "x", "released": None}])
@pytest.mark.parametrize("event", ["stage_opened", "escalated", "reassigned", "retracted", None])
def test_should_say_something_of_whatever_is_stored(event: Any, details: Any) -> None:
    assert isinstance(in_words({"event": event, "details": details}), str)


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"on_behalf_of": "ann", "comments": "fine"}, "bob for ann"),
        ({"comments": "fine"}, "bob"),
        ({"on_behalf_of": 7}, "bob"),
        (None, "bob"),
    ],
)
def test_should_say_for_whom_somebody_has_answered(details: Any, said: str) -> None:
    assert actor_in_words({"event": "approved", "actor": "bob", "details": details}) == said
