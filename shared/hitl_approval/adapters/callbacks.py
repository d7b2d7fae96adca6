"""The doorbell: Lambda's durable callbacks. It only wakes; the record says what was decided."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import NETWORK_ERRORS, error_code
from hitl_approval.ports import Ring

logger = logging.getLogger(__name__)

CLOSED_CODES = frozenset({"CallbackTimeoutException", "ResourceNotFoundException"})
"""Completed, timed out or unknown: the workflow is awake or will look by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaDoorbell:
    """Completes the callback with nothing in it: both answers travel as success."""

    client: Any

    def ring(self, callback_id: str) -> Ring:
        """See `ports.Doorbell.ring`."""
        try:
            self.client.send_durable_execution_callback_success(CallbackId=callback_id)
        except ClientError as error:
            if error_code(error) in CLOSED_CODES:
                return "closed"
            logger.warning("doorbell not reached: %s", error_code(error))
            return "failed"
        except NETWORK_ERRORS as error:
            logger.warning("doorbell not reached: %s", type(error).__name__)
            return "failed"
        return "rung"
