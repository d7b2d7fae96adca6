"""List-price cost per approval: `hitl cost`'s own arithmetic, for the waits of the other table."""

from __future__ import annotations

from bench.figures import Chart, Figure, Group, Table, number
from bench.operations import WAITS
from hitl_approval_cli.commands import cost
from hitl_approval_cli.cost_model import pattern

DESIGNS = {
    "callback": cost.callback_quantities,
    "polling, 5 s": cost.polling_quantities,
    "pattern's loop": cost.pattern_quantities,
}


def measure(_: bool) -> Group:
    """Multiply quantities by prices."""
    totals = {
        name: [cost.total(quantities(wait)) for wait in WAITS.values()]
        for name, quantities in DESIGNS.items()
    }
    day = WAITS["24 h"]
    return Group(
        title="List-price cost per approval",
        figures=[
            Figure(
                name="cost of an approval, callback, 24 h",
                measured=cost.total(cost.callback_quantities(day)),
                unit="$",
                baseline=cost.total(cost.pattern_quantities(day)),
                against="the pattern until it dies",
                limit=0.0002,
            ),
            Figure(
                name="the same with a page: a mail with a link, a mail of the outcome",
                measured=cost.total(cost.with_messages(cost.callback_quantities(day), 2)),
                unit="$",
                limit=0.00025,
                note="the mails by SNS are 0.00004 of it; by SES each would be 0.0001",
            ),
        ],
        tables=[
            Table(
                title="Dollars per approval, one e-mail included",
                head=("", *WAITS),
                rows=[(name, *(number(usd, "$") for usd in row)) for name, row in totals.items()],
            ),
            Table(
                title="Of which, callback, 24 h",
                head=("", "$"),
                rows=[
                    (item.replace("_", " "), number(usd, "$"))
                    for item, usd in cost.bill(cost.callback_quantities(day)).items()
                ],
            ),
        ],
        charts=[
            Chart(
                file="cost.svg",
                title="List price of one approval, by the time until it is decided",
                unit="$",
                labels=list(WAITS),
                series={
                    name: [
                        None if name == "pattern's loop" and pattern(wait).died_after else usd
                        for wait, usd in zip(WAITS.values(), row, strict=True)
                    ]
                    for name, row in totals.items()
                },
            )
        ],
        notes=[
            (
                "Prices with their sources, and what is assumed (100 ms per invocation, 512 MB), "
                "are in `cli/hitl_approval_cli/commands/prices.json`. The sweep costs "
                f"{number(cost.total(cost.standing_quantities()), '$')} a month besides."
            )
        ],
    )
