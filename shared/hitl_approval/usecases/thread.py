"""What people say about a pending request: questions, answers, comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.thread import Comment, check_purpose, comment, sent_to, thread_of
from hitl_approval.usecases.records import Records


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a comment.

    Attributes:
        approval: the record as it now is.
        already: it was the last thing said before, too, and so is on record once.
        to: who is sent it.
    """

    approval: Approval
    already: bool
    to: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadService(Records):
    """Writes and reads what is said about requests.

    Attributes:
        operators: who may comment on any request, and withdraw it. Default: nobody, besides those
            whom a request concerns.
    """

    operators: Sequence[str] = ()

    def comment(
        self,
        approval_id: str,
        actor: Actor,
        said: str,
        *,
        question: bool = False,
        answers: int | None = None,
    ) -> Said:
        """Say something about a pending request; whoever it is for is sent it.

        Args:
            approval_id: the record's id.
            actor: who says it.
            said: the text, as `domain.thread.accept_text` accepts it.
            question: whether it asks the requester.
            answers: the number of the question that it answers. Default: none.

        Raises:
            ApprovalNotFound: no approval has this id.
            ApprovalError: it is refused (see `domain.thread.comment`); nothing was written.
        """
        check_purpose(question=question, answers=answers)
        to: Sequence[str] = ()

        def commented(approval: Approval) -> Transition | None:
            nonlocal to
            thread = thread_of(self.store.history(approval_id))
            to = sent_to(approval, actor, thread, question=question, answers=answers)
            return comment(
                approval,
                actor,
                said,
                thread=thread,
                now=self.clock.now(),
                question=question,
                answers=answers,
                operators=self.operators,
            )

        approval, changed = self._change(approval_id, commented)
        return Said(approval, not changed, to)

    def thread(self, approval: Approval) -> Sequence[Comment]:
        """What was said about a request, oldest first; reads nothing where nothing was."""
        if not approval.thread_length:
            return ()
        return thread_of(self.store.history(approval.approval_id))
