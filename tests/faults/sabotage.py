"""Ways to break the product on purpose: each must turn a named promise red."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from botocore.exceptions import ClientError

from hitl_approval import waiting
from hitl_approval.adapters.dynamodb import DynamoDbStore, _marshal
from hitl_approval.adapters.sns import SnsNotifier
from hitl_approval.domain import approval as state_machine
from hitl_approval.domain.approval import Approval, Transition, expire
from hitl_approval.domain.audit import GENESIS
from hitl_approval.domain.errors import AlreadyDecided, VersionConflict
from hitl_approval.service import Answer, DecisionService, RequestService
from tests.faults.simulator import Bounds

Sabotage = Any
"""A context manager's factory: while it is entered, the product is broken."""


@contextmanager
def _writes_without_a_condition() -> Iterator[None]:
    transact = DynamoDbStore._transact

    def bare(self: DynamoDbStore, write: Mapping[str, Any], transition: Transition) -> None:
        if update := write.get("Update"):
            kept = {k: v for k, v in update.items() if k != "ConditionExpression"}
            self.client.transact_write_items(TransactItems=[{"Update": kept}])
            return
        transact(self, write, transition)

    with patch.object(DynamoDbStore, "_transact", bare):
        yield


def _writing(condition: str, *, event_condition: bool) -> Sabotage:
    """Another condition on the row, and on the event the one it has or none."""

    def transact(self: DynamoDbStore, write: Mapping[str, Any], transition: Transition) -> None:
        event = {"TableName": self.audit_table, "Item": _marshal(transition.event.to_dict())}
        if event_condition:
            event["ConditionExpression"] = "attribute_not_exists(approval_id)"
        if update := write.get("Update"):
            write = {"Update": {**update, "ConditionExpression": condition}}
        try:
            self.client.transact_write_items(TransactItems=[write, {"Put": event}])
        except ClientError as error:
            raise VersionConflict from error

    return patch.object(DynamoDbStore, "_transact", transact)


def _drops_the_version_condition() -> Sabotage:
    """The event's own condition still keeps two votes apart; the newest doorbell is missed."""
    return _writing("#status = :pending", event_condition=True)


def _drops_the_version_and_event_conditions() -> Sabotage:
    return _writing("#status = :pending", event_condition=False)


@contextmanager
def _waits_before_it_registers() -> Iterator[None]:
    """Arms a doorbell of which the record never hears."""
    with patch.object(RequestService, "arm", lambda self, approval_id, _: self.get(approval_id)):
        yield


@contextmanager
def _times_out_without_a_re_read() -> Iterator[None]:
    def look(self: RequestService, approval_id: str) -> Approval:
        approval = self.get(approval_id)
        late = replace(approval, status="pending", version=approval.version)
        closed = expire(late, now=self.clock.now())
        return closed.after if closed else approval

    with patch.object(RequestService, "look", look):
        yield


@contextmanager
def _takes_the_result_from_the_callback() -> Iterator[None]:
    listen = waiting._Wait._listen

    def believe(self: Any, snapshot: Any, bell: Any, delay: timedelta) -> Any:
        heard: list[Any] = []
        result = type(bell).result

        def overhear(callback: Any) -> Any:
            heard.append(result(callback))
            return heard[-1]

        with patch.object(type(bell), "result", overhear):
            final = listen(self, snapshot, bell, delay)
        return {**final, "status": "approved"} if any(heard) else final

    with patch.object(waiting._Wait, "_listen", believe):
        yield


@contextmanager
def _lets_the_first_vote_decide() -> Iterator[None]:
    def evaluate(approval: Approval) -> str:
        return approval.votes[-1].decision

    with patch.object(state_machine, "_evaluate", evaluate):
        yield


@contextmanager
def _takes_a_conflict_for_a_success() -> Iterator[None]:
    commit = DynamoDbStore.commit

    def careless(self: DynamoDbStore, transition: Transition) -> None:
        try:
            commit(self, transition)
        except VersionConflict:
            return

    with patch.object(DynamoDbStore, "commit", careless):
        yield


@contextmanager
def _looks_at_the_expiry_only() -> Iterator[None]:
    def no_recheck(_: timedelta, remaining: timedelta, __: int = 1) -> timedelta:
        return max(remaining, timedelta(0))

    with patch.object(waiting, "recheck_delay", no_recheck):
        yield


@contextmanager
def _draws_the_id() -> Iterator[None]:
    with patch.object(waiting, "derive_approval_id", lambda *_: uuid4().hex):
        yield


@contextmanager
def _swallows_what_it_cannot_send() -> Iterator[None]:
    publish = SnsNotifier.publish

    def silent(self: SnsNotifier, notification: Any) -> None:
        try:
            publish(self, notification)
        except Exception:  # noqa: BLE001  the fault that is to be seen
            return

    with patch.object(SnsNotifier, "publish", silent):
        yield


@contextmanager
def _writes_no_event() -> Iterator[None]:
    transact = DynamoDbStore._transact

    def rowless(self: DynamoDbStore, write: Mapping[str, Any], transition: Transition) -> None:
        if "Update" in write:
            self.client.transact_write_items(TransactItems=[write])
            return
        transact(self, write, transition)

    with patch.object(DynamoDbStore, "_transact", rowless):
        yield


@contextmanager
def _does_not_chain() -> Iterator[None]:
    record = state_machine._record

    def unchained(after: Approval, *args: Any) -> Transition:
        return record(replace(after, audit_hash=GENESIS), *args)

    with patch.object(state_machine, "_record", unchained):
        yield


@contextmanager
def _tells_losers_that_they_lost_to_nobody() -> Iterator[None]:
    def closed(approval: Approval) -> AlreadyDecided:
        return AlreadyDecided("too late", status=approval.status, decided_by=None)

    with patch.object(state_machine, "_closed", closed):
        yield


@contextmanager
def _notes_every_attempt() -> Iterator[None]:
    decide = DecisionService.decide

    def noting(self: DecisionService, approval_id: str, *args: Any, **options: Any) -> Answer:
        self.store.client.update_item(  # type: ignore[attr-defined]  # it is DynamoDB here
            TableName=self.store.approvals_table,  # type: ignore[attr-defined]
            Key={"approval_id": {"S": approval_id}},
            UpdateExpression="SET attempted = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )
        return decide(self, approval_id, *args, **options)

    with patch.object(DecisionService, "decide", noting):
        yield


CALM = Bounds()
ONE = Bounds(faults=1)


@dataclass(frozen=True, slots=True)
class Case:
    """A sabotage, the promise it breaks, and where that is seen first."""

    sabotage: Sabotage
    broken: str
    scenario: str
    bounds: Bounds = CALM

    @property
    def name(self) -> str:
        return str(self.sabotage.__name__).strip("_")


CASES: tuple[Case, ...] = (
    Case(_writes_without_a_condition, "one_terminal_status", "opposite"),
    Case(_drops_the_version_condition, "nothing_answered_is_lost", "late-approve"),
    Case(_drops_the_version_and_event_conditions, "audit_is_whole", "together"),
    Case(_waits_before_it_registers, "nothing_answered_is_lost", "late-approve"),
    Case(_times_out_without_a_re_read, "all_agree", "approve-against-timeout", ONE),
    Case(_takes_the_result_from_the_callback, "all_agree", "poison"),
    Case(_lets_the_first_vote_decide, "approved_by_policy", "quorum"),
    Case(_takes_a_conflict_for_a_success, "nothing_answered_is_lost", "opposite"),
    Case(_looks_at_the_expiry_only, "nothing_answered_is_lost", "late-approve", ONE),
    Case(_draws_the_id, "told_once", "timeout", ONE),
    Case(_swallows_what_it_cannot_send, "told_once", "timeout", ONE),
    Case(_writes_no_event, "audit_is_whole", "approve"),
    Case(_does_not_chain, "audit_is_whole", "approve"),
    Case(_tells_losers_that_they_lost_to_nobody, "losers_hear_who_won", "opposite"),
    Case(_notes_every_attempt, "refusals_change_nothing", "opposite"),
)
