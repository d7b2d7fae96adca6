"""Somebody changes a request when approving it, while others approve what it was before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from hitl_approval.domain import voting
from hitl_approval.domain.approval import open_approval
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.start import parse_document
from hitl_approval.domain.text import person_key
from hitl_approval.domain.values import Taken, take
from tests.faults.deployment import Deployment
from tests.faults.scenario import APPROVERS, both, decision, event, under

__all__ = ["EDITS", "covers_a_change_by_earlier_votes", "seen_by_who_approved", "voided"]
POLICY = Policy(quorum=Quorum.at_least(2))
ASKED: dict[str, Any] = {"context": {"amount": 100}, "editable": ["amount"]}


def _edited(world: Deployment) -> None:
    """Bob approves what he saw, carol another amount, dave says of nothing what he saw."""
    approval = world.start("start", event(**ASKED))
    seen = {"content_digest": _digest()}
    for name, more in (("bob", seen), ("carol", {**seen, "changes": {"amount": 90}}), ("dave", {})):
        payload = {**decision(approval, name, "approved"), **more}
        world.person(name, payload, when=world.row_exists(approval))


def _digest() -> str:
    """Of the content as it is asked, which is the same in every schedule."""
    return open_approval(
        parse_document(event(**ASKED)),
        approval_id="any",
        execution_arn="any",
        creation_token="any",
        callback_id=None,
        approvers=tuple(APPROVERS),
        policy=POLICY,
        timeout=timedelta(minutes=1),
        now=datetime(2026, 1, 1, tzinfo=UTC),
    ).after.content_digest


EDITS = both("edited", _edited, **under(POLICY))


def seen_by_who_approved(deployment: Deployment) -> Iterator[str]:
    """22. A changed request stands on votes only of who has changed it so, or has seen it so."""
    said = {
        (answer.payload.get("approval_id"), person_key(answer.payload["approver"])): answer.payload
        for answer in deployment.answers
        if "approver" in answer.payload
    }
    for approval_id, row in deployment.rows().items():
        for vote in row["votes"] if row.get("changes") else ():
            payload = said[approval_id, person_key(vote["approver"])]
            seen = payload.get("content_digest") == row["content_digest"]
            if vote["decision"] == "approved" and not (seen or payload.get("changes")):
                yield f"{vote['approver']} has not seen what they have approved"


def voided(deployment: Deployment, approval_id: str, approver: str) -> bool:
    """Whether somebody's vote is on record, and a change came after it."""
    acted = [
        (person_key(event["actor"]), bool(event["details"].get("changes")))
        for event in deployment.events(approval_id)
        if "decision" in event["details"]
    ]
    return any(
        who == person_key(approver) and any(changed for _, changed in acted[place + 1 :])
        for place, (who, _) in enumerate(acted)
    )


@contextmanager
def covers_a_change_by_earlier_votes() -> Iterator[None]:
    """A change leaves the votes where they are."""

    def kept(approval: Any, *args: Any, **more: Any) -> Taken:
        taken = take(approval, *args, **more)
        return replace(taken, approval=replace(taken.approval, votes=approval.votes))

    with patch.object(voting, "take", kept):
        yield
