"""What people and operators do: decide, cancel, resume, list, read the trail."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from hitl_approval.contract import Metrics, Table
from hitl_approval.domain import escalation
from hitl_approval.domain.approval import Approval, Decision, Status, Transition
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.cursor import encode_cursor
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.ending import cancel
from hitl_approval.domain.errors import ApprovalError, InvalidRequest
from hitl_approval.domain.link import find_message
from hitl_approval.domain.message import GIVEN_UP, Message
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.reminder import check_not_too_soon, remind
from hitl_approval.domain.rule import Rules
from hitl_approval.domain.text import folded, person_key
from hitl_approval.domain.values import NOTHING, Values
from hitl_approval.domain.voting import cast_vote, retract
from hitl_approval.ports.messages import MessageStore
from hitl_approval.ports.outside import CallbackClient, Executions
from hitl_approval.ports.records import Delegations, Inbox, Page
from hitl_approval.usecases.delegate import DelegationService, check_age
from hitl_approval.usecases.thread import ThreadService
from hitl_approval.usecases.trail import Trail, read_trail

logger = logging.getLogger(__name__)

SEARCHED = 1_000
"""Records that one page of a search reads at most: well inside one invocation's time."""
SEARCH_PAGE = 100
"""Records that a search reads at once."""


Workflow = Literal["resumed", "already_running", "delayed", "polling", "waiting", "ended"]
"""What became of the workflow: see `ports.Completed`; it polls and reads the end of the request at
its next poll; it waits on, because the request is still pending; or it has ended without having
read the end of the request, and will not act on it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a decision or a cancellation.

    Attributes:
        approval: the record as it now is.
        already: the same answer by the same person was on record before.
        workflow: what became of the workflow that waits for it.
    """

    approval: Approval
    already: bool
    workflow: Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionService(ThreadService):
    """What people do who decide, and who follow what is decided.

    Attributes:
        callbacks: resumes workflows.
        executions: knows whether they still run. Default: nobody is asked, none has ended.
        inbox: what awaits each approver. Default: none is kept.
        messages: what each person was sent. Default: nobody is.
        delegations: who answers for whom. Default: nobody does.
        requests_name_approvers: whether who asks chooses who decides, and so may hand over.
            Default: they may not.
        sign_in_max_age: how old a sign-in by JWT may be that decides. Default: of any age.
        rules: of the deployment, to be shown. Default: none.
        people: everybody whom the deployment names, to be shown. Default: nobody.
        groups: names of its groups, to be shown. Default: none.
    """

    callbacks: CallbackClient
    executions: Executions | None = None
    inbox: Inbox | None = None
    messages: MessageStore | None = None
    delegations: Delegations | None = None
    requests_name_approvers: bool = False
    sign_in_max_age: timedelta | None = None
    rules: Rules = field(default_factory=Rules)
    people: Sequence[str] = ()
    groups: Sequence[str] = ()

    def decide(
        self,
        approval_id: str,
        actor: Actor,
        decision: Decision,
        comments: str = "",
        *,
        content_digest: str | None = None,
        values: Values = NOTHING,
    ) -> Answer:
        """Commit a vote and, if it decides, resume the workflow.

        Raises:
            ApprovalNotFound: no approval has this id.
            Unauthenticated: the sign-in is too old to decide.
            ApprovalError: the vote is refused (see `cast_vote`); nothing was written.
        """
        self._check_age(actor)
        approval, changed = self._change(
            approval_id,
            lambda approval: cast_vote(
                approval,
                actor,
                decision,
                comments,
                now=self.clock.now(),
                content_digest=content_digest,
                values=values,
                delegations=self._known(approval, actor),
            ),
        )
        return Answer(approval, not changed, self._resume_workflow(approval))

    @property
    def delegating(self) -> DelegationService:
        """Who answers for whom.

        Raises:
            InvalidRequest: this deployment keeps no delegations.
        """
        if self.delegations is None:
            raise InvalidRequest("action", "needs delegations, which this deployment does not keep")
        return DelegationService(
            delegations=self.delegations,
            clock=self.clock,
            operators=self.operators,
            sign_in_max_age=self.sign_in_max_age,
        )

    def by_which(self, approval: Approval, actor: Actor) -> Delegation | None:
        """By which delegation this person may answer a request; None where it takes none."""
        return None if self.delegations is None else self.delegating.by_which(approval, actor)

    def _known(self, approval: Approval, actor: Actor) -> Sequence[Delegation]:
        return () if self.delegations is None else self.delegating.known(approval, actor)

    def _check_age(self, actor: Actor) -> None:
        check_age(actor, self.sign_in_max_age, now=self.clock.now())

    def retract(self, approval_id: str, actor: Actor) -> Answer:
        """Take one's own vote back, while it has not been acted on.

        Raises:
            ApprovalNotFound: no approval has this id.
            InvalidRequest: this person has not answered it.
            ApprovalError: it is too late (see `voting.retract`).
        """
        self._check_age(actor)
        approval, changed = self._change(
            approval_id, lambda approval: retract(approval, actor, now=self.clock.now())
        )
        if not changed:
            raise InvalidRequest("approver", "has no answer on this request to take back")
        return Answer(approval, already=False, workflow=self._resume_workflow(approval))

    def reassign(
        self, approval_id: str, actor: Actor, *, giver: str, to: str, comments: str = ""
    ) -> Approval:
        """Ask another person in an approver's place; the record as it now is.

        Raises:
            ApprovalNotFound: no approval has this id.
            ApprovalError: it is refused (see `domain.reassign.reassign`); nothing was written.
        """
        self._check_age(actor)
        approval, _ = self._change(
            approval_id,
            lambda approval: reassign(
                approval,
                actor,
                giver=giver,
                to=to,
                comments=comments,
                now=self.clock.now(),
                operators=self.operators,
                requester_may=self.requests_name_approvers,
            ),
        )
        return approval

    def cancel(self, approval_id: str, actor: Actor, comments: str = "") -> Answer:
        """Withdraw a request and resume the workflow.

        Raises:
            ApprovalNotFound: no approval has this id.
            ApprovalError: it has ended otherwise, or this person may not withdraw it.
        """
        approval, changed = self._change(
            approval_id,
            lambda approval: cancel(
                approval, actor, comments, now=self.clock.now(), operators=self.operators
            ),
        )
        return Answer(approval, not changed, self._resume_workflow(approval))

    def resume(self, approval_id: str) -> Answer:
        """Resume the workflow of a decided approval once more, for operators; writes nothing.

        Raises:
            ApprovalNotFound: no approval has this id.
            InvalidRequest: there is nothing to resume for yet.
        """
        approval = self.get(approval_id)
        if approval.pending:
            raise InvalidRequest("approval_id", "is still pending: there is nothing to resume for")
        return Answer(approval, already=True, workflow=self._resume_workflow(approval))

    def repair(self, approval_id: str) -> None:
        """Let what was put aside of an approval be taken up again, for operators.

        That is the record, by the next sweep, and messages that were given up, by the messenger.

        Raises:
            ApprovalNotFound: no approval has this id.
            InvalidRequest: nothing of it is put aside.
        """
        taken_up = self.store.take_up(approval_id, at=self.clock.now() - escalation.SWEEP_GRACE)
        for message in self.messages_about(approval_id):
            if self.messages is not None and message.state in GIVEN_UP:
                self.messages.reopen(message, self.clock.now())
                taken_up = True
        if not taken_up:
            self.get(approval_id)
            raise InvalidRequest("approval_id", "needs no repair: nothing of it is put aside")

    def list_by_status(
        self,
        status: Status,
        *,
        limit: int,
        cursor: str | None,
        since: datetime | None = None,
        requester: str | None = None,
        subject: str | None = None,
        id_prefix: str | None = None,
        search: str | None = None,
    ) -> Page:
        """One page of the approvals of a status, newest first.

        A search reads at most `SEARCHED` records for one page: it may find fewer than `limit`, or
        none, and still have a cursor to go on from.

        Args:
            status: of all of them.
            limit: how many at most.
            cursor: where the page before ended.
            since: only what was created at that time or later.
            requester: only what this person asked for.
            subject: only those with this in their subject, whatever its case.
            id_prefix: only those whose id begins like this.
            search: only those with this in their subject, their document's name or id, or their
                requester's name, or at the beginning of their id, whatever its case and accents.
        """
        if (requester, subject, id_prefix, search) == (None, None, None, None):
            return self.store.list_by_status(status, limit=limit, cursor=cursor, since=since)
        found: list[Mapping[str, Any]] = []
        for _ in range(SEARCHED // SEARCH_PAGE):
            page = self.store.list_by_status(status, limit=SEARCH_PAGE, cursor=cursor, since=since)
            for item in page.items:
                if _matches(item, requester, subject, id_prefix) and finds(search, item):
                    found.append(item)
                if len(found) == limit:
                    after = encode_cursor(item[Table.CREATED_AT], item[Table.PARTITION_KEY])
                    return Page(found, after)
            cursor = page.cursor
            if cursor is None:
                break
        return Page(found, cursor)

    def awaiting(self, name: str, *, limit: int, cursor: str | None) -> Page:
        """One page of what awaits this person's answer; what expires first comes first.

        What they answer for another, by a delegation, has `on_behalf_of`.

        Raises:
            InvalidRequest: this deployment keeps no inbox.
        """
        if self.inbox is None:
            raise InvalidRequest("action", "needs an inbox, which this deployment does not keep")
        if self.delegations is None:
            return self.inbox.awaiting(name, limit=limit, cursor=cursor)
        return self.delegating.awaiting(self.inbox, name, limit=limit, cursor=cursor)

    def messages_about(self, approval_id: str) -> Sequence[Message]:
        """The messages to people about an approval, in the order in which they follow from it.

        None where nobody gets one of their own.
        """
        found = [] if self.messages is None else self.messages.about(approval_id)
        return sorted(
            found, key=lambda message: (message.sequence, message.number, message.recipient)
        )

    def message_of(self, approval_id: str, token: str) -> Message | None:
        """The message that brought this token's personal link; None if it opens nothing."""
        return find_message(self.messages_about(approval_id), token)

    def remind(
        self, approval_id: str, actor: Actor, names: Sequence[str] = ()
    ) -> tuple[Approval, Sequence[str]]:
        """Ask again those who have not answered; the messenger function sends the messages.

        Args:
            approval_id: the record's id.
            actor: who wants it.
            names: whom to ask again. Default: all who have not answered.

        Returns:
            The record, and who is asked again.

        Raises:
            ApprovalNotFound: no approval has this id.
            RemindedAlready: one of them was reminded in the last `REMIND_AGAIN`.
            ApprovalError: there is nobody to remind, or nothing to answer any more.
        """
        if self.messages is None:
            raise InvalidRequest(
                "action", "needs messages to people, which this deployment does not send"
            )

        to: Sequence[str] = ()

        def reminded(approval: Approval) -> Transition:
            nonlocal to
            now = self.clock.now()
            transition = remind(approval, actor, names, now=now)
            check_not_too_soon(transition, self.store.history(approval_id), now=now)
            to = transition.event.details["to"]
            return transition

        approval, _ = self._change(approval_id, reminded)
        return approval, to

    def history(self, approval_id: str) -> Trail:
        """The audit trail of one approval, and what is wrong with it.

        Raises:
            ApprovalNotFound: no approval ever had this id.
        """
        return read_trail(self.store, approval_id, self.signer)

    def _resume_workflow(self, approval: Approval) -> Workflow:
        if approval.pending:
            return "waiting"
        became: Workflow = "polling"
        if approval.callback_id is not None:
            became = self.callbacks.complete(approval.callback_id)
        if became == "delayed":
            self.meter.count(Metrics.RESUME_FAILED)
        if became in {"polling", "already_running"} and self._has_ended(approval):
            return "ended"
        return became

    def _has_ended(self, approval: Approval) -> bool:
        """Whether the workflow has ended and not read how its approval did; False if not known."""
        if approval.resumed or self.executions is None:
            return False
        try:
            return (
                self.executions.check_status(approval.execution_arn) == "ended"
                # Read after that: it may have ended because it had just read the decision.
                and not self.get(approval.approval_id).resumed
            )
        except ApprovalError as error:  # the decision stands all the same
            logger.warning("not known whether its workflow runs: %s", error.code)
            return False


def finds(search: str | None, item: Mapping[str, Any]) -> bool:
    """Whether an item of a list has what is searched for; what is not searched for finds all."""
    if search is None:
        return True
    wanted = folded(search)
    texts = (
        item.get(name, "") for name in ("subject", "requester", "document_id", "document_name")
    )
    return item[Table.PARTITION_KEY].casefold().startswith(wanted) or any(
        wanted in folded(each) for each in texts
    )


def _matches(
    item: Mapping[str, Any], requester: str | None, subject: str | None, id_prefix: str | None
) -> bool:
    asked = requester is None or person_key(item["requester"]) == person_key(requester)
    about = subject is None or folded(subject) in folded(item["subject"])
    return asked and about and item[Table.PARTITION_KEY].startswith(id_prefix or "")
