"""Functions that ask through the request function: its invocations are calls of the simulation."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.faults.simulator import NOTHING, Call, Killed, ProcessDied, World

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:approvals-request"
ASKER = "workflow"
"""The name of the function that asks, as it stands in the executions' ARNs."""

INVOKE_FAULTS = ("fail", "lost", "dies-before", "dies-after", "slow")
REPEATED = ("twice", "echo")
"""Besides, of an invocation that botocore repeats by itself."""

ALONE = {
    "APPROVAL_TIMEOUT_SECONDS": "3600",
    "MAX_APPROVAL_TIMEOUT_SECONDS": "31536000",
    "DEFAULT_APPROVERS": "[]",
    "LOG_LEVEL": "INFO",
    "REQUEST_FUNCTION_ARN": FUNCTION,
    "AWS_LAMBDA_FUNCTION_NAME": ASKER,
}
"""The environment of a function that asks, but for how it is resumed: it knows no table."""


class Context(NamedTuple):
    """What Lambda tells the request function."""

    invoked_function_arn: str


@dataclass
class Askers:
    """Who asks through the request function, and who is within it now.

    Attributes:
        names: of the executions that ask so.
        handler: of the request function.
    """

    names: set[str] = field(default_factory=set)
    handler: Callable[[Any, Any], Any] | None = None
    _within: Counter[str] = field(default_factory=Counter)

    def environment(self, name: str, deployed: Mapping[str, str]) -> Mapping[str, str]:
        """What the code that runs now for an actor reads."""
        if name not in self.names or self._within[name]:
            return deployed
        resume = {n: deployed[n] for n in ("RESUME_MODE", "POLL_INTERVAL_SECONDS")}
        return ALONE | resume

    def invocation(self, world: World, request: Mapping[str, Any]) -> Call:
        """One invocation of the request function, within which it makes its own calls."""
        message = json.loads(request["Payload"])

        def apply(_: str) -> dict[str, Any]:
            return {"StatusCode": 200, **self._answer(world, message, request["FunctionName"])}

        faults = INVOKE_FAULTS if message["operation"] == "notify" else INVOKE_FAULTS + REPEATED
        return Call("Invoke", NOTHING, apply, faults)

    def _answer(self, world: World, message: Any, invoked: str) -> dict[str, Any]:
        assert self.handler is not None
        me = world.current
        assert me is not None
        try:
            with self._inside(me.name):
                said, failed = self.handler(message, Context(invoked)), {}
        except (Killed, ProcessDied):
            if world.over:
                raise
            # It was the request function's process that died: who asked lives.
            me.alive = True
            said, failed = {"errorType": "Runtime.ExitError"}, {"FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(json.dumps(said).encode()), **failed}

    @contextmanager
    def _inside(self, name: str) -> Iterator[None]:
        self._within[name] += 1
        try:
            yield
        finally:
            self._within[name] -= 1
