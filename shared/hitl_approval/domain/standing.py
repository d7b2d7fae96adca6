"""How a request stands, in one sentence: who has answered, who can still answer, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import SYSTEM
from hitl_approval.domain.text import inert, listed, listed_some, some, spelling
from hitl_approval.domain.turn import place_of
from hitl_approval.domain.voting import may_still_answer, tally


def standing(approval: Approval, *, now: datetime | None = None) -> str:
    """How it stands: `1 of 2 approvals; bob or cid can still answer`, or how it has ended.

    Args:
        approval: the record.
        now: the time. Default: before its expiry.
    """
    if not approval.pending:
        return how_it_ended(approval)
    approvals = sum(vote.decision == "approved" for vote in approval.votes_now)
    rejections = len(approval.votes_now) - approvals
    said = f"{_stage(approval)}{_approvals(approval, approvals)}"
    if rejections:
        said += f", {rejections} of {approval.policy.rejections_needed} rejections"
    if now is not None and now >= approval.expires_at:
        return f"{said}; nobody can answer any more"
    if not approval.deciders:
        return f"{said}; anyone with access can still answer"
    if approval.quorum.groups:
        return f"{said}; {_joined(may_still_answer(approval), 'or')} can still answer"
    return f"{said}; {_wanted(approval, approval.approvals_needed - approvals)}"


def _stage(approval: Approval) -> str:
    """Which stage is open, where there are several."""
    stages = len(approval.policy.stages) + 1
    return f"stage {approval.turn.stage + 1} of {stages}: " if stages > 1 else ""


def _approvals(approval: Approval, approvals: int) -> str:
    """How many have approved of those who must; by group where each must reach its own."""
    if not approval.quorum.groups:
        return f"{approvals} of {approval.approvals_needed} approvals"
    by_group = tally(approval)
    return ", ".join(f"{given} of {group.count} by {group.name}" for group, given in by_group)


def why_asked(approval: Approval, recipient: str | None = None) -> list[tuple[str, str]]:
    """What a message that asks says of what went before, as labels and texts.

    Args:
        approval: the record.
        recipient: who is asked, perhaps in the place of another. Default: everybody who listens.
    """
    rows = []
    place = place_of(recipient, approval.turn) if recipient else recipient
    if place is not None and recipient is not None and spelling(place) != spelling(recipient):
        rows.append(("Instead of", place))
    before = replace(approval, votes=approval.votes[: approval.turn.votes])
    if before.votes:
        rows.append(("So far", f"approved by {_joined(_who(before, 'approved'), 'and')}"))
    return rows


def released_in_words(approval: Approval) -> str:
    """Why somebody is not asked any more, to end a sentence that begins with whose it was."""
    if not approval.pending:
        return end_in_words(approval)
    others = listed_some(may_still_answer(approval) or approval.asked)
    return f"is no longer yours to answer: {inert(others)} may answer it now."


def how_it_ended(approval: Approval) -> str:
    """How a request has ended and by whom: `Approved by ann and bob`."""
    if approval.status == "timeout":
        return "Timed out: nobody decided in time"
    if approval.superseded_by is not None:
        return "Replaced by a new request"
    if approval.status == "cancelled":
        return f"Withdrawn by {_by(approval)}"
    if approval.decided_by == SYSTEM.name:
        return f"{approval.status.capitalize()}: nobody decided in time"
    if (rule := deciding_rule(approval)) is not None:
        return f"{approval.status.capitalize()} by rule {rule}"
    return f"{approval.status.capitalize()} by {_joined(_who(approval, approval.status), 'and')}"


def deciding_rule(approval: Approval) -> str | None:
    """The id of the rule that has ended it; None where something else has, or nothing yet."""
    rule = approval.rule
    by_it = rule is not None and approval.decided_by == rule.actor.name
    return rule.id if rule is not None and by_it else None


def by_rule(approval: Approval) -> str:
    """`by rule big` where a rule says who decides or how many must approve; empty otherwise."""
    rule = approval.rule
    return f"by rule {rule.id}" if rule and rule.id and rule.end is None else ""


def end_in_a_word(approval: Approval) -> str:
    """How a request has ended, for a subject."""
    if approval.superseded_by is not None:
        return "Replaced"
    words = {"timeout": "Expired", "cancelled": "Withdrawn"}
    return words.get(approval.status, approval.status.capitalize())


def end_in_words(approval: Approval) -> str:
    """How a request has ended, to end a sentence that begins with whose it was."""
    by = inert(approval.decided_by or "")
    if approval.status == "timeout":
        return "has expired: nobody decided in time."
    if approval.superseded_by is not None:
        return "has been replaced by a new request."
    if approval.status == "cancelled":
        return f"has been withdrawn by {by}."
    if approval.decided_by == SYSTEM.name:
        return f"was {approval.status}: nobody decided in time."
    if (rule := deciding_rule(approval)) is not None:
        return f"was {approval.status} by rule {rule}: nobody was asked."
    vote = approval.vote_of(approval.decided_by or "")
    place = f" for {inert(vote.on_behalf_of)}" if vote and vote.on_behalf_of else ""
    return f"was {approval.status} by {by}{place}."


def _who(approval: Approval, decision: str) -> tuple[str, ...]:
    return tuple(
        f"{vote.approver} for {vote.on_behalf_of}" if vote.on_behalf_of else vote.approver
        for vote in approval.votes
        if vote.decision == decision
    )


def _by(approval: Approval) -> str:
    if approval.decided_by == SYSTEM.name:
        return "the workflow that asked"
    return _joined((approval.decided_by or "",), "and")


def _wanted(approval: Approval, missing: int) -> str:
    """Who can still answer, and whether all of them must."""
    left = may_still_answer(approval)
    if len(left) == missing:
        return f"{_joined(left, 'and')} must still answer"
    if missing == 1:
        return f"{_joined(left, 'or')} can still answer"
    return f"{missing} of {_joined(left, 'and')} must still answer"


def _joined(names: Sequence[str], word: str) -> str:
    """Names in a sentence; one with a comma of its own stands in quotes."""
    quoted = [listed([name]) for name in some(names)]
    return f" {word} ".join(filter(None, [", ".join(quoted[:-1]), *quoted[-1:]]))
