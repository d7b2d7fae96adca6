"""DynamoDB's items as plain values, of whatever somebody has written."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.adapters.items import marshal, read_item


def test_should_come_back_as_it_was() -> None:
    values = {"text": "ü", "number": 7, "no": False, "none": None, "list": [{"a": 1}], "map": {}}
    assert read_item(marshal(values)) == values


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"N": "7.00"}, 7),
        ({"N": "1.5"}, 1.5),
        ({"B": b"\x00"}, {"B": "AA=="}),
        ({"SS": ["b", "a"]}, ["a", "b"]),
        ({"M": {"x": {"L": [{"N": "1"}]}}}, {"x": [1]}),
    ],
    ids=str,
)
def test_should_read_what_we_never_write_as_json_values(written: Any, read: Any) -> None:
    assert read_item({"x": written}) == {"x": read}
