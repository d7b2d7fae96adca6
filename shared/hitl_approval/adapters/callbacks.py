"""Lambda's durable executions: completing a callback, and whether one still runs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import CALL_ERRORS, NETWORK_ERRORS, error_code, unavailable
from hitl_approval.contract import EXECUTION_ENDED
from hitl_approval.ports.outside import Completed, Execution

logger = logging.getLogger(__name__)

CLOSED_CODES = frozenset({"CallbackTimeoutException", "ResourceNotFoundException"})
"""The callback was completed, has timed out, or is unknown: the workflow reads by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaCallbackClient:
    """Completes the callback with nothing in it: what was decided stands on the record."""

    client: Any

    def complete(self, callback_id: str) -> Completed:
        """See `ports.CallbackClient.complete`."""
        try:
            self.client.send_durable_execution_callback_success(CallbackId=callback_id)
        except ClientError as error:
            if error_code(error) in CLOSED_CODES:
                return "already_running"
            logger.warning("callback not completed: %s", error_code(error))
            return "delayed"
        except NETWORK_ERRORS as error:
            logger.warning("callback not completed: %s", type(error).__name__)
            return "delayed"
        return "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaExecutions:
    """Asks Lambda for a durable execution's status."""

    client: Any

    def check_status(self, execution_arn: str) -> Execution:
        """See `ports.Executions.check_status`."""
        try:
            answer = self.client.get_durable_execution(DurableExecutionArn=execution_arn)
        except CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) == "ResourceNotFoundException":
                return "ended"  # its history is kept for a limited time
            raise unavailable("Lambda", error) from error
        return "ended" if answer["Status"] in EXECUTION_ENDED else "running"
