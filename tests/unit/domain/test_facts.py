"""The few fields that a page puts first; what is none of them stays a field like any other."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.facts import MAX_SENTENCE, facts


def test_should_put_first_what_the_vocabulary_has_and_keep_the_rest_in_order() -> None:
    context = {
        "zone": "eu",
        "next": "the refund is paid",
        "amount": 70_000,
        "currency": "EUR",
        "risk": "high",
        "about": 1,
        "impact": "one customer",
        "summary": "Refund order 7",
    }
    found = facts(context)
    assert (found.amount, found.risk, found.impact) == ("70,000 EUR", "high", "one customer")
    assert (found.summary, found.following) == ("Refund order 7", "the refund is paid")
    assert list(found.rest.items()) == [("zone", "eu"), ("about", 1)]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (7, "7"),
        (1234567.891, "1,234,567.891"),
        (-70_000, "-70,000"),
        (1e-7, "1E-7"),
        (12345678901234567890, "12,345,678,901,234,567,890"),
        ("70,000.00 EUR", "70,000.00 EUR"),
    ],
)
def test_should_show_every_digit_of_an_amount(amount: Any, shown: str) -> None:
    assert facts({"amount": amount}).amount == shown


@pytest.mark.parametrize(
    "context",
    [
        {"amount": True},
        {"amount": {"EUR": 1}},
        {"amount": None},
        {"amount": "x" * 41},
        {"amount": "1\n2"},
        {"amount": 10**40},
        {"amount": " "},
        {"currency": "EUR"},
        {"risk": "HIGH"},
        {"risk": ["high"]},
        {"summary": "x" * (MAX_SENTENCE + 1)},
        {"summary": "a\nb"},
        {"impact": 7},
        {"next": ""},
    ],
)
def test_should_leave_any_other_value_a_field(context: dict[str, Any]) -> None:
    assert facts(context).rest == context


def test_should_keep_a_currency_that_is_none() -> None:
    found = facts({"amount": 7, "currency": "euro"})
    assert (found.amount, found.rest) == ("7", {"currency": "euro"})
