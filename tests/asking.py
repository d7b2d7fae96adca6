"""A deployment's request function in memory, as those who ask invoke it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hitl_approval.adapters.requests import RequestFunctionClient
from hitl_approval.domain.outcome import Snapshot
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.ports.requests import Requests, Submission
from hitl_approval.request_function import answer
from tests.anything import any_request

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:approvals-request"
EXECUTION = "arn:aws:lambda:us-east-1:123456789012:function:refund:1/durable-execution/a/b"
ALIAS = f"{FUNCTION}:refund"


def submit(requests: Requests, key: RequestKey, **fields: Any) -> Snapshot:
    """Ask for an arbitrary request; fields are the submission's or the request's."""
    said: dict[str, Any] = {
        "timeout": timedelta(hours=1),
        "members": None,
        "creation_token": "token-1",
        "callback_id": "callback-1",
    }
    said |= {name: fields.pop(name) for name in said if name in fields}
    return requests.submit(key, Submission(request=any_request(**fields), **said))


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
        message = self._called(json.loads(Payload))
        self.invoked.append(message)
        said = answer(message, self.invoked_arn or FunctionName, self.requests())
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(said).encode())}

    def _called(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message as it arrives."""
        return message

    def client(self, alias: str = ALIAS) -> RequestFunctionClient:
        """One that asks."""
        return RequestFunctionClient(client=self, sender=self, function=alias)


class RequestFunctionOfARunner(RequestFunction):
    """That of functions on the local runner, whose ARNs do not name a function as Lambda's do."""

    def _called(self, message: dict[str, Any]) -> dict[str, Any]:
        own = EXECUTION.partition("/durable-execution/")[0]
        execution_arn = f"{own}/durable-execution/{message['execution_arn']}"
        return {**message, "execution_arn": execution_arn}
