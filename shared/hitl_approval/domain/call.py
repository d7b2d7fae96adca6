"""A call that waits for its approval: what is shown of it, and that nothing else is run."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from hitl_approval.contract import MAX_STEP_RESULT_BYTES
from hitl_approval.domain.binding import NotAsApproved
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.masking import masked
from hitl_approval.domain.request import context_json
from hitl_approval.domain.text import canonical_json

MAX_SUBJECT = 200
"""Characters of a call in a subject line; the context has the whole call."""


_GOES_ON = "... (goes on in the details)"


class ArgumentsChanged(NotAsApproved):
    """The arguments are not those that were approved; the call was not made."""

    __module__ = "hitl_approval"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one function, its arguments by name as canonical JSON.

    The JSON is the call: what is shown, digested and run is read from it, so that nobody who keeps
    a reference to an argument can change it meanwhile.
    """

    tool: str
    arguments: str
    order: tuple[str, ...]
    """The arguments' names as the function has them: the canonical JSON has them sorted."""
    sensitive: tuple[str, ...] = ()
    """Arguments, or fields of them, that no message shows."""

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        sensitive: Sequence[str] = (),
    ) -> Self:
        """Bind arguments as Python would, defaults filled in.

        Raises:
            TypeError: they do not fit the function's signature.
            InvalidRequest: they are not JSON values, which an approver could read whole, or too
                large for a durable step to read back.
        """
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        given = {
            name: list(value) if _is_rest(function, name) else value
            for name, value in bound.arguments.items()
        }
        try:
            written = canonical_json(given)
        except (TypeError, ValueError, RecursionError):
            raise InvalidRequest("arguments", "must be JSON values") from None
        if json.loads(written) != given:  # a tuple, a number as a key
            raise InvalidRequest("arguments", "must be JSON values, lists and text keys only")
        call = cls(function.__name__, written, tuple(given), tuple(sensitive))
        # As the durable SDK encodes the text that the step returns which reads the record: ASCII.
        size = len(json.dumps(context_json(call.context)))
        if size > MAX_STEP_RESULT_BYTES:
            rule = (
                f"must be at most {MAX_STEP_RESULT_BYTES} bytes as a durable step encodes them, "
                f"got {size}: pass a reference to what is large"
            )
            raise InvalidRequest("arguments", rule)
        return call

    @property
    def digest(self) -> str:
        """SHA-256 over the tool and its arguments."""
        return hashlib.sha256(f"{self.tool}({self.arguments})".encode()).hexdigest()

    @property
    def subject(self) -> str:
        """The call in one line; of a long one the beginning, which says that it goes on."""
        given = masked(json.loads(self.arguments), self.sensitive)
        words = ", ".join(f"{name}={json.dumps(given[name])}" for name in self.order)
        line = f"Run {self.tool}({words})"
        return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - len(_GOES_ON)] + _GOES_ON

    @property
    def context(self) -> dict[str, Any]:
        """What the approver sees, and what the record keeps."""
        given = json.loads(self.arguments)
        return {
            "tool": self.tool,
            "arguments": {name: given[name] for name in self.order},
            "arguments_digest": self.digest,
        }

    def check(self, approved: Mapping[str, Any]) -> None:
        """Compare with the context of an approval.

        Raises:
            ArgumentsChanged: it was not this call that was approved.
        """
        if approved != self.context:
            msg = (
                f"{self.tool} was not run: its arguments (digest {self.digest[:12]}) are not those "
                f"that were approved (digest {str(approved.get('arguments_digest'))[:12]})"
            )
            raise ArgumentsChanged([msg])

    def run(self, function: Callable[..., Any]) -> Any:
        """Make the call, with arguments read from the JSON."""
        given = json.loads(self.arguments)
        bound = inspect.signature(function).bind_partial()
        bound.arguments.update(
            {n: tuple(v) if _is_rest(function, n) else v for n, v in given.items()}
        )
        return function(*bound.args, **bound.kwargs)


def _is_rest(function: Callable[..., Any], name: str) -> bool:
    """Whether this parameter is `*args`, which Python passes as a tuple."""
    kind = inspect.signature(function).parameters[name].kind
    return kind is inspect.Parameter.VAR_POSITIONAL
