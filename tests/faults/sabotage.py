"""Ways to break the product on purpose: each must turn a named promise red."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from botocore.exceptions import ClientError

from hitl_approval.adapters import callbacks
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.sns import SnsNotifier
from hitl_approval.contract import EXECUTION_ENDED
from hitl_approval.domain import ending, request_key, voting
from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import GENESIS, Actor, verify
from hitl_approval.domain.ending import expire
from hitl_approval.domain.errors import AlreadyDecided, VersionConflict
from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.view import view
from hitl_approval.durable import wait
from hitl_approval.http import actions
from hitl_approval.settings import settings
from hitl_approval.usecases import request
from hitl_approval.usecases.decide import Answer, DecisionService
from hitl_approval.usecases.request import RequestService
from hitl_approval.usecases.trail import Trail
from tests.faults.agents import (
    pays_something_else,
    runs_an_interrupted_turn_again,
    runs_what_was_not_asked,
)
from tests.faults.edits import covers_a_change_by_earlier_votes
from tests.faults.erasing import (
    erases_everybody,
    erases_the_trail_before_the_record,
    erases_what_is_open,
    erases_what_no_workflow_has_read,
)
from tests.faults.ruling import (
    approves_although_something_was_not_read,
    follows_a_rule_in_the_name_of_the_system,
    keeps_no_digest_of_the_rules,
    takes_what_it_cannot_read_for_a_match,
)
from tests.faults.sabotage_messages import (
    _answers_a_batch_by_its_sends,
    _claims_a_page_at_once,
    _claims_and_leaves_it_due,
    _claims_without_a_condition,
    _counts_no_attempt_at_the_claim,
    _forgets_tries_without_an_answer,
    _inserts_over_what_is_there,
    _keeps_the_last_link_only,
    _makes_up_for_missed_reminders,
    _marks_before_it_sends,
    _marks_only_what_it_still_holds,
    _marks_unsent_whoever_holds_it,
    _messenger_waits_for_poison,
    _moves_on_past_what_it_did_not_publish,
    _moves_on_past_what_it_did_not_record,
    _notes_once_and_forgets,
    _publisher_waits_for_poison,
    _records_no_reminders,
    _reminds_after_the_end,
    _sends_no_outcome,
    _sends_the_outcome_blindly,
    _takes_a_request_in_flight_for_none,
)
from tests.faults.sabotage_sweep import (
    _sweep_closes_before_the_expiry,
    _sweep_closes_what_it_read_first,
    _sweep_decides_approved,
    _sweep_dies_of_one_record,
    _sweep_notes_before_it_counts,
    _sweep_resumes_nobody,
    _sweep_resumes_once_and_forgets,
    _sweep_says_nothing_of_what_it_passes,
    _workflow_does_not_note_an_early_decision,
)
from tests.faults.sabotage_turns import (
    _escalates_before_it_is_due,
    _hands_over_a_place_that_has_answered,
    _lets_who_was_asked_first_decide,
    _opens_the_next_stage_by_any_approval,
    _skips_the_later_stages,
    _takes_back_what_a_stage_is_built_on,
)
from tests.faults.simulator import Bounds
from tests.faults.standing_in import (
    commits_a_vote_whose_delegation_has_gone,
    counts_a_delegation_at_its_last_moment,
    counts_a_delegation_before_it_begins,
    counts_both_names_of_a_place,
    lets_one_person_stand_in_for_two,
    lets_the_requester_stand_in,
)
from tests.faults.superseding import replaces_in_two_writes

Sabotage = Any
"""A context manager's factory: while it is entered, the product is broken."""


@contextmanager
def _writes_without_a_condition() -> Iterator[None]:
    transact = DynamoDbStore._transact

    def bare(self: DynamoDbStore, writes: Sequence[Mapping[str, Any]]) -> None:
        updates = [write["Update"] for write in writes if "Update" in write]
        for update in updates:
            kept = {k: v for k, v in update.items() if k != "ConditionExpression"}
            self.client.transact_write_items(TransactItems=[{"Update": kept}])
        if not updates:
            transact(self, writes)

    with patch.object(DynamoDbStore, "_transact", bare):
        yield


def _writing(condition: str, *, event_condition: bool) -> Sabotage:
    """Another condition on the row, and on the event the one it has or none."""

    def broken(self: DynamoDbStore, write: Mapping[str, Any]) -> Mapping[str, Any]:
        if update := write.get("Update"):
            return {"Update": {**update, "ConditionExpression": condition}}
        put = write["Put"]
        if put["TableName"] != self.audit_table or event_condition:
            return write
        return {"Put": {k: v for k, v in put.items() if k != "ConditionExpression"}}

    def transact(self: DynamoDbStore, writes: Sequence[Mapping[str, Any]]) -> None:
        try:
            self.client.transact_write_items(TransactItems=[broken(self, w) for w in writes])
        except ClientError as error:
            raise VersionConflict from error

    return patch.object(DynamoDbStore, "_transact", transact)


def _drops_the_version_condition() -> Sabotage:
    """The event's own condition still keeps two votes apart; the newest callback is missed."""
    return _writing("#status = :pending", event_condition=True)


def _drops_the_version_and_event_conditions() -> Sabotage:
    return _writing("#status = :pending", event_condition=False)


@contextmanager
def _waits_before_it_registers() -> Iterator[None]:
    """Creates a callback that the record never gets."""
    with patch.object(
        RequestService, "register_callback", lambda self, approval_id, _: self.get(approval_id)
    ):
        yield


@contextmanager
def _times_out_without_a_re_read() -> Iterator[None]:
    def check_status(self: RequestService, approval_id: str) -> Approval:
        approval = self.get(approval_id)
        late = replace(approval, status="pending", version=approval.version)
        closed = expire(late, now=self.clock.now())
        return closed.after if closed else approval

    with patch.object(RequestService, "check_status", check_status):
        yield


@contextmanager
def _takes_the_result_from_the_callback() -> Iterator[None]:
    listen = wait._Wait._listen

    def believe(self: Any, snapshot: Any, callback: Any, delay: timedelta) -> Any:
        results: list[Any] = []
        result = type(callback).result

        def noting(callback: Any) -> Any:
            results.append(result(callback))
            return results[-1]

        with patch.object(type(callback), "result", noting):
            final = listen(self, snapshot, callback, delay)
        return {**final, "status": "approved"} if any(results) else final

    with patch.object(wait._Wait, "_listen", believe):
        yield


@contextmanager
def _lets_the_first_vote_decide() -> Iterator[None]:
    def evaluate(approval: Approval) -> str:
        return approval.votes[-1].decision

    with patch.object(voting, "_evaluate", evaluate):
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
def _checks_at_the_expiry_only() -> Iterator[None]:
    def no_recheck(_: timedelta, remaining: timedelta, __: int = 1) -> timedelta:
        return max(remaining, timedelta(0))

    with patch.object(wait, "recheck_delay", no_recheck):
        yield


@contextmanager
def _draws_the_id() -> Iterator[None]:
    with patch.object(request_key, "derive_approval_id", lambda *_: uuid4().hex):
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

    def rowless(self: DynamoDbStore, writes: Sequence[Mapping[str, Any]]) -> None:
        updates = [write for write in writes if "Update" in write]
        if updates:
            self.client.transact_write_items(TransactItems=updates)
            return
        transact(self, writes)

    with patch.object(DynamoDbStore, "_transact", rowless):
        yield


@contextmanager
def _does_not_chain() -> Iterator[None]:
    record = with_event

    def unchained(after: Approval, *args: Any) -> Transition:
        return record(replace(after, audit_hash=GENESIS), *args)

    with (
        patch.object(ending, "with_event", unchained),
        patch.object(voting, "with_event", unchained),
    ):
        yield


@contextmanager
def _tells_losers_that_they_lost_to_nobody() -> Iterator[None]:
    def closed(approval: Approval) -> AlreadyDecided:
        return AlreadyDecided("too late", status=approval.status, decided_by=None)

    with patch.object(voting, "closed", closed):
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


@contextmanager
def _evaluating(rules: Callable[[Policy], Policy]) -> Iterator[None]:
    """Votes are counted by other rules than those on the record."""
    evaluate = voting._evaluate

    def otherwise(approval: Approval) -> str:
        return evaluate(replace(approval, policy=rules(approval.policy)))

    with patch.object(voting, "_evaluate", otherwise):
        yield


def _goes_by_the_newest_policy() -> Sabotage:
    return _evaluating(lambda _: settings().policy)


def _takes_one_rejection_for_enough() -> Sabotage:
    return _evaluating(lambda policy: replace(policy, rejections_needed=1))


@contextmanager
def _takes_silence_for_a_timeout() -> Iterator[None]:
    def lenient(approval: Approval, *, now: datetime) -> Transition | None:
        policy = replace(approval.policy, on_timeout=OnTimeout.timeout())
        return expire(replace(approval, policy=policy), now=now)

    with patch.object(request, "expire", lenient):
        yield


@contextmanager
def _lets_anybody_decide() -> Iterator[None]:
    with patch.object(voting, "check_may_decide", lambda *_: None):
        yield


@contextmanager
def _verifies_against_what_it_read_first() -> Iterator[None]:
    def history(self: DecisionService, approval_id: str) -> Trail:
        approval = self.store.get(approval_id)
        head = approval.audit_head if approval else None
        events = self.store.history(approval_id)
        return Trail(events, verify(events, head))

    with patch.object(DecisionService, "history", history):
        yield


@contextmanager
def _shows_what_the_votes_will_amount_to() -> Iterator[None]:
    """The first vote is shown as the decision, which it is not."""

    def hasty(approval: Approval, actor: Actor | None = None, **more: Any) -> dict[str, Any]:
        shown = replace(approval, status="approved") if approval.votes else approval
        return view(shown, actor, **more)

    with patch.object(actions, "view", hasty):
        yield


@contextmanager
def _believes_the_row_alone() -> Iterator[None]:
    with patch.object(RequestService, "_agreed", lambda _, approval: approval):
        yield


@contextmanager
def _ends_with_a_refused_message() -> Iterator[None]:
    def loud(self: Any) -> None:
        self.service.notify(self.approval_id)

    with patch.object(wait._Wait, "_try_to_notify", loud):
        yield


def _ends_with_a_refused_read() -> Sabotage:
    return patch.object(wait, "READ_ATTEMPTS", 1)


def _takes_a_paused_workflow_for_ended() -> Sabotage:
    return patch.object(callbacks, "EXECUTION_ENDED", EXECUTION_ENDED | {"PAUSING", "PAUSED"})


CALM = Bounds()
ONE = Bounds(faults=1)
SLOW_AND_FAILED = Bounds(faults=2, preemptions=1, kinds=frozenset({"slow", "fail"}))
"""A try that outlives its lease, and one that fails meanwhile."""


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
    Case(_checks_at_the_expiry_only, "nothing_answered_is_lost", "late-approve", ONE),
    Case(_draws_the_id, "notified_once", "timeout", ONE),
    Case(_swallows_what_it_cannot_send, "notified_once", "timeout", ONE),
    Case(_writes_no_event, "audit_is_whole", "approve"),
    Case(_does_not_chain, "audit_is_whole", "approve"),
    Case(_tells_losers_that_they_lost_to_nobody, "losers_learn_who_won", "opposite"),
    Case(_notes_every_attempt, "refusals_change_nothing", "opposite"),
    Case(_lets_anybody_decide, "approved_by_policy", "refused"),
    Case(_goes_by_the_newest_policy, "approved_by_policy", "redeployed"),
    Case(_takes_one_rejection_for_enough, "approved_by_policy", "two-rejections"),
    Case(_takes_silence_for_a_timeout, "approved_by_policy", "silence-rejects"),
    Case(_verifies_against_what_it_read_first, "readers_see_what_was", "readers"),
    Case(_shows_what_the_votes_will_amount_to, "readers_see_what_was", "readers"),
    Case(_believes_the_row_alone, "all_agree", "approved-by-hand"),
    Case(_believes_the_row_alone, "all_agree", "approved-by-hand-polling"),
    Case(covers_a_change_by_earlier_votes, "seen_by_who_approved", "edited"),
    Case(replaces_in_two_writes, "replaced_with_its_successor", "superseded"),
    Case(_sweep_dies_of_one_record, "nothing_is_left_behind", "unreadable"),
    Case(_sweep_says_nothing_of_what_it_passes, "nothing_is_left_behind", "unreadable"),
    Case(_ends_with_a_refused_message, "all_agree", "broadcast-refused-polling"),
    Case(_ends_with_a_refused_read, "all_agree", "read-denied-polling"),
    Case(_takes_a_paused_workflow_for_ended, "nothing_is_left_behind", "paused"),
    Case(_sweep_closes_before_the_expiry, "approved_by_policy", "not-resumed"),
    Case(_sweep_decides_approved, "approved_by_policy", "stopped"),
    Case(_sweep_resumes_once_and_forgets, "nothing_is_left_behind", "not-resumed"),
    Case(_sweep_resumes_nobody, "nothing_answered_is_lost", "not-resumed"),
    Case(_sweep_closes_what_it_read_first, "one_terminal_status", "sweep-at-the-end"),
    Case(_sweep_notes_before_it_counts, "nothing_is_left_behind", "stopped", ONE),
    Case(_workflow_does_not_note_an_early_decision, "nothing_is_left_behind", "swept-early", ONE),
    Case(_claims_without_a_condition, "sent_once", "message-due"),
    Case(_inserts_over_what_is_there, "sent_once", "message"),
    Case(_claims_and_leaves_it_due, "sent_once", "message-due"),
    Case(_marks_unsent_whoever_holds_it, "sent_once", "message-due", SLOW_AND_FAILED),
    Case(_marks_only_what_it_still_holds, "sent_once", "message-due", SLOW_AND_FAILED),
    Case(_marks_before_it_sends, "everybody_is_notified", "message", ONE),
    Case(_counts_no_attempt_at_the_claim, "everybody_is_notified", "message-deadly"),
    Case(_notes_once_and_forgets, "everybody_is_notified", "message-refused", ONE),
    Case(_moves_on_past_what_it_did_not_record, "everybody_is_notified", "outcome", ONE),
    Case(_messenger_waits_for_poison, "everybody_is_notified", "fed-messenger-poison"),
    Case(_claims_a_page_at_once, "nothing_delays_another", "message-deadly"),
    Case(_answers_a_batch_by_its_sends, "nothing_delays_another", "fed-refused-polling"),
    Case(_sends_the_outcome_blindly, "outcome_follows_request", "outcome-in-flight"),
    Case(_sends_no_outcome, "outcome_follows_request", "outcome"),
    Case(_takes_a_request_in_flight_for_none, "outcome_follows_request", "outcome-in-flight"),
    Case(_forgets_tries_without_an_answer, "outcome_follows_request", "outcome", ONE),
    Case(_reminds_after_the_end, "reminders_are_in_time", "reminders"),
    Case(_records_no_reminders, "reminders_are_in_time", "reminders-beside"),
    Case(_makes_up_for_missed_reminders, "reminders_are_in_time", "reminders"),
    Case(_keeps_the_last_link_only, "links_stay_valid", "message", ONE),
    Case(_moves_on_past_what_it_did_not_publish, "events_are_published", "fed-publisher", ONE),
    Case(_publisher_waits_for_poison, "events_are_published", "fed-publisher-poison"),
    Case(_hands_over_a_place_that_has_answered, "nobody_votes_twice", "handed-over"),
    Case(_lets_who_was_asked_first_decide, "only_who_is_asked_decides", "handed-over"),
    Case(_lets_who_was_asked_first_decide, "only_who_is_asked_decides", "escalated"),
    Case(_opens_the_next_stage_by_any_approval, "stages_are_in_order", "stages"),
    Case(_skips_the_later_stages, "stages_are_in_order", "stages"),
    Case(_takes_back_what_a_stage_is_built_on, "stages_are_in_order", "taken-back"),
    Case(_escalates_before_it_is_due, "stages_are_in_order", "escalated"),
    Case(counts_both_names_of_a_place, "nobody_votes_twice", "two-names"),
    Case(lets_one_person_stand_in_for_two, "nobody_votes_twice", "two-places"),
    Case(
        lets_the_requester_stand_in,
        "nobody_stands_in_for_the_requester",
        "delegates-of-the-requester",
    ),
    Case(
        counts_a_delegation_before_it_begins,
        "only_a_standing_delegation_counts",
        "delegated-in-time",
    ),
    Case(
        counts_a_delegation_at_its_last_moment,
        "only_a_standing_delegation_counts",
        "delegated-in-time",
    ),
    Case(
        commits_a_vote_whose_delegation_has_gone,
        "only_a_standing_delegation_counts",
        "delegation-ended",
    ),
    Case(
        commits_a_vote_whose_delegation_has_gone,
        "only_a_standing_delegation_counts",
        "delegation-passed-on",
    ),
    Case(approves_although_something_was_not_read, "rules_approve_what_they_read", "unknown-field"),
    Case(takes_what_it_cannot_read_for_a_match, "rules_approve_what_they_read", "wrong-type"),
    Case(
        takes_what_it_cannot_read_for_a_match,
        "rules_approve_what_they_read",
        "truth-for-a-number",
    ),
    Case(follows_a_rule_in_the_name_of_the_system, "rules_approve_what_they_read", "ruled"),
    Case(keeps_no_digest_of_the_rules, "rules_approve_what_they_read", "ruled"),
    Case(runs_what_was_not_asked, "tools_run_as_approved", "agent"),
    Case(runs_an_interrupted_turn_again, "tools_run_as_approved", "agent", ONE),
    Case(pays_something_else, "tools_run_as_approved", "agent"),
    Case(erases_what_is_open, "all_agree", "erased"),
    Case(erases_what_is_open, "erasures_take_values_only", "erased-polling"),
    Case(erases_what_no_workflow_has_read, "all_agree", "erased", ONE),
    Case(erases_the_trail_before_the_record, "erasures_take_values_only", "erased"),
    Case(erases_everybody, "erasures_take_values_only", "erased"),
)
