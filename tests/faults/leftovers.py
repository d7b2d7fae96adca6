"""The promise about what no workflow repairs: the sweep does, says so, and harms no living one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hitl_approval.contract import Metrics
from tests.faults.deployment import APPROVALS_TABLE, Deployment, Sweep, plain
from tests.faults.evidence import TERMINAL, Row, Rows, closes, ended_before, rows_during
from tests.faults.simulator import Wrote


def nothing_is_left_behind(deployment: Deployment) -> Iterator[str]:
    """9. What a workflow cannot repair, the sweep does; it counts that, and nothing else."""
    if not deployment.swept:
        return
    sweeps = [s for s in deployment.swept if not _struck(deployment, s)]
    for sweep in sweeps:
        if sweep.error:
            yield f"{sweep.actor} failed by itself: {sweep.error}"
        yield from _repairs(deployment, sweep)
        yield from _says_what_it_passed(deployment, sweep)
        yield from _counts(deployment, sweep)
    for wrote in _notes_of_sweeps(deployment):
        arn = plain(wrote.write.after)["execution_arn"]
        if not ended_before(deployment, arn, wrote.step):
            yield f"{wrote.actor} noted as read what its workflow had not"
    for row in deployment.rows().values():
        yield from _is_counted(deployment, row, sweeps)


def _repairs(deployment: Deployment, sweep: Sweep) -> Iterator[str]:
    states = list(rows_during(deployment, sweep.written))
    for approval_id, before in states[0].items():
        if not _due(deployment, before, sweep):
            continue
        after = states[-1][approval_id]
        if after["status"] == "pending" and _moment(after["expires_at"]) <= sweep.at:
            yield f"{sweep.actor} left pending what was past its expiry"
        if after["status"] == "pending" and after.get("turn") == before.get("turn"):
            yield f"{sweep.actor} left those who are asked as they were, past their time"
        if _had_ended(deployment, before, sweep) and "attention" in after:
            yield f"{sweep.actor} left a {after['status']} one on its list, of an ended workflow"


def _says_what_it_passed(deployment: Deployment, sweep: Sweep) -> Iterator[str]:
    """Rows that nobody can read are due since before anybody asked: each sweep meets them."""
    there = sum(
        wrote.actor == "stranger" and wrote.write.before is None
        for wrote in deployment.world.writes[: sweep.written.start]
    )
    if (said := _count(deployment, sweep, Metrics.PASSED_OVER)) != there:
        yield f"{sweep.actor} counted {said} that it passed over, of {there}"


def _counts(deployment: Deployment, sweep: Sweep) -> Iterator[str]:
    states = list(rows_during(deployment, sweep.written))
    closed = sum(closes(wrote.write) for wrote in _writes_of(deployment, sweep))
    resting = sum(
        row["status"] == "pending" and _rests(deployment, row, sweep) for row in states[0].values()
    )
    said = _count(deployment, sweep, Metrics.PENDING_PAST_EXPIRY)
    if not closed <= said <= closed + resting:
        yield f"{sweep.actor} counted {said} that it closed, and closed {closed}"
    least = {i for i in _not_resumed(deployment, sweep, states[0]) if _stays(deployment, i, sweep)}
    most = {i for rows in states for i in _not_resumed(deployment, sweep, rows)}
    said = _count(deployment, sweep, Metrics.DECIDED_NOT_RESUMED)
    if not len(least) <= said <= len(most):
        yield f"{sweep.actor} counted {said} not resumed, of {len(least)} to {len(most)}"


def _is_counted(deployment: Deployment, row: Row, sweeps: list[Sweep]) -> Iterator[str]:
    """Operators learn of a row whose workflow was stopped, once (or again after a fault)."""
    arn = row["execution_arn"]
    if arn not in deployment.durable.stopped or _read_by_workflow(deployment, row):
        return
    due = any(
        _had_ended(deployment, row, sweep)
        and _due(deployment, _at_start(deployment, row, sweep), sweep)
        for sweep in sweeps
    )
    least = int(due or "attention" not in row)
    said = sum(
        value
        for (*_, metric), value in deployment.world.metrics.items()
        if metric in {Metrics.PENDING_PAST_EXPIRY, Metrics.DECIDED_NOT_RESUMED}
    )
    most = 1 + len(deployment.swept) - len(sweeps)
    if not least <= said <= most:
        yield f"operators were notified {said} times of {row['status']}, not {least} to {most}"


def _due(deployment: Deployment, row: Row, sweep: Sweep) -> bool:
    since = row.get("attention_at")
    return since is not None and _moment(since) < sweep.at - deployment.grace


def _rests(deployment: Deployment, row: Row, sweep: Sweep) -> bool:
    """Whether a sweep has postponed it, and it is not due again."""
    return row.get("attention") == "postponed" and not _due(deployment, row, sweep)


def _at_start(deployment: Deployment, row: Row, sweep: Sweep) -> Row:
    return next(rows_during(deployment, sweep.written)).get(row["approval_id"], {})


def _had_ended(deployment: Deployment, row: Row, sweep: Sweep) -> bool:
    return ended_before(deployment, row["execution_arn"], sweep.step)


def _not_resumed(deployment: Deployment, sweep: Sweep, rows: Rows) -> set[str]:
    """Decided for long, and their workflow has not returned what it has read."""
    found = set()
    for approval_id, row in rows.items():
        if row["status"] not in TERMINAL:
            continue
        arn = row["execution_arn"]
        returned = arn not in deployment.durable.stopped and _had_ended(deployment, row, sweep)
        decided = row.get("decided_at", row["expires_at"])  # none where a sabotage wrote the end
        late = "attention" in row and _moment(decided) < sweep.at - deployment.grace
        patient = _rests(deployment, row, sweep) and "attention_reason" not in row
        if late and not patient and not returned:
            found.add(approval_id)
    return found


def _stays(deployment: Deployment, approval_id: str, sweep: Sweep) -> bool:
    """Whether nobody else notes or postpones it meanwhile, and it is no poller's to read."""
    row = deployment.rows()[approval_id]
    polls = "callback_id" not in row
    if polls and not _had_ended(deployment, row, sweep):
        return False
    others = [
        (number, wrote.write)
        for number, wrote in enumerate(deployment.world.writes[: sweep.written.stop])
        if (wrote.actor, wrote.request) != (sweep.actor, sweep.request)
    ]
    return not any(
        "resumed" in write.after or (number in sweep.written and "attention_tries" in write.after)
        for number, write in others
    )


def _read_by_workflow(deployment: Deployment, row: Row) -> bool:
    sweepers = {sweep.actor for sweep in deployment.swept}
    return "resumed" in row and any(
        "resumed" in wrote.write.after and wrote.actor not in sweepers
        for wrote in deployment.world.writes
    )


def _notes_of_sweeps(deployment: Deployment) -> Iterator[Wrote]:
    sweepers = {sweep.actor for sweep in deployment.swept}
    for wrote in deployment.world.writes:
        if wrote.actor in sweepers and wrote.write.table == APPROVALS_TABLE:
            before = wrote.write.before or {}
            if "resumed" in wrote.write.after and "resumed" not in before:
                yield wrote


def _writes_of(deployment: Deployment, sweep: Sweep) -> list[Wrote]:
    mine = (sweep.actor, sweep.request)
    return [w for w in deployment.world.writes if (w.actor, w.request) == mine]


def _count(deployment: Deployment, sweep: Sweep, metric: str) -> int:
    return deployment.world.metrics[sweep.actor, sweep.request, metric]


def _struck(deployment: Deployment, sweep: Sweep) -> bool:
    return (sweep.actor, sweep.request) in deployment.world.struck


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
