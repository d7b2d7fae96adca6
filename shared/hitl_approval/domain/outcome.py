"""What a workflow gets back from `wait_for_approval`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from hitl_approval.domain.approval import Approval, Vote, digest_context
from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.binding import NOTHING, NotAsApproved, differences
from hitl_approval.domain.digest import digest_json
from hitl_approval.domain.edit import CHANGES, Change, changes_view, read_changes
from hitl_approval.domain.files import FileDigest, read_files
from hitl_approval.domain.form import INPUT, Form
from hitl_approval.domain.form_source import build
from hitl_approval.domain.view import vote_view

SHORT_COMMENT = 280
"""Characters of each vote's comment in an outcome."""
SHORT_COMMENTS = 20 * SHORT_COMMENT
"""Characters of all of them: those of the votes after that are left out."""

KEY_DIGITS = 32
"""Hexadecimal digits of an idempotency key: what every API takes that takes one, with room for a
suffix; Secrets Manager wants 32 at least, Lambda and EC2 64 at most."""

FinalStatus = Literal["approved", "rejected", "timeout", "cancelled"]

Snapshot = dict[str, Any]
"""A record as a durable step returns it, see `snapshot_of`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of an approval, read from the record.

    Attributes:
        approval_id: the record's id.
        status: how it ended.
        decided_by: whose answer decided; `hitl-approval` for a timeout.
        comments: what that person wrote.
        decided_at: when it was decided, UTC.
        votes: everyone's answers, in the order they came; their comments are shortened to 280
            characters each and 5,600 in all, and whole in the audit trail.
        content_digest: SHA-256 of what was asked, of whom and under which rules.
        context_digest: SHA-256 of the context that was approved, by RFC 8785; empty where the
            deployment is older than that.
        files: the files that were.
        changes: what approvers have changed of the request, by path: each value as it was asked
            and as it was approved. Empty where it was not approved.
        rule: the id of the deployment's rule that it was asked under, or that decided it, which
            `decided_by` then names as `rule:` and the id; None for none.
    """

    approval_id: str
    status: FinalStatus
    decided_by: str
    comments: str
    decided_at: datetime
    votes: tuple[Vote, ...]
    content_digest: str = ""
    context_digest: str = ""
    files: tuple[FileDigest, ...] = ()
    changes: Mapping[str, Change] = field(default_factory=dict)
    form: Form | None = field(default=None, compare=False, repr=False)

    @property
    def input(self) -> Any:
        """What the last of those who approved has filled in; `votes` have what each has.

        An instance of the dataclass or model that was the request's form, a dict where the form
        was a JSON Schema, None where there was no form or it was not approved.

        Raises:
            Exception: whatever the dataclass or model raises, which may know more rules.
        """
        if not self.approved:
            return None
        given = [vote.input for vote in self.votes if vote.decision == "approved"]
        if not given or given[-1] is None:
            return None
        return dict(given[-1]) if self.form is None else build(self.form, given[-1])

    rule: str | None = None

    @property
    def approved(self) -> bool:
        """Whether to go on. False for a rejection, a timeout and a cancellation alike."""
        return self.status == "approved"

    @property
    def idempotency_key(self) -> str:
        """A key for what runs after this outcome: 32 hexadecimal digits, always the same ones.

        It follows from the approval's id, how it ended and what was asked. Where one outcome has
        several effects, give each a suffix of its own.
        """
        said = [self.approval_id, self.status, self.content_digest]
        return digest_json(said)[:KEY_DIGITS]

    def verify(self, payload: Any = NOTHING, *, files: Sequence[FileDigest] = ()) -> None:
        """Return only if this is what was approved.

        Args:
            payload: a JSON object: the context as it was approved, in whatever order.
            files: what `file_digest` says of files that are about to be used; each must be one of
                those that were approved, under its name.

        Raises:
            NotApproved: nothing was approved.
            NotAsApproved: something else was.
            TypeError: neither a payload nor files are given.
        """
        if payload is NOTHING and not files:
            msg = "verify needs a payload, files or both"
            raise TypeError(msg)
        if not self.approved:
            raise NotApproved(self)
        problems = differences(self.context_digest, self.files, payload=payload, files=files)
        if problems:
            raise NotAsApproved(problems)

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any], form: Form | None = None) -> Self:
        """Read the outcome from what `snapshot_of` made of a terminal record.

        Args:
            values: the snapshot.
            form: of the request, as it was asked here.
        """
        votes = (
            Vote(
                v["approver"],
                v["identity"],
                v["decision"],
                v["comments"],
                parse_time(v["at"]),
                v.get(INPUT),
                v.get("on_behalf_of"),
            )
            for v in values["votes"]
        )
        return cls(
            approval_id=values["approval_id"],
            status=values["status"],
            decided_by=values["decided_by"],
            comments=values["comments"],
            decided_at=parse_time(values["decided_at"]),
            votes=tuple(votes),
            content_digest=values.get("content_digest", ""),
            context_digest=values.get("context_digest", ""),
            files=read_files(values.get("files", ())),
            changes=read_changes(values.get(CHANGES, {})),
            form=form,
            rule=values.get("rule"),
        )


class NotApproved(Exception):  # noqa: N818  reads as what happened
    """What should have been approved was not.

    Attributes:
        outcome: how it ended.
    """

    __module__ = "hitl_approval"

    def __init__(self, outcome: Outcome) -> None:
        said = f": {outcome.comments}" if outcome.comments else ""
        super().__init__(f"{outcome.status} by {outcome.decided_by}{said}")
        self.outcome = outcome


def snapshot_of(approval: Approval, *, now: datetime) -> Snapshot:
    """What a durable step returns of a record: what the wait and its outcome need, and no more.

    A durable operation holds 256 KB; votes with whole comments in the widest script do not fit.
    """
    votes = () if approval.pending else approval.votes
    changes = changes_view(approval.changes) if approval.status == "approved" else {}
    return {
        "approval_id": approval.approval_id,
        "status": approval.status,
        "created_at": isoformat(approval.created_at),
        "expires_at": isoformat(approval.expires_at),
        "decided_by": approval.decided_by,
        "comments": approval.comments,
        "decided_at": isoformat(approval.decided_at) if approval.decided_at else None,
        "votes": _shortened(votes),
        "now": isoformat(now),
        **({"rule": approval.rule.id} if approval.rule and approval.rule.id else {}),
        **({} if approval.pending else _digests(approval)),
        **({CHANGES: changes} if changes else {}),
    }


def _shortened(votes: Sequence[Vote]) -> list[dict[str, Any]]:
    """The votes, their comments short and in all no longer than an outcome holds."""
    left, shortened = SHORT_COMMENTS, []
    for vote in votes:
        said = vote.comments[: min(SHORT_COMMENT, left)]
        left -= len(said)
        shortened.append({**vote_view(vote), "comments": said})
    return shortened


def _digests(approval: Approval) -> Snapshot:
    """What ties the end of an approval to what may run after it."""
    return {
        "content_digest": approval.content_digest,
        "context_digest": digest_context(approval),
        **({"files": list(approval.files)} if approval.files else {}),
    }
