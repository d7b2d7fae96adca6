"""Starts the packaged workflow, and says why one of its executions made no request."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import CALL_ERRORS, error_code, is_transient, unavailable
from hitl_approval.contract import DOCUMENT_APPROVAL, EXECUTION_ENDED
from hitl_approval.domain import text
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.errors import ApprovalError, InvalidRequest, Unavailable
from hitl_approval.mcp.caller import Started

_TAKEN: Final = "DurableExecutionAlreadyStartedException"
_REFUSED: Final = f"{InvalidRequest.__module__}.{InvalidRequest.__name__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStarter:
    """Starts executions of the packaged workflow.

    Attributes:
        client: of Lambda, for what may be sent again.
        sender: of Lambda, for what may not: it tries once.
        workflow: the alias to start.
    """

    client: Any
    sender: Any
    workflow: str

    def start(self, event: Mapping[str, Any], name: str | None) -> Started:
        """Start an execution.

        Args:
            event: of the packaged workflow.
            name: of the execution: sent again it is the same one. Default: a new one.

        Raises:
            InvalidRequest: the name was used with another event.
            Unavailable: it was not started now, or nobody knows.
        """
        client = self.sender if name is None else self.client
        try:
            answer = client.invoke(
                FunctionName=self.workflow,
                InvocationType="Event",
                DurableExecutionName=name or f"mcp-{uuid.uuid4().hex}",
                Payload=json.dumps(event, sort_keys=True).encode(),
            )
        except CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) == _TAKEN:
                rule = "was used for another request: choose a new one"
                raise InvalidRequest("idempotency_key", rule) from None
            if not is_transient(error):
                raise
            raise unavailable("Lambda", error) from error
        arn = answer["DurableExecutionArn"]
        return Started(derive_approval_id(arn, DOCUMENT_APPROVAL), arn)

    def refusal(self, started: Started) -> ApprovalError | None:
        """Why an execution has ended without a request; None while it may still make one."""
        try:
            found = self.client.get_durable_execution(DurableExecutionArn=started.execution_arn)
        except CALL_ERRORS:
            return None  # accepted a moment ago, or not to be asked now
        if found["Status"] not in EXECUTION_ENDED:
            return None
        return no_request(found)


def no_request(execution: Mapping[str, Any]) -> ApprovalError:
    """Why an execution of the packaged workflow that has ended made no request.

    Args:
        execution: as Lambda's GetDurableExecution has it.
    """
    failure = execution.get("Error") or {}
    message = str(failure.get("ErrorMessage", ""))
    if failure.get("ErrorType") == _REFUSED:
        said = {"code": InvalidRequest.code, "message": message, "details": {}}
        return ApprovalError.from_dict({"error": said})
    return Unavailable(f"the workflow made no request: {text.cut(message) or 'its log says why'}")
