"""A number on record is the number that was given."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.number import LARGEST, number_of, plain_number


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (7, 7),
        (7.0, 7),
        (-0.0, 0),
        (0.1, 0.1),
        (LARGEST, LARGEST),
        (LARGEST + 1, None),
        (1e300, None),
        (1e-200, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        ("7", None),
        (None, None),
    ],
)
def test_should_keep_what_every_reader_keeps(value: Any, kept: Any) -> None:
    assert plain_number(value) == kept
    assert type(plain_number(value)) is type(kept)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("12.50", 12.5),
        ("-3", -3),
        ("12.0", 12),
        ("0.1", 0.1),
        ("0.10000000000000000001", "0.10000000000000000001"),
        ("99999999999999999999", "99999999999999999999"),
        ("1e5", "1e5"),
        ("٣", "٣"),
        ("1 000", "1 000"),
        ("", ""),
    ],
)
def test_should_read_a_number_as_it_was_typed_or_not_at_all(typed: str, read: Any) -> None:
    assert number_of(typed) == read
