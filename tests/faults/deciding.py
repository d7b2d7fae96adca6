"""The promise about how a request ends: as its rules say, by votes that are on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from hitl_approval.domain.text import person_key
from tests.faults.deployment import APPROVALS_TABLE, Deployment, plain
from tests.faults.dynamodb import Item
from tests.faults.evidence import Row, by_silence, end_of
from tests.faults.ruling import ended_by_rule
from tests.faults.trails import Replayed, replayed

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
    "rule",
}
"""What was asked, of whom, under which rules."""


def approved_by_policy(deployment: Deployment) -> Iterator[str]:
    """3. `approved` only with a committed vote set that satisfies the policy."""
    for row in deployment.rows().values():
        if "policy" not in row:
            yield from _approved_by_somebody(row)
            continue
        trail = replayed(deployment, row)
        votes = [
            (
                person_key(v["approver"]),
                person_key(v.get("on_behalf_of", v["approver"])),
                v["decision"],
            )
            for v in row["votes"]
        ]
        if votes != [(vote.person, vote.asked, vote.decision) for vote in trail.votes]:
            yield f"the row's votes {votes} are not those on record"
        late = [v for v in row["votes"] if v["at"] >= row["expires_at"]]
        if late:
            yield f"{late[0]['approver']} voted after the expiry, by the voter's own clock"
        yield from _asked_as_was(deployment, row)
        if by_silence(row):
            yield from _silence(deployment, row)
        elif not ended_by_rule(deployment, row):  # which is `rules_approve_what_they_read`
            yield from _decided(trail)


def _asked_as_was(deployment: Deployment, row: Row) -> Iterator[str]:
    """The rules are those of the version that asked, and stay."""
    deployed = json.loads(deployment.environment["APPROVAL_POLICY"])
    if row["policy"] != deployed | deployment.rules:
        yield "asked under another policy than the workflow's"
    for wrote in deployment.world.writes:
        before, after = wrote.write.before, wrote.write.after
        if wrote.write.table != APPROVALS_TABLE or before is None or not after:
            continue
        changed = {name for name in TERMS if before.get(name) != after.get(name)}
        if before.get("changes") != after.get("changes"):  # by an approver: see `edits`
            changed -= {"context", "content_digest"}
        if _stage(before) != _stage(after):  # each has its own time
            changed -= {"expires_at"}
        if changed:
            yield f"{wrote.actor} changed what was asked: {sorted(changed)}"


def _silence(deployment: Deployment, row: Row) -> Iterator[str]:
    wrote = end_of(deployment, row["approval_id"])
    skew = next(a.skew for a in deployment.world.actors if a.name == wrote.actor)
    if wrote.at + skew < datetime.fromisoformat(row["expires_at"]):
        yield f"{row['status']} before the time was over, by the closer's own clock"
    if row["status"] != row["policy"]["on_timeout"]:
        yield f"nobody decided, which means {row['policy']['on_timeout']}, not {row['status']}"


def _decided(trail: Replayed) -> Iterator[str]:
    row, policy, votes = trail.row, trail.row["policy"], trail.now
    approving = {vote.place for vote in votes if vote.decision == "approved"}
    rejecting = {vote.asked for vote in votes if vote.decision == "rejected"}
    enough = len(rejecting) >= policy["rejections_needed"]
    out_of_reach = bool(trail.places) and not trail.enough(trail.left())
    if row["status"] == "rejected" and not (enough or out_of_reach):
        yield f"rejected by {sorted(rejecting)}, the policy needs {policy['rejections_needed']}"
    if row["status"] != "approved":
        return
    if enough:
        yield f"approved over a rejection: {votes}"
    yield from trail.strangers
    if not trail.enough():
        yield f"approved by {sorted(approving)}, the policy needs {trail.quorum}"
    approved = [vote for vote in trail.votes if vote.decision == "approved"]
    by = {name for vote in approved for name in (vote.person, vote.asked)}
    if not policy["allow_self_approval"] and person_key(row["requester"]) in by:
        yield "approved by the requester"


def _stage(row: Item) -> int:
    return int(plain(row).get("turn", {}).get("stage", 0))


def _approved_by_somebody(row: Row) -> Iterator[str]:
    if row["status"] == "approved" and not row.get("decided_by"):
        yield "approved by nobody"
