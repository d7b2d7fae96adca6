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
from tests.faults.delivered import DELIVERED
from tests.faults.deployment import APPROVALS_TABLE, AUDIT_TABLE, Answer, Deployment, plain
from tests.faults.dynamodb import Item, Key
from tests.faults.evidence import TERMINAL, Row, by_silence, closes
from tests.faults.leftovers import nothing_is_left_behind
from tests.faults.reading import readers_see_what_was
from tests.faults.simulator import Wrote
from tests.faults.superseding import came_too_late, replaced_with_its_successor

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
TERMS = {
    "policy",
    "approvers",
    "requester",
    "context",
    "content_digest",
    "created_at",
    "expires_at",
    "execution_arn",
    "creation_token",
}
"""What was asked, of whom, under which rules."""
READS = {"get", "list", "history"}
CLOSED = {"APPROVAL_ALREADY_DECIDED", "APPROVAL_EXPIRED"}


def one_terminal_status(deployment: Deployment) -> Iterator[str]:
    """1. One terminal status per approval, never changed again."""
    for wrote in deployment.world.writes:
        write = wrote.write
        if write.table != APPROVALS_TABLE or write.before is None or wrote.actor == "stranger":
            continue
        if not write.after:
            continue  # removed by its TTL
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
            if result.error and came_too_late(deployment, arn, result.error.message or ""):
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


def approved_by_policy(deployment: Deployment) -> Iterator[str]:
    """3. `approved` only with a committed vote set that satisfies the policy."""
    for row in deployment.rows().values():
        if "policy" not in row:
            yield from _approved_by_somebody(row)
            continue
        votes = [(person_key(v["approver"]), v["decision"]) for v in row["votes"]]
        if votes != _votes_on_record(deployment, row):
            yield f"the row's votes {votes} are not those on record"
        late = [v for v in row["votes"] if v["at"] >= row["expires_at"]]
        if late:
            yield f"{late[0]['approver']} voted after the expiry, by the voter's own clock"
        yield from _asked_as_was(deployment, row)
        if by_silence(row):
            yield from _silence(deployment, row)
        else:
            yield from _decided(row, votes)


def nothing_answered_is_lost(deployment: Deployment) -> Iterator[str]:
    """4. A decision answered with 200 is never lost and always resumes the workflow in time."""
    rows = deployment.rows()
    for answer in deployment.answers:
        if answer.status != 200 or answer.payload.get("action", "decide") in READS:
            continue
        row = rows[answer.payload["approval_id"]]
        if answer.payload.get("action") == "cancel":
            kept = row["status"] == "cancelled"
        elif "votes" in row:
            kept = any(
                person_key(v["approver"]) == person_key(answer.payload["approver"])
                and v["decision"] == answer.payload["decision"]
                for v in row["votes"]
            )
        else:
            kept = row["status"] == answer.payload["decision"]
        if not kept:
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
        decided = _end_of(deployment, asked["approval_id"]).at
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
        if wrote.write.table == AUDIT_TABLE and wrote.write.before is not None:
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
            if not any(v["approver"] == details["decided_by"] for v in row["votes"]):
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


def _asked_as_was(deployment: Deployment, row: Row) -> Iterator[str]:
    """The rules are those of the version that asked, and stay."""
    if row["policy"] != json.loads(deployment.environment["APPROVAL_POLICY"]):
        yield "asked under another policy than the workflow's"
    for wrote in deployment.world.writes:
        before, after = wrote.write.before, wrote.write.after
        if wrote.write.table != APPROVALS_TABLE or before is None or not after:
            continue
        if changed := {name for name in TERMS if before.get(name) != after.get(name)}:
            yield f"{wrote.actor} changed what was asked: {sorted(changed)}"


def _silence(deployment: Deployment, row: Row) -> Iterator[str]:
    wrote = _end_of(deployment, row["approval_id"])
    skew = next(a.skew for a in deployment.world.actors if a.name == wrote.actor)
    if wrote.at + skew < datetime.fromisoformat(row["expires_at"]):
        yield f"{row['status']} before the time was over, by the closer's own clock"
    if row["status"] != row["policy"]["on_timeout"]:
        yield f"nobody decided, which means {row['policy']['on_timeout']}, not {row['status']}"


def _decided(row: Row, votes: list[tuple[str, str]]) -> Iterator[str]:
    policy, asked = row["policy"], {person_key(name) for name in row["approvers"]}
    deciders = asked - (set() if policy["allow_self_approval"] else {person_key(row["requester"])})
    needed = len(deciders) if policy["quorum"] == "everyone" else policy["quorum_count"]
    approving = {who for who, decision in votes if decision == "approved"}
    rejecting = {who for who, decision in votes if decision == "rejected"}
    enough = len(rejecting) >= policy["rejections_needed"]
    out_of_reach = bool(deciders) and len(deciders - rejecting) < needed
    if row["status"] == "rejected" and not (enough or out_of_reach):
        yield f"rejected by {sorted(rejecting)}, the policy needs {policy['rejections_needed']}"
    if row["status"] != "approved":
        return
    if enough:
        yield f"approved over a rejection: {votes}"
    if len(approving) < max(needed, 1):
        yield f"approved by {sorted(approving)}, the policy needs {needed}"
    if asked and not approving <= asked:
        yield f"approved by {sorted(approving - asked)}, who were not asked"
    if not policy["allow_self_approval"] and person_key(row["requester"]) in approving:
        yield "approved by the requester"


def _votes_on_record(deployment: Deployment, row: Row) -> list[tuple[str, str]]:
    return [
        (person_key(event["actor"]), event["details"]["decision"])
        for event in deployment.events(row["approval_id"])
        if "decision" in event["details"]
    ]


def _approved_by_somebody(row: Row) -> Iterator[str]:
    if row["status"] == "approved" and not row.get("decided_by"):
        yield "approved by nobody"


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


def _end_of(deployment: Deployment, approval_id: str) -> Wrote:
    """The write of the terminal status."""
    return next(
        w
        for w in deployment.world.writes
        if w.write.table == APPROVALS_TABLE
        and w.write.key == (f"S:{approval_id}",)
        and w.write.after
        and plain(w.write.after)["status"] in TERMINAL
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
