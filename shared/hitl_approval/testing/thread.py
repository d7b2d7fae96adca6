"""What a test says about requests: questions, answers and comments, beside decisions."""

from __future__ import annotations

from collections.abc import Sequence

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor, Identity
from hitl_approval.domain.thread import Comment, accept_text
from hitl_approval.usecases.decide import DecisionService


class Talk:
    """The part of `Approvals` by which people ask and answer."""

    _decisions: DecisionService

    def _one(self, approval: Approval | None) -> Approval:
        """The approval that is meant."""
        raise NotImplementedError

    def comment(
        self,
        said: str,
        approval: Approval | None = None,
        *,
        by: str = "approver",
        question: bool = False,
        answers: int | None = None,
        identity: Identity = "declared",
    ) -> Approval:
        """Ask the requester, answer, or say something; returns the record, which is still pending.

        Args:
            said: what.
            approval: one of `pending()`. Default: the only one.
            by: who says it.
            question: whether the requester is asked; `messages(kind="question")` has what they get.
            answers: the `sequence` of the question of `thread()` that is answered.
            identity: how their name is known.

        Raises:
            AssertionError: as `approve` raises it.
            ApprovalError: this person may not, or the text breaks a rule.
        """
        found = self._one(approval)
        return self._decisions.comment(
            found.approval_id,
            Actor(by, identity),
            accept_text(said),
            question=question,
            answers=answers,
        ).approval

    def thread(self, approval: Approval | None = None) -> Sequence[Comment]:
        """What was said about a request, oldest first.

        Args:
            approval: of any status. Default: the only one that is pending.
        """
        found = self._one(None) if approval is None else approval
        return self._decisions.thread(self._decisions.get(found.approval_id))
