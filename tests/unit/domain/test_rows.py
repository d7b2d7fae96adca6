"""A context as rows that a person can read, however strange it is, and nothing of it left out."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_approval.domain.rows import LONGEST_NAME, MAX_DEPTH, PART, ROW, Row, parts, rows
from hitl_approval.domain.text import inert

DIFF = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old\n+new\n same"


def shown(context: dict[str, Any]) -> list[Row]:
    return list(rows(context))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ü", "ü"),
        (7.5, "7.5"),
        (None, "none"),
        (True, "yes"),
        ([], "[]"),
        ({}, "{}"),
        ("", '""'),
        ("a\u202eb", "a\\u202eb"),
        ("pay" + " " * 2_000 + "all", "pay[2,000 spaces]all"),
    ],
)
def test_should_show_a_value_in_words(value: Any, text: str) -> None:
    assert shown({"name": value}) == [Row(name="name", value=text)]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("a b", "text"), ("a\r\nb", "lines"), (DIFF, "diff"), ("- a\n+ b\n@@ no", "lines")],
)
def test_should_keep_the_lines_of_code_and_know_a_diff(value: str, kind: str) -> None:
    [row] = shown({"name": value})
    assert (row.kind, row.value) == (kind, value.replace("\r\n", "\n"))


def test_should_keep_the_order_and_number_lists() -> None:
    assert [(r.depth, r.name, r.value) for r in shown({"z": {"b": ["x", 2]}, "a": 1})] == [
        (0, "z", "1 field"),
        (1, "b", "2 items"),
        (2, "1", "x"),
        (2, "2", "2"),
        (0, "a", "1"),
    ]


def test_should_show_what_is_too_deep_as_json_and_whole() -> None:
    context: dict[str, Any] = {"end": ["x" * 5_000]}
    for _ in range(MAX_DEPTH):
        context = {"inner": context}
    last = shown(context)[-1]
    assert (last.depth, last.kind) == (MAX_DEPTH - 1, "text")
    assert "x" * 5_000 in last.value


def test_should_give_a_very_long_name_a_row_of_its_own() -> None:
    name = "n" * (LONGEST_NAME + 1)
    assert [(r.name, r.value) for r in shown({name: {"a": 1}})] == [
        ("(a name of 201 characters)", name),
        ("(its value)", "1 field"),
        ("a", "1"),
    ]


def test_should_hold_an_ordinary_request_in_one_part() -> None:
    fields = {f"field {number}": f"value {number}" for number in range(250)}
    assert parts(rows(fields)) == (tuple(rows(fields)),)
    assert parts(rows({})) == ((),)


def test_should_go_on_in_the_next_part_with_the_groups_that_it_stands_in() -> None:
    context = {"order": {"lines": {"sql": f"{'x' * PART}; DROP TABLE customers", "then": 1}}}
    first, second = parts(rows(context))
    assert [(r.name, r.goes_on) for r in first] == [
        ("order", False), ("lines", False), ("sql", True)
    ]  # fmt: skip
    assert [(r.name, r.again) for r in second] == [
        ("order", True), ("lines", True), ("sql", True), ("then", False)
    ]  # fmt: skip
    assert second[2].value.endswith("; DROP TABLE customers")


def test_should_break_a_value_at_the_end_of_a_line() -> None:
    first, *_ = parts(rows({"code": "0123456789\n" * 4_000}))
    assert first[0].value.endswith("9\n")


texts = st.one_of(
    st.text(max_size=30),
    st.integers(0, 3 * PART).map(lambda n: "x" * n),
    st.sampled_from([DIFF, "a\nb", " " * 300, "\n" * 90, "\u200b"]),
)
values = st.recursive(
    texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.just("k" * 700), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(texts.map(lambda text: text[:900]), values, max_size=6))
def test_should_leave_out_nothing_in_any_part(context: dict[str, Any]) -> None:
    whole = shown(context)
    made = parts(whole)
    joined: list[tuple[str, str, int]] = []
    for row in chain.from_iterable(made):
        if row.again and row.kind == "group":
            continue
        if row.again:
            name, value, depth = joined[-1]
            assert name == row.name
            joined[-1] = (name, value + row.value, depth)
        else:
            joined.append((row.name, row.value, row.depth))
    assert joined == [(row.name, row.value, row.depth) for row in whole]
    for part in made:
        assert sum(len(row.name) + len(row.value) + ROW for row in part) <= PART
        assert all(row.whole == (not row.again and not row.goes_on) for row in part)


@given(st.text())
def test_should_show_no_name_that_acts(name: str) -> None:
    *long, row = shown({name: 1})
    assert row.value == "1"
    assert [one.value for one in long] in ([], [inert(name)])
    assert row.name == ("(its value)" if long else inert(name) or '""')
