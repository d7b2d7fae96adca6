"""What must hold however a schedule went: the eight promises, each a named check.

Every check reads the final tables, the history of writes, what callers heard and what was sent.
A check yields one line for each violation; none means that the promise was kept.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.contract import Metrics, Table
from hitl_approval.domain.audit import Head, verify
from hitl_approval.domain.text import person
from tests.faults.deployment import APPROVALS_TABLE, AUDIT_TABLE, Answer, Deployment, plain

Check = Callable[[Deployment], Iterator[str]]

SHORTEST_RECHECK = timedelta(seconds=60)
RECHECK_STRETCH = 3
SLACK = timedelta(seconds=30)
"""Retries of steps and invocations, with the faults that a schedule has."""
AT_ONCE = timedelta(seconds=3)
TERMINAL = {"approved", "rejected", "timeout", "cancelled"}
NOTES = {Table.ATTENTION, Table.ATTENTION_AT, "resumed"}
"""What may still be noted on a record that has ended: who has heard of it."""
CLOSED = {"APPROVAL_ALREADY_DECIDED", "APPROVAL_EXPIRED"}


def one_terminal_status(deployment: Deployment) -> Iterator[str]:
    """1. One terminal status per approval, never changed again."""
    for wrote in deployment.world.writes:
        write = wrote.write
        if write.table != APPROVALS_TABLE or write.before is None:
            continue
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
        if result is None:
            continue  # a workflow that hangs breaks promise 4
        if result.status.value != "SUCCEEDED" or result.result is None:
            # What a start that failed had written is withdrawn: nobody can decide it any more.
            withdrawn = all(row["status"] == "cancelled" for row in rows.values())
            if not withdrawn or not deployment.may_fail:
                yield f"{arn} failed: {result.error.message if result.error else 'no word'}"
            continue
        told = json.loads(json.loads(result.result)["body"])
        row = rows.get(told["approval_id"])
        if row is None:
            yield f"{arn} returned {told['decision']} for a row that does not exist"
            continue
        if (told["decision"], told.get("decided_by")) != (row["status"], row.get("decided_by")):
            yield (
                f"the workflow returned {told['decision']} by {told.get('decided_by')}, "
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
        votes = [(person(v["approver"]), v["decision"]) for v in row["votes"]]
        if votes != _votes_on_record(deployment, row):
            yield f"the row's votes {votes} are not those on record"
        late = [v for v in row["votes"] if v["at"] >= row["expires_at"]]
        if late:
            yield f"{late[0]['approver']} voted after the expiry, by the voter's own clock"
        if row["status"] == "rejected" and "rejected" not in dict(votes).values():
            yield "rejected, and nobody did"
        if row["status"] != "approved":
            continue
        policy, asked = row["policy"], {person(name) for name in row["approvers"]}
        needed = len(asked) if policy["quorum"] == "everyone" else policy["quorum_count"]
        approving = {who for who, decision in votes if decision == "approved"}
        if any(decision == "rejected" for _, decision in votes):
            yield f"approved over a rejection: {votes}"
        if len(approving) < max(needed, 1):
            yield f"approved by {sorted(approving)}, the policy needs {needed}"
        if asked and not approving <= asked:
            yield f"approved by {sorted(approving - asked)}, who were not asked"
        if not policy["allow_self_approval"] and person(row["requester"]) in approving:
            yield "approved by the requester"


def nothing_answered_is_lost(deployment: Deployment) -> Iterator[str]:
    """4. A decision answered with 200 is never lost and always resumes the workflow in time."""
    rows = deployment.rows()
    for answer in deployment.answers:
        if answer.status != 200:
            continue
        row = rows[answer.payload["approval_id"]]
        if answer.payload.get("action") == "cancel":
            kept = row["status"] == "cancelled"
        elif "votes" in row:
            kept = any(
                person(v["approver"]) == person(answer.payload["approver"])
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
        if asked is None or asked["status"] not in TERMINAL:
            continue
        decided = _decided_at(deployment, asked["approval_id"])
        took = deployment.durable.completed_at[arn] - decided
        if took > _patience(deployment, asked, decided):
            yield f"the workflow resumed {took} after the decision"


def told_once(deployment: Deployment) -> Iterator[str]:
    """5. One row per start; approvers told or the failure on record; repeats carry the same id."""
    rows = deployment.rows()
    starts = Counter(_start_of(deployment, row) for row in rows.values())
    for start, count in starts.items():
        if count > 1:
            yield f"{count} rows for {start}"
    ids = [m["MessageAttributes"]["approval_id"]["StringValue"] for m in deployment.world.messages]
    for told in set(ids) - set(rows):
        yield f"told of {told}, which is no row"
    for approval_id, row in rows.items():
        if approval_id in ids or "audit_hash" not in row:
            continue
        on_record = [e["event"] for e in deployment.events(approval_id)]
        alarmed = deployment.world.metrics[Metrics.NOTIFICATION_FAILED]
        if "notification_failed" in on_record and alarmed:
            continue
        if row["status"] not in TERMINAL - {"timeout"}:
            yield f"nobody was told, and nothing says so: {on_record}"


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
    for approval_id in stray - set(deployment.rows()):
        yield f"events without a row: {approval_id}"


def losers_hear_who_won(deployment: Deployment) -> Iterator[str]:
    """7. Losing callers hear who won, and no caller is left without an answer."""
    rows = deployment.rows()
    for answer in deployment.answers:
        if answer.status == 500:
            yield f"{answer.actor} heard of an internal error"
        if answer.last and (answer.status is None or answer.status >= 500):
            yield f"{answer.actor} never heard what became of {_asked(answer)}"
        row = rows.get(answer.payload["approval_id"])
        error = answer.body.get("error", {})
        if answer.status == 404 and row and _created(deployment, row) < answer.asked_at:
            yield f"{answer.actor} was told that there is no such approval"
        if error.get("code") not in CLOSED or row is None:
            continue
        details = error["details"]
        if error["code"] == "APPROVAL_EXPIRED":
            if details["expires_at"] != row["expires_at"]:
                yield f"{answer.actor} heard of another expiry"
        elif details["status"] == "pending":  # their own earlier vote stands against them
            if not any(v["approver"] == details["decided_by"] for v in row["votes"]):
                yield f"{answer.actor} heard of a vote that is not on record"
        elif (details["status"], details["decided_by"]) != (row["status"], row.get("decided_by")):
            yield (
                f"{answer.actor} heard {details['status']} by {details['decided_by']}, "
                f"but {row['status']} by {row.get('decided_by')} won"
            )


def refusals_change_nothing(deployment: Deployment) -> Iterator[str]:
    """8. A refused or malformed request changes nothing."""
    wrote = Counter((w.actor, w.request) for w in deployment.world.writes)
    for answer in deployment.answers:
        refused = answer.status is not None and 400 <= answer.status < 500
        if refused and wrote[answer.actor, answer.request]:
            yield f"{answer.actor}'s {_asked(answer)} was refused ({answer.status}), yet it wrote"


INVARIANTS: tuple[Check, ...] = (
    one_terminal_status,
    all_agree,
    approved_by_policy,
    nothing_answered_is_lost,
    told_once,
    audit_is_whole,
    losers_hear_who_won,
    refusals_change_nothing,
)


def violations(deployment: Deployment) -> list[str]:
    """Every promise that this schedule broke, by name."""
    return [f"{check.__name__}: {line}" for check in INVARIANTS for line in check(deployment)]


def _votes_on_record(deployment: Deployment, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (person(event["actor"]), event["details"]["decision"])
        for event in deployment.events(row["approval_id"])
        if "decision" in event["details"]
    ]


def _approved_by_somebody(row: Mapping[str, Any]) -> Iterator[str]:
    if row["status"] == "approved" and not row.get("decided_by"):
        yield "approved by nobody"


def _asked(answer: Answer) -> str:
    action = answer.payload.get("action", "decide")
    return str(answer.payload.get("decision", action))


def _start_of(deployment: Deployment, row: Mapping[str, Any]) -> str:
    """The start that a row belongs to: its execution, or the only one there is."""
    return str(row.get("execution_arn") or next(iter(deployment.durable.executions)))


def _created(deployment: Deployment, row: Mapping[str, Any]) -> datetime:
    return next(
        w.at
        for w in deployment.world.writes
        if w.write.table == APPROVALS_TABLE and w.write.key == (f"S:{row['approval_id']}",)
    )


def _decided_at(deployment: Deployment, approval_id: str) -> datetime:
    """When the terminal status was written, by the world's clock."""
    return next(
        w.at
        for w in deployment.world.writes
        if w.write.table == APPROVALS_TABLE
        and w.write.key == (f"S:{approval_id}",)
        and plain(w.write.after)["status"] in TERMINAL
    )


def _patience(deployment: Deployment, row: Mapping[str, Any], decided: datetime) -> timedelta:
    """Where nothing goes wrong, at once; a lost doorbell costs some times what it took so far."""
    if not deployment.polling and not deployment.world.faults:
        return AT_ONCE
    waited = decided - _created(deployment, row)
    frozen = timedelta(0)
    if deployment.world.faults["slow"]:  # a frozen workflow wakes after the expiry
        frozen = max(datetime.fromisoformat(row["expires_at"]) - decided, frozen) + SHORTEST_RECHECK
    return max(waited * RECHECK_STRETCH, SHORTEST_RECHECK) + SLACK + frozen
