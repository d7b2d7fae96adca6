"""What a request's values must be, beyond what tests/bad_input tries with every field."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request_values import MAX_CONTEXT_DEPTH, accept_reminders, seconds
from tests.anything import any_request


def nested(levels: int) -> dict[str, Any]:
    value: Any = "x"
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return {"a": value}


def test_should_refuse_a_context_that_nobody_could_read_or_print() -> None:
    assert any_request(context=nested(MAX_CONTEXT_DEPTH)).context
    for levels in (MAX_CONTEXT_DEPTH + 1, 4_000):
        with pytest.raises(InvalidRequest, match="context: must be nested at most 32 deep"):
            any_request(context=nested(levels))


@pytest.mark.parametrize("value", [True, "60", 1.5, 0, -1, None, 10**20])
def test_should_take_whole_seconds_from_one_on(value: Any) -> None:
    assert seconds(1, "timeout_seconds") == timedelta(seconds=1)
    with pytest.raises(InvalidRequest, match=r"^timeout_seconds: "):
        seconds(value, "timeout_seconds")


def test_should_sort_reminders_and_keep_each_once() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    assert accept_reminders([day, hour, day], "reminders") == (hour, day)
