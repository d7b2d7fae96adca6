"""The bill: its quantities are those that were counted, its prices say where they are from."""

from __future__ import annotations

import json
from datetime import date, timedelta
from importlib.resources import files

import pytest

from bench.calls import GOALS, messages_of_one, one_approval
from bench.wire import Call
from hitl_approval_cli.commands import cost
from hitl_approval_cli.commands.cost import Units

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def taken() -> dict[str, list[Call]]:
    return {action: list(calls) for action, calls in one_approval().items()}


def test_should_make_no_call_more_than_it_must(taken: dict[str, list[Call]]) -> None:
    assert {action: len(taken[action]) for action in GOALS} == GOALS


@pytest.mark.parametrize(
    ("action", "times", "units"),
    [
        ("submit", 1, cost.SUBMIT),
        ("check again, twice", 2, cost.CHECK_AGAIN),
        ("decide", 1, cost.DECIDE),
        ("resume", 1, cost.RESUME),
    ],
)
def test_should_bill_the_capacity_that_the_calls_consume(
    taken: dict[str, list[Call]], action: str, times: int, units: Units
) -> None:
    calls = taken[action]
    assert sum(call.read_units for call in calls) == times * units.reads
    assert sum(call.write_units for call in calls) == times * units.writes


def test_should_bill_what_messages_consume() -> None:
    taken = messages_of_one()
    request, outcome, over = taken.values()
    # The timer of the reminders is written with the request, and closed when it is due.
    writes = sum(call.write_units for calls in taken.values() for call in calls)
    assert writes == 2 * cost.MESSAGE.writes + cost.REMINDERS.writes
    reads = sum(call.read_units for call in [*request, *outcome])
    assert reads == 2 * cost.MESSAGE.reads + cost.EARLIER.reads
    queries = sum(call.operation == "Query" for call in over)
    assert queries * 0.5 == cost.MESSENGER_READS
    assert sum(call.operation == "Publish" for call in [*request, *outcome, *over]) == 2


def test_should_cost_what_a_day_with_two_mails_to_one_person_each_may_cost() -> None:
    # The request's and the outcome's: 0.00004 of it are SNS's price of the mails.
    assert cost.total(cost.with_messages(cost.callback_quantities(DAY), 2)) <= 0.00025


def test_should_cost_less_than_a_fiftieth_of_a_cent_for_a_day() -> None:
    assert cost.total(cost.callback_quantities(DAY)) <= 0.0002


def test_should_say_where_each_price_is_from() -> None:
    kept = json.loads(files("hitl_approval_cli.commands").joinpath("prices.json").read_text())
    used = set(cost.callback_quantities(DAY)) | set(cost.monitoring_quantities())
    assert set(kept["prices"]) == used
    for price in kept["prices"].values():
        assert price["source"].startswith("https://aws.amazon.com/")
        assert price["by"]
        assert date.fromisoformat((price["read"] + "-01")[:10])
    assert all(assumed["why"] for assumed in kept["assumptions"].values())
