"""The record of an approval and its one state machine.

    pending -> approved | rejected | timeout | cancelled

A transition is a pure function from the record as it was read to the record and the audit event
that should be committed together. Nothing leaves a terminal status.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from hitl_approval.contract import Audit
from hitl_approval.domain import text
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.audit import (
    GENESIS,
    Actor,
    AuditEvent,
    EventName,
    Head,
    Identity,
    isoformat,
    on_record,
)
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.digest import digest_json
from hitl_approval.domain.edit import Change
from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.form import Form
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import ApprovalRequest, Content, content_of, form_of
from hitl_approval.domain.request_values import context_json
from hitl_approval.domain.room import check_room
from hitl_approval.domain.turn import FIRST, Turn, asked, first_asked

Decision = Literal["approved", "rejected"]
Status = Literal["pending", "approved", "rejected", "timeout", "cancelled"]
STATUSES: tuple[Status, ...] = ("pending", "approved", "rejected", "timeout", "cancelled")


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer.

    Attributes:
        approver: who has answered.
        identity: how we know.
        decision: what they have answered.
        comments: what they wrote.
        at: when.
        input: what they filled in, by name; None where they were asked for nothing.
        on_behalf_of: in whose place they did, by a delegation; None: in their own.
    """

    approver: str
    identity: Identity
    decision: Decision
    comments: str
    at: datetime
    input: Mapping[str, Any] | None = None
    on_behalf_of: str | None = None

    @property
    def asked(self) -> str:
        """Who was asked what this answers."""
        return self.on_behalf_of or self.approver


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Content):
    """The record: the only truth about an approval.

    `version` counts every write of the record, `audit_sequence` and `audit_hash` are the head of
    its audit chain, `callback_id` is what the workflow is suspended on (none while it polls).
    `resumed` says that the workflow has read the end of the approval from the record.
    `challenge` is the code without which personal links open no form, where the deployment asks
    for one; `reminders` are the times after its creation at which who has not answered is reminded;
    `sensitive` are the fields of the context that are masked in what is sent out; `turn` says who
    is asked now instead of `approvers`, who were asked first. `superseded_by` is the approval that
    has replaced this one, `supersedes` the one that this one replaces. `form` is what an approver
    fills in, `editable` what they may change, and `changes` what they have: the values as they were
    asked and as they stand in the context now.
    `rule` says which of the deployment's rules it was asked under, where there are any.
    `thread_length` counts the comments on it, whose texts stand in the trail alone.
    `traceparent` is the trace that its asker belongs to, if they say so.
    `creation_token` tells a repeated creation from a second approval under the same id.
    """

    approval_id: str
    status: Status
    approvers: tuple[str, ...]
    policy: Policy
    context: str
    content_digest: str
    created_at: datetime
    expires_at: datetime
    execution_arn: str
    creation_token: str
    callback_id: str | None
    version: int
    audit_sequence: int
    audit_hash: str
    votes: tuple[Vote, ...] = ()
    decided_by: str | None = None
    comments: str = ""
    decided_at: datetime | None = None
    resumed: bool = False
    challenge: str | None = None
    reminders: tuple[timedelta, ...] = ()
    sensitive: tuple[str, ...] = ()
    files: tuple[FileDigest, ...] = ()
    superseded_by: str | None = None
    turn: Turn = FIRST
    form: Form | None = None
    editable: tuple[str, ...] = ()
    changes: Mapping[str, Change] = field(default_factory=dict)
    rule: AppliedRule | None = None
    traceparent: str | None = None

    @property
    def ends_by_rule(self) -> bool:
        """Whether a rule ends it at once, so that nobody is asked."""
        return self.rule is not None and self.rule.end is not None

    thread_length: int = 0

    @property
    def pending(self) -> bool:
        """Whether a decision is still awaited."""
        return self.status == "pending"

    @property
    def audit_head(self) -> Head:
        """What `audit.verify` holds the trail against."""
        return Head(self.audit_sequence, self.audit_hash)

    @property
    def asked(self) -> tuple[str, ...]:
        """Who is asked now; empty when anyone may decide."""
        return asked(self.approvers, self.policy, self.turn)

    @property
    def asked_at(self) -> datetime:
        """When the stage that is open began."""
        return self.turn.opened_at or self.created_at

    @property
    def deciders(self) -> tuple[str, ...]:
        """Those who are asked now and may decide; empty when anyone may."""
        return self.policy.deciders(self.asked, self.requester)

    @property
    def quorum(self) -> Quorum:
        """How many must approve in the stage that is open."""
        stage = self.turn.stage
        return self.policy.stages[stage - 1].quorum if stage else self.policy.quorum

    @property
    def approvals_needed(self) -> int:
        """How many must approve: of those who were asked when the stage began."""
        first = first_asked(self.approvers, self.policy, self.turn)
        return self.quorum.needed(self.policy.deciders(first, self.requester))

    @property
    def first_deciders(self) -> tuple[str, ...]:
        """Those who may decide and were asked when the request was made."""
        return self.policy.deciders(self.approvers, self.requester)

    @property
    def votes_now(self) -> tuple[Vote, ...]:
        """The votes of the stage that is open."""
        return self.votes[self.turn.votes :]

    @property
    def concerned(self) -> tuple[str, ...]:
        """Who may decide now, who has voted in an earlier stage, and who has stood in."""
        stood_in = [vote.approver for vote in self.votes_now if vote.on_behalf_of]
        earlier = [vote.approver for vote in self.votes[: self.turn.votes]]
        people = (*self.deciders, *earlier, *stood_in)
        return tuple({text.person_key(name): name for name in people}.values())

    def vote_of(self, name: str) -> Vote | None:
        """The vote that this person has cast, if any: under this spelling of the name."""
        return vote_by(self.votes, name, text.spelling)

    def answer_of(self, name: str) -> Vote | None:
        """The vote in this person's place: their own, or of who has stood in for them."""
        wanted = text.spelling(name)
        return self.vote_of(name) or next(
            (vote for vote in self.votes if text.spelling(vote.asked) == wanted), None
        )

    @property
    def answered(self) -> frozenset[str]:
        """Keys of those who have answered, and of those in whose place they did."""
        names = (name for vote in self.votes for name in (vote.approver, vote.asked))
        return frozenset(map(text.person_key, names))


@dataclass(frozen=True, slots=True)
class Transition:
    """A record and the audit event that must be committed with it, or not at all.

    Attributes:
        signature: of the event's hash, where the deployment signs.
        delegation: that must still stand when it is committed, where a vote rests on one.
    """

    after: Approval
    event: AuditEvent
    signature: str | None = None
    delegation: Delegation | None = None

    def salted(self, draw: Callable[[], str]) -> Transition:
        """The same transition, whose event's personal values can be erased.

        Args:
            draw: gives a text that nobody can guess, another each time.
        """
        event = self.event.salted(draw)
        return replace(self, event=event, after=replace(self.after, audit_hash=event.hash))

    @property
    def entry(self) -> dict[str, Any]:
        """The audit event as it is stored."""
        signed = {Audit.SIGNATURE: self.signature} if self.signature else {}
        return {**self.event.to_dict(), **signed}


def derive_approval_id(execution_arn: str, key: str) -> str:
    """The id of an approval: a function of its execution and its key, never drawn."""
    return hashlib.sha256(f"{execution_arn}#{key}".encode()).hexdigest()[:32]


def open_approval(
    request: ApprovalRequest,
    *,
    approval_id: str,
    execution_arn: str,
    creation_token: str,
    callback_id: str | None,
    approvers: tuple[str, ...],
    policy: Policy,
    timeout: timedelta,
    now: datetime,
    challenge: str | None = None,
    reminders: tuple[timedelta, ...] = (),
    rule: AppliedRule | None = None,
    said: Mapping[str, Any] | None = None,
) -> Transition:
    """Ask: the record is born pending, with its first audit event.

    What else the event says, of rules say, is in `said`.
    """
    now = on_record(now)
    approval = Approval(
        approval_id=approval_id,
        status="pending",
        **content_of(request),
        approvers=approvers,
        policy=policy,
        context=context_json(request.context),
        content_digest="",
        created_at=now,
        expires_at=on_record(now + timeout),
        execution_arn=execution_arn,
        creation_token=creation_token,
        callback_id=callback_id,
        version=0,
        audit_sequence=0,
        audit_hash=GENESIS,
        challenge=challenge,
        reminders=reminders,
        sensitive=tuple(request.sensitive),
        rule=rule,
        files=tuple(request.files),
        form=form_of(request),
        editable=tuple(request.editable),
        traceparent=request.traceparent,
    )
    check_room(approval)
    approval = replace(approval, content_digest=digest_content(approval))
    details = {
        "expires_at": isoformat(approval.expires_at),
        "execution_arn": execution_arn,
        **(said or {}),
    }
    return with_event(approval, "requested", Actor(request.requester, "declared"), now, details)


def digest_content(approval: Approval) -> str:
    """SHA-256 of what is asked, of whom, under which rules, by RFC 8785.

    What is not set is left out, so that a record keeps its digest when another field is declared.
    """
    content = {
        **content_of(approval),
        "approvers": list(approval.approvers),
        "policy": approval.policy.to_dict(),
        **({"sensitive": list(approval.sensitive)} if approval.sensitive else {}),
        **({"rule": approval.rule.to_dict()} if approval.rule else {}),
        **({"files": list(approval.files)} if approval.files else {}),
        **({"form": approval.form.to_json()} if approval.form else {}),
        **({"editable": list(approval.editable)} if approval.editable else {}),
    }
    try:
        return digest_json({**content, "context": json.loads(approval.context)})
    except (ValueError, RecursionError):  # a row that somebody has changed
        text_of_it = text.canonical_json({**content, "context": approval.context})
        return hashlib.sha256(text_of_it.encode()).hexdigest()


def digest_context(approval: Approval) -> str:
    """SHA-256 of the context alone, by RFC 8785; empty where it is no JSON (any more)."""
    try:
        return digest_json(json.loads(approval.context))
    except (ValueError, RecursionError):
        return ""


def vote_by(votes: Sequence[Vote], name: str, key: Callable[[str], str]) -> Vote | None:
    """The vote of who has this name, as the key compares names."""
    wanted = key(name)
    return next((vote for vote in votes if key(vote.approver) == wanted), None)


def with_event(
    after: Approval, event: EventName, actor: Actor, now: datetime, details: Mapping[str, Any]
) -> Transition:
    """What has happened to a record, as the next event of its trail."""
    entry = AuditEvent(
        approval_id=after.approval_id,
        sequence=after.audit_sequence + 1,
        event=event,
        at=on_record(now),
        actor=actor,
        content_digest=after.content_digest,
        details=details,
        previous_hash=after.audit_hash,
    )
    return Transition(
        replace(
            after,
            version=after.version + 1,
            audit_sequence=entry.sequence,
            audit_hash=entry.hash,
        ),
        entry,
    )
