"""Where a page ended: what comes back is checked before any store is asked."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hitl_approval.domain.cursor import decode_cursor, encode_cursor
from hitl_approval.domain.errors import InvalidRequest

ENDED = ("2026-01-02T03:04:05.000Z", "1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c")


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_should_come_back_as_it_was() -> None:
    assert decode_cursor(encode_cursor(*ENDED)) == ENDED


@pytest.mark.parametrize(
    "cursor",
    ["", "garbage", "ü", encoded([]), encoded(["yesterday", ENDED[1]]), encoded([ENDED[0], "#"])],
)
def test_should_refuse_what_no_list_gave(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor: is not one that a list gave"):
        decode_cursor(cursor)
