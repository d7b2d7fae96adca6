"""The numbers of `docs/costs.md` are those of the model behind `hitl cost`."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from hitl_approval_cli.commands.cost import (
    callback_quantities,
    polling_quantities,
    standing_quantities,
    total,
)
from hitl_approval_cli.cost_model import callback

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8")
WAITS = {
    "1 minute": timedelta(minutes=1),
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
    "7 days": timedelta(days=7),
}


def test_should_give_the_price_of_an_approval() -> None:
    rows = re.findall(r"^\| (\d \w+) \| \$([\d.]+) \| \$([\d.]+) \|$", PAGE, re.MULTILINE)
    assert {wait for wait, _, _ in rows} == set(WAITS)
    for wait, by_callback, by_polling in rows:
        assert by_callback == f"{total(callback_quantities(WAITS[wait])):.6f}"
        assert by_polling == f"{total(polling_quantities(WAITS[wait])):.6f}"


def test_should_give_the_operations_of_an_approval() -> None:
    effort = callback(timedelta(days=1))
    said = f"takes {effort.operations} durable operations and {effort.invocations} invocations"
    assert said in PAGE


def test_should_give_the_price_of_a_deployment_that_nobody_uses() -> None:
    assert f"every five minutes: ${total(standing_quantities()):.2f} a month" in PAGE
