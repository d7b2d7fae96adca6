"""A deployment's request function in memory, as those who ask invoke it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hitl_approval.adapters.requests import RequestFunctionClient
from hitl_approval.ports import Requests
from hitl_approval.request_function import answer

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:approvals-request"
EXECUTION = "arn:aws:lambda:us-east-1:123456789012:function:refund:1/durable-execution/a/b"
ALIAS = f"{FUNCTION}:refund"


@dataclass(slots=True)
class RequestFunction:
    """Lambda, as far as it invokes this one function.

    Attributes:
        requests: makes what one message is answered by.
        invoked: the messages, in order.
        invoked_arn: what the function sees as invoked. Default: what was.
    """

    requests: Callable[[], Requests]
    invoked: list[dict[str, Any]] = field(default_factory=list)
    invoked_arn: str | None = None

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803  boto3's
        """As boto3's client does."""
        message = json.loads(Payload)
        self.invoked.append(message)
        said = answer(message, self.invoked_arn or FunctionName, self.requests())
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(said).encode())}

    def client(self, alias: str = ALIAS) -> RequestFunctionClient:
        """One that asks."""
        return RequestFunctionClient(client=self, sender=self, function=alias)
