"""RFC 8785: its published vectors, those of its numbers among them."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_approval.domain.digest import MAX_WHOLE, canonical, digest_json

VECTORS = Path(__file__).parent / "rfc8785"
NUMBERS = {
    1_000: "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687",
    10_000: "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892",
}
"""SHA-256 of so many lines of the published file of numbers, as its README has it."""
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_WHOLE, MAX_WHOLE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", sorted(path.name for path in (VECTORS / "input").iterdir()))
def test_should_write_the_published_vectors(name: str) -> None:
    given = json.loads((VECTORS / "input" / name).read_text(encoding="utf-8"))
    expected = (VECTORS / "output" / name).read_bytes()
    assert canonical(given).encode() == expected
    assert digest_json(given) == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize("lines", NUMBERS)
def test_should_write_numbers_as_the_published_file_has_them(lines: int) -> None:
    written = "".join(
        f"{bits:x},{canonical(number)}\n" for bits, number in islice(numbers(), lines)
    )
    assert hashlib.sha256(written.encode()).hexdigest() == NUMBERS[lines]


def numbers() -> Iterator[tuple[int, float]]:
    """The sequence of numbers that the README of the vectors describes: their bits, and they."""
    fixed = [int(line, 16) for line in (VECTORS / "numbers.txt").read_text("ascii").split()]
    for bits in (*fixed, *range(0x0010000000000000, 0x0010000000000000 + 2_000)):
        yield bits, struct.unpack("<d", struct.pack("<Q", bits))[0]
    block = bytes(32)
    while True:
        block = hashlib.sha256(block).digest()
        for bits in struct.unpack("<4Q", block):
            (number,) = struct.unpack("<d", struct.pack("<Q", bits))
            if number and isfinite(number):
                yield bits, number


@given(VALUES)
def test_should_write_what_reads_as_the_same_value_and_is_written_the_same_again(
    value: Any,
) -> None:
    written = canonical(value)
    read = json.loads(written, parse_int=as_javascript_reads)
    assert read == value
    assert canonical(read) == written


def as_javascript_reads(digits: str) -> int | float:
    return int(digits) if abs(int(digits)) <= MAX_WHOLE else float(digits)


@given(st.dictionaries(TEXTS, st.integers(0, 9)))
def test_should_sort_names_by_their_utf_16(value: dict[str, int]) -> None:
    names = list(json.loads(canonical(value)))
    assert names == sorted(names, key=lambda name: name.encode("utf-16be"))


def test_should_sort_a_name_beyond_the_basic_plane_before_one_at_its_end() -> None:
    assert canonical({"\ufb33": 1, "\U0001f602": 2}) == '{"\U0001f602":2,"\ufb33":1}'


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (0, -0.0), (True, True), ([1], (1,)), (100, 1e2)]
)
def test_should_tell_apart_only_what_json_tells_apart(one: Any, other: Any) -> None:
    assert digest_json(one) == digest_json(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, "1"), (None, "null"), ({}, []), ("a", "A"), ("\u00e9", "e\u0301")],
)
def test_should_tell_apart_all_that_json_tells_apart(one: Any, other: Any) -> None:
    assert digest_json(one) != digest_json(other)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (MAX_WHOLE + 1, "the whole number 9007199254740992, of which not every reader"),
        (-MAX_WHOLE - 1, "the whole number -9007199254740992"),
        (10**400, "the whole number 1000"),
        (float("nan"), "the number nan, which JSON does not have"),
        (float("-inf"), "the number -inf"),
        ("\ud83d", "half of a surrogate pair"),
        ({"\udead": 1}, "half of a surrogate pair"),
        ({1: 1}, "a name that is no text"),
        ({"a": b"1"}, "a bytes, which JSON does not have"),
        ([object()], "a object, which"),
    ],
)
def test_should_refuse_what_is_no_i_json(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}"):
        canonical(value)


def test_should_take_the_largest_whole_numbers() -> None:
    assert canonical([MAX_WHOLE, -MAX_WHOLE]) == "[9007199254740991,-9007199254740991]"
