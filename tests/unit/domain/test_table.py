"""A list in a spreadsheet. Threat: what somebody has asked runs there as a formula."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from hitl_approval.domain.table import COLUMNS, as_csv


def read(written: str) -> list[list[str]]:
    assert written[0] == "\ufeff"
    assert written.endswith("\r\n")
    return list(csv.reader(io.StringIO(written[1:])))


def row(**fields: Any) -> list[str]:
    [_, found] = read(as_csv([fields]))
    return found


def test_should_have_a_line_for_each_and_a_column_for_each_field() -> None:
    first = {"approval_id": "a", "subject": 'Pay "70", now\nplease', "approvers": ["ann", "bob"]}
    head, one, two = read(as_csv([first, {"approval_id": "b", "decided_by": None}]))
    assert head == list(COLUMNS)
    assert dict(zip(head, one, strict=True)) == {
        **dict.fromkeys(COLUMNS, ""),
        "approval_id": "a",
        "subject": 'Pay "70", now\nplease',
        "approvers": "ann, bob",
    }
    assert two == ["b", *[""] * (len(COLUMNS) - 1)]


def test_should_say_when_it_is_not_all() -> None:
    assert read(as_csv([], note="Only the first 5,000 were read."))[-1] == [
        "Only the first 5,000 were read."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1+1",
        "\n=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20a",
    ],
)
def test_should_run_nothing(text: str) -> None:
    assert row(subject=text)[2] == f"'{text}"
    assert row(approvers=[text, "bob"])[5] == f"'{text}, bob"


@pytest.mark.parametrize("text", ["Zoë", "a=b", "1-2", "", "'quoted"])
def test_should_leave_other_texts_as_they_are(text: str) -> None:
    assert row(subject=text)[2] == text
