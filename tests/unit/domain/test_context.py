"""A context is stored as it was given, or refused: nobody could read or keep it."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.context import MAX_CONTEXT_DEPTH, context_json
from hitl_approval.domain.errors import InvalidRequest
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


def test_should_keep_the_requesters_order() -> None:
    assert context_json({"b": 1, "a": "é"}) == '{"b": 1, "a": "é"}'
