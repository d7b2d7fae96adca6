"""What a rule asks of a request, and what it cannot read."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest

from hitl_approval.domain.condition import (
    Condition,
    Reading,
    Unread,
    field,
    paths_of,
)

FACTS: dict[str, Any] = {
    "amount": 99,
    "rate": 0.1,
    "country": "DE",
    "express": True,
    "customer": {"country": "AT", "vip": False, "name": None},
    "items": [{"price": 1}],
}
UNKNOWN = field("nowhere") == 1


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (field("amount") < 100, True),
        (field("amount") < 99, False),
        (field("amount") <= 99, True),
        (field("amount") > 98.5, True),
        (field("amount") >= 100, False),
        (field("amount") == 99.0, True),
        (field("amount") != 99, False),
        (field("rate") == 0.1, True),
        (field("country") == "DE", True),
        (field("country") == "de", False),
        (field("country") != "AT", True),
        (field("country").is_in(["AT", "DE"]), True),
        (field("country").is_in({"CH"}), False),
        (field("country").matches("D*"), True),
        (field("country").matches("d*"), False),
        (field("country").matches("[DF]?"), True),
        (field("amount").is_in([99.0]), True),
        (field("express") == True, True),  # noqa: E712  a condition, not a truth
        (field("customer.vip") == False, True),  # noqa: E712
        (field("customer.country") == "AT", True),
        ((field("amount") < 100) & (field("country") == "DE"), True),
        ((field("amount") < 100) & (field("country") == "AT"), False),
        ((field("amount") > 100) | (field("country") == "DE"), True),
        (~(field("amount") < 100), False),
        (~~(field("amount") < 100), True),
    ],
)
def test_should_say_whether_it_holds(condition: Condition, holds: bool) -> None:
    assert condition.read(FACTS) == Reading(holds)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (field("nowhere") < 100, "is not there"),
        (field("customer.age") < 100, "is not there"),
        (field("country.code") == "DE", "is not there: country is a string"),
        (field("items.0.price") == 1, "is not there: items is a list"),
        (field("country") < 100, "is a string, not a number"),
        (field("express") == 1, "is a boolean, not a number"),
        (field("amount") == True, "is a number, not a boolean"),  # noqa: E712
        (field("amount") == "99", "is a number, not a string"),
        (field("amount").matches("*"), "is a number, not a string"),
        (field("amount").is_in(["99"]), "is a number, not a string"),
        (field("customer.name") != "ann", "is null"),
        (field("customer") != "ann", "is an object"),
        (field("items") != "ann", "is a list"),
    ],
)
def test_should_be_neither_true_nor_false_of_what_it_cannot_read(
    condition: Condition, why: str
) -> None:
    [path] = paths_of(condition)
    unread = Reading(None, (Unread(path, why),))
    assert condition.read(FACTS) == unread
    assert (~condition).read(FACTS) == unread, "not to know is not to know the contrary"


@pytest.mark.parametrize("known", [True, False])
def test_should_hold_with_an_unread_field_only_where_it_makes_no_difference(known: bool) -> None:
    one = field("amount") == (99 if known else 98)
    either, both = (one | UNKNOWN).read(FACTS), (UNKNOWN & one).read(FACTS)
    assert either.holds is (True if known else None)
    assert both.holds is (None if known else False)
    assert {each.field for each in either.unread + both.unread} == {"nowhere"}, "and says so"


def test_should_compare_numbers_as_they_are_written() -> None:
    huge = 2**63 + 1
    assert (field("n") == float(2**63)).read({"n": huge}).holds is False, "no rounding to a float"
    assert (field("n") == 0.3).read({"n": 0.1 + 0.2}).holds is False
    assert (field("n") > huge).read({"n": 1e300}).holds is True
    for strange in (float("nan"), float("inf")):
        assert (field("n") < 100).read({"n": strange}).holds is None


@pytest.mark.parametrize(
    "malformed",
    [
        lambda: field(""),
        lambda: field(".a"),
        lambda: field("a..b"),
        lambda: field("a."),
        lambda: field("a\u202eb"),
        lambda: field("x" * 201),
        lambda: field(7),  # type: ignore[arg-type]
        lambda: field("a") == None,  # noqa: E711
        lambda: field("a") == [1],
        lambda: field("a").is_in([float("nan")]),
        lambda: field("a") < float("inf"),
        lambda: field("a") < "100",  # type: ignore[operator]
        lambda: field("a") < True,
        lambda: field("a") == "x" * 1_001,
        lambda: field("a") == "\ud800",
        lambda: field("a").matches(7),  # type: ignore[arg-type]
        lambda: field("a").is_in([]),
        lambda: field("a").is_in("abc"),
        lambda: field("a").is_in([1, "a"]),
        lambda: field("a").is_in(range(200)),
        lambda: field("a").is_in(list(range(200))),
    ],
)
def test_should_refuse_what_no_field_could_be(malformed: Any) -> None:
    with pytest.raises(ValueError, match=r"^field"):
        malformed()


def test_should_be_taken_for_no_truth_value() -> None:
    """`0 < field("a") < 9` and `a and b` would silently drop one of their conditions."""
    for mistaken in (
        lambda: 0 < field("a") < 9,
        lambda: (field("a") == 1) and (field("b") == 2),
        lambda: not field("a"),
        lambda: (field("a") == 1) & True,  # type: ignore[operator]
        lambda: (field("a") == 1) | "b",  # type: ignore[operator]
    ):
        with pytest.raises(TypeError, match=r"join conditions with &, \| and ~"):
            mistaken()


def test_should_keep_values_as_json_has_them() -> None:
    class Level(IntEnum):
        HIGH = 3

    assert (field("a") == Level.HIGH).to_json() == {"field": "a", "==": 3}
    assert type((field("a") == Level.HIGH).to_json()["=="]) is int
