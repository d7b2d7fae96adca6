"""Which approval of which execution."""

from __future__ import annotations

from dataclasses import dataclass

from hitl_approval.domain.approval import derive_approval_id


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Names one request of an execution; the approval's id follows from it.

    Attributes:
        execution_arn: of the execution that asks.
        key: the approval's name within the execution, or what else is unique in it.
    """

    execution_arn: str
    key: str

    @property
    def approval_id(self) -> str:
        """The id of the approval."""
        return derive_approval_id(self.execution_arn, self.key)
