"""Approvals that stand still, and what sets them going again; `hitl doctor` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hitl_approval.contract import EXECUTION_PAUSED
from hitl_approval.domain.text import listed_some
from hitl_approval.ports.records import Attention
from hitl_approval_cli import clock
from hitl_approval_cli.checks import Found
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.records import Records

GRACE: Final = timedelta(minutes=15)
"""How long after its time a thing counts as stuck: three sweeps of the default interval."""
MOST: Final = 100
"""Stuck approvals that are counted; more are said to be at least so many."""
NAMED: Final = 3
"""Stuck approvals of which a fix is shown."""
EXAMINED: Final = 20
"""Stuck approvals whose execution is read: some seconds for all."""


def overdue(deployment: Deployment) -> Found:
    """Whether the sweep has closed what is past its expiry."""
    ids = _stuck(deployment, "pending")
    if not ids:
        return "ok", "no request is pending past its expiry", ""
    fix = f"{deployment.command('doctor', '--fix')} lets the sweep close them now; "
    fix += f"{deployment.command('logs', '--function', 'sweep')} says why it has not"
    return "wrong", f"{_most(ids)} pending past their expiry: {listed_some(ids)}", fix


def not_resumed(deployment: Deployment) -> Found:
    """Whether every workflow has read its decision."""
    ids = _stuck(deployment, "decided")
    if not ids:
        return "ok", "every workflow has read its decision", ""
    examined = ids[:EXAMINED]
    paused = [approval_id for approval_id in examined if _is_paused(deployment, approval_id)]
    found = f"{_most(ids)} decided, and their workflow has not resumed"
    if paused:
        of = f" (of the first {EXAMINED})" if len(ids) > EXAMINED else ""
        found = f"{found}; paused in Lambda{of}: {', '.join(paused)}"
    fixes = [deployment.command("resume", one) for one in ids if one not in paused][:NAMED]
    if paused:
        fixes.append("resume the paused executions in Lambda: they read the decision then")
    return "wrong", found, "; ".join(fixes)


def resumable(deployment: Deployment) -> Sequence[str]:
    """The decisions whose workflow may be resumed."""
    ids = _stuck(deployment, "decided")[:EXAMINED]
    return [approval_id for approval_id in ids if not _is_paused(deployment, approval_id)]


def parked(deployment: Deployment) -> Found:
    """Whether the sweep has put something aside for good."""
    aside = Records(deployment).postponed()
    found = [one for one in aside if one.until is None]
    if not found:
        again = f"; the next sweep tries {len(aside)} again" if aside else ""
        return "ok", f"the sweep has parked nothing{again}", ""
    reasons = "; ".join(f"{one.approval_id}: {one.reason}" for one in found[:NAMED])
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    repairs = [deployment.command("repair", one.approval_id) for one in found[:NAMED]]
    if more:
        repairs.append(f"{deployment.command('repair', '--all')} for all")
    verify = deployment.command("audit", "verify", found[0].approval_id)
    fix = f"{verify} says whether it can be read now, or by a newer version only: deploy that one; "
    fix += f"then {'; '.join(repairs)}"
    return "wrong", f"{len(found)} parked by the sweep: {reasons}{more}", fix


def _is_paused(deployment: Deployment, approval_id: str) -> bool:
    """Whether the workflow of an approval is held; False where that may not be seen."""
    try:
        approval = deployment.call({"action": "get", "approval_id": approval_id})
        with deployment.errors():
            execution = deployment.outcome(approval["execution_arn"])
    except CliError:
        return False
    return execution["Status"] in EXECUTION_PAUSED


def _stuck(deployment: Deployment, attention: Attention) -> Sequence[str]:
    """What has needed something for long; not what `hitl repair` has left to the next sweep."""
    before = clock.now() - GRACE
    records = Records(deployment)
    again = [
        one.approval_id
        for one in records.postponed()
        if one.until is not None and one.tries and one.pending == (attention == "pending")
    ]
    return [*again, *records.overdue(attention, before=before, limit=MOST)][:MOST]


def _most(ids: Sequence[str]) -> str:
    return f"at least {MOST}" if len(ids) == MOST else str(len(ids))
