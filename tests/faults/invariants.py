"""What must hold however a schedule went: the promises, each a named check.

Every check reads the final tables, the history of writes, the answers and what was sent.
A check yields one line for each violation; none means that the promise was kept.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from hitl_approval.contract import Metrics, Table
from hitl_approval.domain.audit import Head, verify
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.text import person_key
from tests.faults.agents import fails_visibly, tools_run_as_approved
from tests.faults.deciding import approved_by_policy
from tests.faults.delivered import DELIVERED
from tests.faults.deployment import (
    APPROVALS_TABLE,
    AUDIT_TABLE,
    ERASER,
    Answer,
    Deployment,
    of_a_request,
    plain,
)
from tests.faults.dynamodb import Item, Key
from tests.faults.edits import seen_by_who_approved, voided
from tests.faults.erasing import erasures_take_values_only
from tests.faults.evidence import TERMINAL, Row, by_silence, closes, end_of
from tests.faults.leftovers import nothing_is_left_behind
from tests.faults.reading import readers_see_what_was
from tests.faults.ruling import rules_approve_what_they_read
from tests.faults.standing_in import (
    nobody_stands_in_for_the_requester,
    only_a_standing_delegation_counts,
)
from tests.faults.superseding import came_too_late, replaced_with_its_successor
from tests.faults.trails import (
    nobody_votes_twice,
    only_who_is_asked_decides,
    stages_are_in_order,
)

Check = Callable[[Deployment], Iterator[str]]

SHORTEST_RECHECK = timedelta(seconds=60)
RECHECK_STRETCH = 3
SLACK = timedelta(seconds=30)
"""Retries of steps and invocations, with the faults that a schedule has."""
AT_ONCE = timedelta(seconds=3)
NOTES = {
    Table.ATTENTION,
    Table.ATTENTION_AT,
    Table.ATTENTION_TRIES,
    Table.ATTENTION_REASON,
    "resumed",
}
"""What may still be noted on a record that has ended: who has read it."""
READS = {"get", "list", "history"}
OF_PEOPLE = {"delegate", "end_delegation"}
"""Actions that are about no request: see `standing_in`."""
CHANGES = {"retract": "retracted", "reassign": "reassigned"}
"""Actions that decide nothing -> their event."""
CLOSED = {"APPROVAL_ALREADY_DECIDED", "APPROVAL_EXPIRED"}


def one_terminal_status(deployment: Deployment) -> Iterator[str]:
    """1. One terminal status per approval, never changed again."""
    for wrote in deployment.world.writes:
        write = wrote.write
        if write.table != APPROVALS_TABLE or write.before is None or wrote.actor == "stranger":
            continue
        if not write.after or not of_a_request(write.key):
            continue  # removed by its TTL, or of people, who may change who answers for them
        before, after = plain(write.before), plain(write.after)
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        if before["status"] in TERMINAL and changed - NOTES:
            yield (
                f"{wrote.actor} changed {sorted(changed - NOTES)} of a record that had ended: "
                f"{before['status']} became {after['status']}"
            )


def all_agree(deployment: Deployment) -> Iterator[str]:
    """2. The workflow's result, the row and the last audit event agree."""
    rows = deployment.rows()
    for arn, execution in deployment.durable.executions.items():
        result = execution.result
        if result is None or arn in deployment.durable.stopped:
            continue  # a workflow that hangs breaks promise 4, one that was stopped says nothing
        if result.status.value != "SUCCEEDED" or result.result is None:
            message = (result.error and result.error.message) or ""
            if came_too_late(deployment, arn, message) or fails_visibly(deployment, message):
                continue
            # What a start that failed had written is withdrawn: nobody can decide it any more.
            withdrawn = all(row["status"] == "cancelled" for row in rows.values())
            if not withdrawn or not deployment.may_fail:
                yield f"{arn} failed: {result.error.message if result.error else 'no word'}"
            continue
        said = json.loads(json.loads(result.result)["body"])
        row = rows.get(said["approval_id"])
        if row is None:
            yield f"{arn} returned {said['decision']} for a row that does not exist"
            continue
        if (said["decision"], said.get("decided_by")) != (row["status"], row.get("decided_by")):
            yield (
                f"the workflow returned {said['decision']} by {said.get('decided_by')}, "
                f"the row says {row['status']} by {row.get('decided_by')}"
            )
        if "audit_hash" not in row:
            continue
        last = deployment.events(row["approval_id"])[-1]
        if (last["event"], last["actor"]) != (row["status"], row["decided_by"]):
            yield f"the row says {row['status']}, the last event {last['event']}"


def nothing_answered_is_lost(deployment: Deployment) -> Iterator[str]:
    """4. A decision answered with 200 is never lost and always resumes the workflow in time."""
    rows = deployment.rows()
    for answer in deployment.answers:
        if answer.status != 200 or answer.payload.get("action", "decide") in READS | OF_PEOPLE:
            continue
        row = rows[answer.payload["approval_id"]]
        if not _kept(deployment, row, answer):
            yield (
                f"{answer.actor}'s {_asked(answer)} was answered 200 "
                f"and lost: the row is {row['status']}"
            )
    by_arn = {row.get("execution_arn"): row for row in rows.values()}
    for arn, execution in deployment.durable.executions.items():
        if not execution.is_complete:
            yield f"{arn} waits for ever"
            continue
        asked = by_arn.get(arn)
        stopped = arn in deployment.durable.stopped
        if stopped or asked is None or asked["status"] not in TERMINAL:
            continue
        decided = end_of(deployment, asked["approval_id"]).at
        took = deployment.durable.completed_at[arn] - decided
        if took > _patience(deployment, asked, decided):
            yield f"the workflow resumed {took} after the decision"


def notified_once(deployment: Deployment) -> Iterator[str]:
    """5. One row per start; approvers notified or that is on record; repeats keep the id."""
    rows = deployment.rows()
    starts = Counter(_start_of(deployment, row) for row in rows.values())
    for start, count in starts.items():
        if count > 1:
            yield f"{count} rows for {start}"
    ids = [m["MessageAttributes"]["approval_id"]["StringValue"] for m in deployment.world.messages]
    for unknown in set(ids) - set(rows) - deployment.altered:
        yield f"notified of {unknown}, which is no row"
    for approval_id, row in rows.items():
        if approval_id in ids or "audit_hash" not in row:
            continue
        if row["execution_arn"] in deployment.durable.stopped:
            continue  # by an operator, who knows
        on_record = [e["event"] for e in deployment.events(approval_id)]
        alarms = {name for (*_, name), count in deployment.world.metrics.items() if count}
        if "notification_failed" in on_record and Metrics.NOTIFICATION_FAILED in alarms:
            continue
        if Metrics.PENDING_PAST_EXPIRY in alarms:
            continue  # the workflow could not, and did not close it either
        if _closed_by_sweep(deployment, approval_id) and Metrics.NOTIFICATION_FAILED in alarms:
            continue  # it came after the end, to a record that takes no more events
        if "end" in row.get("rule", {}):
            continue  # a rule decides it, too late perhaps, and nobody is asked
        if row["status"] == "pending" or by_silence(row):
            yield f"nobody was notified, and nothing says so: {on_record}"


def _closed_by_sweep(deployment: Deployment, approval_id: str) -> bool:
    sweepers = {sweep.actor for sweep in deployment.swept}
    return any(
        closes(wrote.write)
        and plain(wrote.write.after)["approval_id"] == approval_id
        and wrote.actor in sweepers
        for wrote in deployment.world.writes
    )


def audit_is_whole(deployment: Deployment) -> Iterator[str]:
    """6. The audit is append-only, gap-free and hash-chained, one event for each step."""
    for wrote in deployment.world.writes:
        altered = wrote.write.table == AUDIT_TABLE and wrote.write.before is not None
        if altered and wrote.actor != ERASER:
            yield f"{wrote.actor} overwrote event {wrote.write.key}"
    for approval_id, row in deployment.rows().items():
        if "audit_hash" not in row:
            continue
        events = deployment.events(approval_id)
        head = Head(int(row["audit_sequence"]), row["audit_hash"])
        for finding in verify(events, head):
            yield f"event {finding.sequence} {finding.problem}"
        names = [event["event"] for event in events]
        if names[:1] != ["requested"] or any(name in TERMINAL for name in names[:-1]):
            yield f"an approval does not go like this: {names}"
    stray = {e["approval_id"] for e in map(plain, deployment.db.items(AUDIT_TABLE))}
    for approval_id in stray - set(deployment.rows()) - deployment.altered:
        yield f"events without a row: {approval_id}"


def losers_learn_who_won(deployment: Deployment) -> Iterator[str]:
    """7. Losing callers learn who won, and no caller is left without an answer."""
    rows = deployment.rows()
    for answer in deployment.answers:
        error = answer.body.get("error", {})
        if (answer.status or 0) >= 500 and error.get("code") != Unavailable.code:
            yield f"{answer.actor} was answered by an internal error"
        if answer.last and (answer.status is None or answer.status >= 500):
            yield f"{answer.actor} never learned what became of {_asked(answer)}"
        row = rows.get(answer.payload.get("approval_id", ""))
        if answer.status == 404 and row and _created(deployment, row) < answer.asked_at:
            yield f"{answer.actor} was answered that there is no such approval"
        if error.get("code") not in CLOSED or row is None:
            continue
        details = error["details"]
        if error["code"] == "APPROVAL_EXPIRED":
            if details["expires_at"] != row["expires_at"]:
                yield f"{answer.actor} was answered by another expiry"
        elif details["status"] == "pending":  # their own earlier vote stands against them
            voted = (
                e["actor"]
                for e in deployment.events(row["approval_id"])
                if "decision" in e["details"]
            )
            if details["decided_by"] not in voted:
                yield f"{answer.actor} was answered by a vote that is not on record"
        elif (details["status"], details["decided_by"]) != (row["status"], row.get("decided_by")):
            yield (
                f"{answer.actor} was answered {details['status']} by {details['decided_by']}, "
                f"but {row['status']} by {row.get('decided_by')} won"
            )


def refusals_change_nothing(deployment: Deployment) -> Iterator[str]:
    """8. A refused or malformed request changes nothing."""
    wrote = Counter((w.actor, w.request) for w in deployment.world.writes)
    for answer in deployment.answers:
        refused = answer.status is not None and 400 <= answer.status < 500
        if refused and wrote[answer.actor, answer.request]:
            yield f"{answer.actor}'s {_asked(answer)} was refused ({answer.status}), yet it wrote"
    yield from _content(deployment)


INVARIANTS: tuple[Check, ...] = (
    one_terminal_status,
    all_agree,
    approved_by_policy,
    nothing_answered_is_lost,
    notified_once,
    audit_is_whole,
    losers_learn_who_won,
    refusals_change_nothing,
    nothing_is_left_behind,
    readers_see_what_was,
    *DELIVERED,
    replaced_with_its_successor,
    seen_by_who_approved,
    nobody_votes_twice,
    only_who_is_asked_decides,
    stages_are_in_order,
    only_a_standing_delegation_counts,
    nobody_stands_in_for_the_requester,
    rules_approve_what_they_read,
    tools_run_as_approved,
    erasures_take_values_only,
)


def violations(deployment: Deployment) -> list[str]:
    """Every promise that this schedule broke, by name."""
    return [f"{check.__name__}: {line}" for check in INVARIANTS for line in check(deployment)]


def _content(deployment: Deployment) -> Iterator[str]:
    """The tables hold what was written to them, write upon write, and nothing else."""
    content: dict[tuple[str, Key], Item] = {}
    for wrote in deployment.world.writes:
        write = wrote.write
        if (content.get((write.table, write.key)) or None) != write.before:
            yield f"{wrote.actor} found {write.key} otherwise than it was left"
        content[write.table, write.key] = write.after
    content = {place: item for place, item in content.items() if item}  # the others were removed
    tables = deployment.db.tables
    if content != {(t, key): item for t, items in tables.items() for key, item in items.items()}:
        yield "the tables do not hold what was written to them"


def _kept(deployment: Deployment, row: Row, answer: Answer) -> bool:
    """Whether what was answered 200 is on record, or was taken back by the same person later."""
    action, who = answer.payload.get("action", "decide"), answer.payload["approver"]
    if action == "cancel":
        return bool(row["status"] == "cancelled")
    if "votes" not in row:
        return bool(row["status"] == answer.payload["decision"])
    mine = [
        event
        for event in deployment.events(row["approval_id"])
        if person_key(event["actor"]) == person_key(who)
    ]
    if action in CHANGES:
        return any(event["event"] == CHANGES[action] for event in mine)
    if any(event["event"] == "retracted" for event in mine):
        return any(e["details"].get("decision") == answer.payload["decision"] for e in mine)
    return voided(deployment, row["approval_id"], who) or any(
        person_key(v["approver"]) == person_key(who) and v["decision"] == answer.payload["decision"]
        for v in row["votes"]
    )


def _asked(answer: Answer) -> str:
    action = answer.payload.get("action", "decide")
    return str(answer.payload.get("decision", action))


def _start_of(deployment: Deployment, row: Row) -> str:
    """The start that a row belongs to: its execution, or the only one there is."""
    return str(row.get("execution_arn") or next(iter(deployment.durable.executions)))


def _created(deployment: Deployment, row: Row) -> datetime:
    return next(
        w.at
        for w in deployment.world.writes
        if w.write.table == APPROVALS_TABLE and w.write.key == (f"S:{row['approval_id']}",)
    )


def _patience(deployment: Deployment, row: Row, decided: datetime) -> timedelta:
    """Where nothing goes wrong, at once; a lost callback costs some times what it took so far.

    Or as long as it takes until a sweep resumes it.
    """
    world = deployment.world
    if not deployment.polling and not world.faults and not world.vain:
        return AT_ONCE + deployment.durable.rested
    waited = decided - _created(deployment, row)
    frozen = timedelta(0)
    if deployment.world.faults["slow"]:  # a frozen workflow goes on after the expiry
        frozen = max(datetime.fromisoformat(row["expires_at"]) - decided, frozen) + SHORTEST_RECHECK
    swept = [
        sweep.at - decided
        for sweep in deployment.swept
        if "callback_id" in row
        and sweep.at > decided + deployment.grace
        and (sweep.actor, sweep.request) not in world.struck
    ]
    paused = deployment.durable.rested
    return min([max(waited * RECHECK_STRETCH, SHORTEST_RECHECK), *swept]) + SLACK + frozen + paused
