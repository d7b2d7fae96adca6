"""What people and machines do in the schedules: each scenario sets a world up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError, HTTPClientError

from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum
from tests.faults.agents import AGENTS
from tests.faults.deployment import APPROVALS_TABLE, TIMEOUT, Deployment
from tests.faults.durable import arn_of
from tests.faults.dynamodb import Item
from tests.faults.edits import EDITS
from tests.faults.erasing import ERASING
from tests.faults.messaging import MESSAGING
from tests.faults.ruling import RULING
from tests.faults.scenario import POLLING, SECOND, Scenario, both, decision, event, under
from tests.faults.simulator import Actor
from tests.faults.standing_in import STANDING_IN
from tests.faults.superseding import SUPERSEDING
from tests.faults.sweeping import SWEEPING
from tests.faults.turns import TURNS
from tests.faults.visitors import VISITORS


def _approve(world: Deployment) -> None:
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))


def _asked(world: Deployment) -> None:
    """The same for a function that has no right but to ask."""
    world.askers.names.add("start")
    _approve(world)


def _asked_late(world: Deployment) -> None:
    world.askers.names.add("start")
    _late_approve(world)


def _asked_in_vain(world: Deployment) -> None:
    world.askers.names.add("start")
    world.start("start", event())


def _reject(world: Deployment) -> None:
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "rejected"), when=world.row_exists(approval))


def _late_approve(world: Deployment) -> None:
    """The decision comes while the workflow checks by itself and creates its second callback."""
    approval = world.start("start", event(timeout_seconds=600))
    world.person("bob", decision(approval, "bob", "approved"), at=61 * SECOND)


def _timeout(world: Deployment) -> None:
    world.start("start", event())


def _cancel(world: Deployment) -> None:
    approval = world.start("start", event())
    withdrawal = {"action": "cancel", "approval_id": approval, "approver": "alice"}
    world.person("alice", withdrawal, when=world.row_exists(approval))
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))


def _early(world: Deployment) -> None:
    """A decision, and a forbidden one, that may come before there is anything to decide."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"))
    world.person("mallory", decision(approval, "mallory", "approved"), at=SECOND)


def _approve_against_timeout(world: Deployment) -> None:
    """Bob reads the request in time; his write and the end of the time fall together."""
    approval = world.start("start", event())
    late = timedelta(0) if world.polling else SECOND
    latency = SECOND + late / 2
    world.person(
        "bob",
        decision(approval, "bob", "approved"),
        at=TIMEOUT + late - 2 * latency,
        latency=latency,
    )


def _opposite(world: Deployment) -> None:
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))
    world.person("carol", decision(approval, "carol", "rejected"), when=world.row_exists(approval))


def _quorum(world: Deployment) -> None:
    """Two of three; all three answer together, one of them no."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.person("carol", decision(approval, "carol", "approved"), at=6 * SECOND)
    world.person("dave", decision(approval, "dave", "rejected"), at=6 * SECOND)


def _together(world: Deployment) -> None:
    """Two of three; neither of two votes at once may swallow the other."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.person("carol", decision(approval, "carol", "approved"), at=5 * SECOND)


def _redelivered(world: Deployment) -> None:
    """The start comes three times under one name, and once more under another."""
    approval = world.start("start", event())

    def again(me: Actor) -> None:
        for name in ("start", "start", "other"):
            me.point(frozenset({(f"execution {arn_of('start')}", True)}))
            world.start(name, event())
            me.sleep(10 * SECOND)

    world.world.add("again", again)
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))


def _zombie(world: Deployment) -> None:
    """The service takes a running invocation for dead and starts another beside it."""
    approval = world.start("start", event())
    execution = world.durable.executions[arn_of("start")]

    def again(me: Actor) -> None:
        me.point(frozenset({(f"execution {arn_of('start')}", True)}))
        if not execution.is_complete:
            world.durable.invoke(me, execution, world.workflow)

    world.doubled = True
    world.world.add("again", again)
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)


def _poison(world: Deployment) -> None:
    """Somebody completes the workflow's callbacks with garbage, once as success, once as error."""
    approval = world.start("start", event(timeout_seconds=90))

    def forge(completion: str, **payload: Any) -> Callable[[Actor], None]:
        def body(me: Actor) -> None:
            me.wait(lambda: bool(world.durable.open_callbacks(arn_of("start"))))
            me.start_process()
            for callback_id in world.durable.open_callbacks(arn_of("start")):
                send = getattr(boto3.client("lambda"), completion)
                with suppress(ClientError, HTTPClientError):
                    send(CallbackId=callback_id, **payload)

        return body

    garbage = json.dumps({"status": "approved", "decision": "approved"}).encode()
    broken = {"ErrorType": "Approved", "ErrorMessage": "approved"}
    world.world.add("forger", forge("send_durable_execution_callback_success", Result=garbage))
    world.world.add("breaker", forge("send_durable_execution_callback_failure", Error=broken))
    world.person("bob", decision(approval, "bob", "rejected"), at=75 * SECOND)


def _skew(minutes: int) -> Callable[[Deployment], None]:
    """The workflow's clock is ahead, bob's is behind and carol's is right, or the other way round.

    Both answer at the very moment at which the workflow finds its time over.
    """

    def set_up(world: Deployment) -> None:
        ahead = minutes * 60 * SECOND
        approval = world.start("start", event(timeout_seconds=600), skew=ahead)
        end = 600 * SECOND
        world.person("bob", decision(approval, "bob", "approved"), at=end, skew=-ahead)
        world.person("carol", decision(approval, "carol", "rejected"), at=end)

    return set_up


def _storm(conflicts: int) -> Callable[[Deployment], None]:
    """From the moment there is something to decide, so many transactions meet a conflict."""

    def set_up(world: Deployment) -> None:
        approval = world.start("start", event())

        def blow(me: Actor) -> None:
            me.wait(world.row_exists(approval))
            world.world.storm = conflicts

        world.world.add("storm", blow)
        world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))
        world.person("carol", decision(approval, "carol", "rejected"), at=59 * SECOND)

    return set_up


def _storm_at_start(conflicts: int) -> Callable[[Deployment], None]:
    """So many tries to record the start meet a conflict; at six it fails where operators see it."""

    def set_up(world: Deployment) -> None:
        world.world.storm = conflicts
        world.may_fail = True
        world.start("start", event())

    return set_up


def _approved_by_hand(world: Deployment) -> None:
    """Somebody who may write the table sets the row to approved; nobody has decided anything."""
    world.may_fail = True
    approval = world.start("start", event())
    key = (f"S:{approval}",)

    def approved() -> Item | None:
        row = world.db.tables[APPROVALS_TABLE][key]
        if row["status"] != {"S": "pending"}:
            return None
        at = {"S": world.world.now.isoformat()}
        return {**row, "status": {"S": "approved"}, "decided_by": {"S": "bob"}, "decided_at": at}

    world.stranger(world.row_exists(approval), approved)


def _refused(world: Deployment) -> None:
    """Two rejections reject; two reject, and one approves, which is enough."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "rejected"), at=5 * SECOND)
    world.person("carol", decision(approval, "carol", "rejected"), at=5 * SECOND)
    world.person("dave", decision(approval, "dave", "approved"), at=5 * SECOND)


def _broadcast_refused(world: Deployment) -> None:
    """The topic refuses each message."""
    world.refuses = lambda _: True
    approval = world.start("start", event(approvers=["bob", "carol"], timeout_seconds=120))
    world.person("bob", decision(approval, "bob", "approved"), at=100 * SECOND)


def _read_denied(world: Deployment) -> None:
    """The workflow may not read its record for a while."""
    world.denied = 2
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)


TWO_OF_THREE = under(Policy(quorum=Quorum.at_least(2)))
TWO_REJECTIONS = under(Policy(rejections_needed=2))
SILENCE_REJECTS = under(Policy(on_timeout=OnTimeout.reject()))

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in [
        *both("approve", _approve),
        *both("asked", _asked),
        Scenario("asked-late", _asked_late),
        *both("asked-in-vain", _asked_in_vain),
        *both("reject", _reject),
        Scenario("late-approve", _late_approve),
        *both("timeout", _timeout),
        *both("cancel", _cancel),
        Scenario("early", _early),
        *both("approve-against-timeout", _approve_against_timeout),
        *both("opposite", _opposite),
        *both("quorum", _quorum, **TWO_OF_THREE),
        Scenario("together", _together, TWO_OF_THREE),
        Scenario("two-rejections", _refused, TWO_REJECTIONS),
        Scenario("silence-rejects", _timeout, SILENCE_REJECTS),
        Scenario("approve-against-silence", _approve_against_timeout, SILENCE_REJECTS),
        Scenario("redelivered", _redelivered),
        *both("zombie", _zombie),
        Scenario("poison", _poison),
        *both("approved-by-hand", _approved_by_hand),
        *both("skew-ahead", _skew(5), POLL_INTERVAL_SECONDS="200"),
        *both("skew-behind", _skew(-5), POLL_INTERVAL_SECONDS="200"),
        *[Scenario(f"storm-{n}", _storm(n)) for n in (1, 9, 10, 25)],
        *[Scenario(f"storm-at-start-{n}", _storm_at_start(n)) for n in (2, 6)],
        *both("broadcast-refused", _broadcast_refused),
        Scenario("read-denied-polling", _read_denied, POLLING),
        *SUPERSEDING,
        *EDITS,
        *TURNS,
        *STANDING_IN,
        *RULING,
        *SWEEPING,
        *VISITORS,
        *MESSAGING,
        *AGENTS,
        *ERASING,
    ]
}
