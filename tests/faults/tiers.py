"""How far each scenario is explored: a quick tier for every test run, and a full one.

Quick (194 s on two free cores): every order of steps without a fault, except in
`ORDERS`, which took a quarter of the whole: there at most so many preemptions; every order with any
single fault, except in `CROWDED`, where several actors come together: there any single fault with
at most so many preemptions.

Full (597 s on two free cores): every order with any single fault, except in `LIMITED`,
where preemptions are bounded; and in `PAIRS` any two faults, with at most so many preemptions.

Orders that differ only in steps that do not touch each other count once.
"""

from __future__ import annotations

from tests.faults.scenario import Scenario
from tests.faults.simulator import Bounds

CROWDED = {
    "asked": 0,
    "asked-polling": 0,
    "asked-late": 0,
    "asked-in-vain": 0,
    "asked-in-vain-polling": 0,
    "late-approve": 1,
    "reject": 0,
    "reject-polling": 0,
    "cancel": 0,
    "cancel-polling": 0,
    "early": 0,
    "approve-against-timeout-polling": 0,
    "approve-against-silence": 0,
    "opposite": 0,
    "opposite-polling": 0,
    "quorum": 0,
    "quorum-polling": 0,
    "superseded": 0,
    "superseded-polling": 0,
    "superseded-in-peace": 0,
    "edited": 0,
    "edited-polling": 0,
    "stages": 0,
    "out-of-turn-polling": 0,
    "stage-at-the-end": 0,
    "stage-at-the-end-polling": 0,
    "escalated": 0,
    "handed-over": 0,
    "taken-back": 0,
    "two-names": 0,
    "two-places": 0,
    "delegates-of-the-requester": 0,
    "delegation-ended": 0,
    "delegation-ended-polling": 0,
    "delegation-passed-on": 0,
    "together": 1,
    "two-rejections": 0,
    "redelivered": 0,
    "zombie": 0,
    "zombie-polling": 0,
    "poison": 0,
    "skew-ahead": 0,
    "skew-ahead-polling": 0,
    "skew-behind": 0,
    "skew-behind-polling": 0,
    "broadcast-refused": 0,
    "broadcast-refused-polling": 0,
    "paused": 0,
    "stopped-polling": 0,
    "stopped-and-decided": 0,
    "stopped-before-decided": 0,
    "swept-early": 0,
    "swept-early-polling": 0,
    "sweep-among": 0,
    "sweep-twice": 0,
    "sweep-at-the-end": 0,
    "sweep-at-the-end-polling": 0,
    "readers": 0,
    "readers-at-the-end": 0,
    "refused": 0,
    "redeployed": 0,
    "redeployed-polling": 0,
    "message-due": 0,
    "message-refused": 0,
    "message-channels": 0,
    "message-channels-outcome": 0,
    "message-deadly": 0,
    "message-deadly-in-stream": 0,
    "outcome": 0,
    "outcome-in-flight": 0,
    "reminders": 0,
    "reminders-beside": 0,
    "reminded": 0,
    "row-removed": 0,
    "agent": 0,
    "agent-opposite": 0,
    "fed-messenger": 0,
    "fed-refused-polling": 0,
    "fed-publisher": 0,
    "fed-messenger-poison": 0,
    "fed-publisher-poison": 0,
    "erased": 0,
    "erased-polling": 0,
    "asker-erased": 0,
}
ORDERS = {
    # Two sweeps beside a workflow: thousands of orders, nearly all of steps that only read. Of one
    # sweep `sweep-among` tries every order, and the full tier of two.
    "sweep-twice": 1,
    # Two workflows beside each other.
    "superseded": 1,
    "superseded-polling": 1,
    "superseded-in-peace": 1,
    # An agent takes a tenth of a second.
    "agent": 1,
    "agent-opposite": 1,
}
LIMITED = {
    "stages": 1,
    "out-of-turn-polling": 1,
    "stage-at-the-end": 1,
    "stage-at-the-end-polling": 1,
    "escalated": 0,
    "handed-over": 1,
    "taken-back": 1,
    "two-names": 1,
    "two-places": 1,
    "delegates-of-the-requester": 0,
    "delegation-passed-on": 0,
    "asked": 1,
    "asked-polling": 1,
    "asked-late": 1,
    "asked-in-vain": 1,
    "asked-in-vain-polling": 1,
    "cancel": 1,
    "cancel-polling": 1,
    "opposite-polling": 1,
    "two-rejections": 0,
    "redelivered": 0,
    "zombie-polling": 1,
    "poison": 0,
    "superseded": 0,
    "superseded-polling": 0,
    "superseded-in-peace": 1,
    "edited": 0,
    "edited-polling": 0,
    "skew-ahead": 0,
    "skew-ahead-polling": 0,
    "skew-behind": 1,
    "skew-behind-polling": 1,
    "broadcast-refused": 1,
    "broadcast-refused-polling": 1,
    "sweep-twice": 0,
    "sweep-at-the-end": 0,
    "sweep-at-the-end-polling": 1,
    "readers": 0,
    "readers-at-the-end": 0,
    "refused": 1,
    "message-refused": 1,
    "message-channels": 1,
    "message-channels-outcome": 1,
    "outcome-in-flight": 1,
    "reminders": 1,
    "reminders-beside": 1,
    "agent": 1,
    "agent-opposite": 0,
    "fed-messenger": 0,
    "fed-refused-polling": 0,
    "fed-publisher": 0,
    "fed-messenger-poison": 0,
    "fed-publisher-poison": 0,
    "erased": 0,
    "erased-polling": 0,
    "asker-erased": 0,
    "opposite": 1,
    "quorum": 1,
    "zombie": 1,
    "stopped-and-decided": 1,
    "sweep-among": 1,
    "redeployed": 1,
    "redeployed-polling": 1,
    "question-answer": 1,
}
PAIRS = {
    "approve": 0,
    "approve-polling": 0,
    "late-approve": 0,
    "timeout": 0,
    "approve-against-timeout": 0,
    "opposite": 0,
    "stopped": 0,
    "message": 0,
    "message-due": 0,
    "outcome": 0,
}


def quick(scenario: Scenario) -> tuple[Bounds, ...]:
    if (preemptions := CROWDED.get(scenario.name)) is None:
        return (Bounds(faults=1),)
    calm = Bounds(preemptions=ORDERS.get(scenario.name))
    return (calm, Bounds(faults=1, preemptions=preemptions))


def full(scenario: Scenario) -> tuple[Bounds, ...]:
    single = Bounds(faults=1, preemptions=LIMITED.get(scenario.name))
    calm = () if single.preemptions is None else (Bounds(),)
    if (preemptions := PAIRS.get(scenario.name)) is None:
        return (*calm, single)
    return (*calm, single, Bounds(faults=2, preemptions=preemptions))
