"""Somebody is erased while a request of theirs runs: too early it is refused, later it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hitl_approval.domain import salted
from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval as Record
from hitl_approval.domain.salted import erased_of, is_erasure
from hitl_approval.domain.text import spelling
from hitl_approval.usecases.trail import Trail, read_trail
from hitl_approval_cli import erasing
from hitl_approval_cli.erasing import Approval, Erasing, Refused
from tests.faults.deployment import APPROVALS_TABLE, AUDIT_TABLE, ERASER, Deployment, plain
from tests.faults.evidence import TERMINAL
from tests.faults.feeds import client
from tests.faults.scenario import SECOND, Scenario, both, decision, event
from tests.faults.simulator import Actor, Killed, ProcessDied

__all__ = [
    "ERASING",
    "erases_everybody",
    "erases_the_trail_before_the_record",
    "erases_what_is_open",
    "erases_what_no_workflow_has_read",
    "erasures_take_values_only",
]
SETTLED = 40 * SECOND
"""Stands for a day: longer than a person repeats what was not answered."""
TRIES = 4
"""Of one erasure that meets faults."""


def _erase(world: Deployment, person: str, *moments: timedelta) -> None:
    """An operator erases somebody as soon as there is a request, and again at these times."""

    world.erased = person

    def body(me: Actor) -> None:
        me.wait(lambda: bool(world.rows()))
        for moment in (timedelta(0), *moments):
            me.sleep(moment)
            _insist(world, me, person)

    world.world.add(ERASER, body)


def _insist(world: Deployment, me: Actor, person: str) -> None:
    for _ in range(TRIES):
        me.start_process()
        made = Erasing(
            client=client(world),
            approvals_table=APPROVALS_TABLE,
            audit_table=AUDIT_TABLE,
            inbox_table=None,
            messages_table=None,
            signer=None,
            person=person,
            now=me.now(),
            settled=SETTLED,
        )
        try:
            found = made.find()
            refused = [made.erase(approval) for approval in found.approvals]
        except (Killed, ProcessDied, Exception):
            if world.world.over:
                raise
            me.sleep(SECOND)
            continue
        world.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: {found.refused} {refused}")
        if not any(refused):
            return
        me.sleep(SECOND)


def _erased(world: Deployment) -> None:
    """Bob approves and is erased, at once in vain, and when it is long over."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))
    _erase(world, "bob", 50 * SECOND, 300 * SECOND)


def _asker_erased(world: Deployment) -> None:
    """Alice asks, nobody answers in time, and she is erased."""
    world.start("start", event())
    _erase(world, "alice", 60 * SECOND, 300 * SECOND)


ERASING = [*both("erased", _erased), Scenario("asker-erased", _asker_erased)]


def erasures_take_values_only(deployment: Deployment) -> Iterator[str]:
    """27. An erasure takes what has ended and was read, one person's values, and no chain."""
    trails: dict[str, dict[int, Mapping[str, Any]]] = {}
    standing: set[str] = set()
    for wrote in deployment.world.writes:
        write = wrote.write
        if write.table not in {APPROVALS_TABLE, AUDIT_TABLE}:
            continue  # messages and inboxes have promises of their own
        before, after = plain(write.before or {}), plain(write.after)
        approval_id = (after or before)["approval_id"]
        if write.table == APPROVALS_TABLE:
            standing = standing | {approval_id} if after else standing - {approval_id}
        else:
            trails.setdefault(approval_id, {})[after["sequence"]] = after
        if wrote.actor != ERASER:
            continue
        if write.table == APPROVALS_TABLE:
            if before["status"] not in TERMINAL or not before.get("resumed"):
                yield f"{approval_id} was erased, which was {before['status']}"
        elif not is_erasure(before, after):
            yield f"event {before['sequence']} was altered and not erased"
        elif spelling(before["actor"]) != spelling(deployment.erased):
            yield f"{before['actor']} went with {deployment.erased}"
        trail = [event for _, event in sorted(trails[approval_id].items())]
        if approval_id in standing and any(map(erased_of, trail)):
            yield f"the record of {approval_id} stands, and its trail is erased"
        for finding in examine(trail, None):
            yield f"event {finding.sequence} {finding.problem}"
    if deployment.erased and not deployment.world.faults:
        yield from _left(deployment)


def _left(deployment: Deployment) -> Iterator[str]:
    """Where somebody still stands although they were erased, and nothing went wrong."""
    for item in deployment.db.items(AUDIT_TABLE):
        if plain(item)["actor"] == deployment.erased:
            yield f"{deployment.erased} is still in event {plain(item)['sequence']}"
    if deployment.db.items(APPROVALS_TABLE):
        yield f"a record that names {deployment.erased} is still there"


class _Unconditional:
    """A client that writes whatever it has read, whatever stands there now."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def delete_item(self, **wanted: Any) -> Any:
        return self.real.delete_item(TableName=wanted["TableName"], Key=wanted["Key"])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@contextmanager
def _taking(as_if: Callable[[Record], Record]) -> Iterator[None]:
    """Records are taken to be otherwise than they are, and removed without a condition."""
    erase = Erasing.erase

    def lenient(*args: Any) -> Trail:
        trail = read_trail(*args)
        shown = trail.approval and as_if(trail.approval)
        return replace(trail, approval=shown)

    def bare(self: Erasing, approval: Approval) -> Refused | None:
        return erase(replace(self, client=_Unconditional(self.client)), approval)

    with patch(f"{erasing.__name__}.read_trail", lenient), patch.object(Erasing, "erase", bare):
        yield


@contextmanager
def erases_what_is_open() -> Iterator[None]:
    """Whatever names them goes, decided or not."""
    with (
        patch(f"{__name__}.SETTLED", timedelta(0)),
        _taking(lambda record: replace(record, status="approved", resumed=True)),
    ):
        yield


@contextmanager
def erases_what_no_workflow_has_read() -> Iterator[None]:
    """What has been decided goes before its workflow has resumed."""
    with _taking(lambda record: record if record.pending else replace(record, resumed=True)):
        yield


@contextmanager
def erases_the_trail_before_the_record() -> Iterator[None]:
    erase = Erasing.erase

    def other_order(self: Erasing, approval: Approval) -> Refused | None:
        values = replace(approval, row=False)
        return erase(self, values) or erase(self, replace(approval, events=[]))

    with patch.object(Erasing, "erase", other_order):
        yield


@contextmanager
def erases_everybody() -> Iterator[None]:
    """Who has acted beside somebody goes with them."""

    def all_of_it(event: Mapping[str, Any], _: str, *, at: str) -> dict[str, Any] | None:
        return salted.erase(event, event["actor"], at=at)

    with patch.object(erasing, "erase", all_of_it):
        yield
