"""A mail shows the few fields that are read at a glance, and says what the page has more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.voting import cast_vote
from hitl_approval.mail.facts import MAX_ROWS, MAX_VALUE, shown_in_mail
from tests.anything import NOW, declared
from tests.unit.mail.mailed import asked, asking, html_of, read, text_of


def test_should_show_the_first_fields_in_their_order() -> None:
    shown = shown_in_mail(asked(document_id=None))
    assert dict(shown.rows) == {
        "Amount": "70,000.00 EUR",
        "due": "2026-01-31",
        "supplier": "2 fields, on the page",
        "urgent": "no",
    }
    assert shown.more == 1


@pytest.mark.parametrize(
    ("value", "said", "whole"),
    [
        (None, "none", True),
        (True, "yes", True),
        (12.5, "12.5", True),
        ([], "[]", True),
        ({}, "{}", True),
        (["a"], "1 item, on the page", False),
        ("a\r\nb", "a\nb", True),
        ("a\u202eb", "a\\u202eb", True),
        ("x" * MAX_VALUE, "x" * MAX_VALUE, True),
        ("x" * (MAX_VALUE + 1), "x" * (MAX_VALUE - 1) + "\u2026", False),
    ],
)
def test_should_say_each_value_so_that_it_only_reads(value: Any, said: str, whole: bool) -> None:
    shown = shown_in_mail(asked(document_id=None, context={"a": value}))
    assert (shown.rows, shown.more) == ((("a", said),), 0 if whole else 1)


def test_should_say_how_much_is_left_to_the_page() -> None:
    context = {"b": ["padding"]} | {f"f{number}": number for number in range(300)}
    shown = shown_in_mail(asked(document_id=None, context=context))
    assert len(shown.rows) == MAX_ROWS
    assert shown.more == 301 - MAX_ROWS + 1
    mail = read(asking(asked(context=context)))
    for body in (text_of(mail), html_of(mail)):
        assert "The page shows more: 294 fields are not here, or not whole." in body


def test_should_show_first_what_the_page_shows_first() -> None:
    context = {"x": 1, "next": "It is paid.", "risk": "high", "amount": 70_000, "currency": "EUR"}
    shown = shown_in_mail(asked(document_id=None, context=context))
    assert shown.rows == (
        ("Amount", "70,000 EUR"), ("Risk", "high"), ("Next", "It is paid."), ("x", "1"),
    )  # fmt: skip


def test_should_leave_to_the_page_what_is_sensitive() -> None:
    context = {"iban": "DE02120300000000202051", "customer": {"name": "Cid"}}
    approval = asked(document_id=None, context=context, sensitive=("iban",))
    shown = shown_in_mail(approval)
    assert dict(shown.rows)["iban"] == "(shown on the page)"
    assert shown.more == 2
    mail = read(asking(approval))
    assert "DE02" not in text_of(mail) + html_of(mail)


def test_should_name_a_field_without_a_name() -> None:
    shown = shown_in_mail(asked(document_id=None, context={"": 1, "n" * 100: 2}))
    assert [name for name, _ in shown.rows] == ["(no name)", "n" * 59 + "\u2026"]


def test_should_say_who_can_still_answer_once_somebody_has() -> None:
    approval = replace(asked(), policy=Policy(quorum=Quorum.everyone()))
    assert "still answer" not in html_of(read(asking(approval)))
    voted = cast_vote(approval, declared("bob@example.com"), "approved", "", now=NOW)
    assert voted is not None
    said = "1 of 2 approvals; ann@example.com must still answer"
    for text in (html_of(read(asking(voted.after))), text_of(read(asking(voted.after)))):
        assert said in " ".join(text.split())
