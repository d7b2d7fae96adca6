"""The waiting task of a Step Functions state machine."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import CALL_ERRORS, error_code, unavailable

logger = logging.getLogger(__name__)

CLOSED_CODES = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
"""The state machine waits no more: stopped, timed out or answered already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFunctionsTasks:
    """Answers tasks by their tokens."""

    client: Any

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """See `ports.Tasks.succeed`."""
        return self._send(
            self.client.send_task_success, taskToken=token, output=json.dumps(dict(output))
        )

    def fail(self, token: str, error: str, cause: str) -> bool:
        """See `ports.Tasks.fail`."""
        return self._send(self.client.send_task_failure, taskToken=token, error=error, cause=cause)

    def _send(self, call: Any, **parameters: str) -> bool:
        try:
            call(**parameters)
        except CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) in CLOSED_CODES:
                logger.warning("the state machine waits no more: %s", error_code(error))
                return False
            raise unavailable("Step Functions", error) from error
        return True
