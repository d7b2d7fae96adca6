"""A call that waits for its approval: what is shown of it, and that nothing else is run."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self

from hitl_approval.domain.binding import NotAsApproved
from hitl_approval.domain.edit import edit, editable_fields
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.masking import masked
from hitl_approval.domain.request_values import context_json
from hitl_approval.domain.text import canonical_json

MAX_SUBJECT = 200
"""Characters of a call in a subject line; the context has the whole call."""
MAX_STEP_RESULT_BYTES = 262_144
"""Largest result of one durable step, as the durable SDK encodes it: Lambda's quota."""
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
    editable: tuple[str, ...] = ()
    """Arguments, or fields of them, that an approver may change."""

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        sensitive: Sequence[str] = (),
        editable: Sequence[str] = (),
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
        return cls.given(function.__name__, given, sensitive=sensitive, editable=editable)

    @classmethod
    def given(
        cls,
        tool: str,
        given: Mapping[str, Any],
        *,
        sensitive: Sequence[str] = (),
        editable: Sequence[str] = (),
    ) -> Self:
        """A call of something that has a name and takes arguments by name.

        Raises:
            InvalidRequest: they are not JSON values, which an approver could read whole, or too
                large for a durable step to read back.
        """
        try:
            written = canonical_json(given)
        except (TypeError, ValueError, RecursionError):
            raise InvalidRequest("arguments", "must be JSON values") from None
        if json.loads(written) != given:  # a tuple, a number as a key
            raise InvalidRequest("arguments", "must be JSON values, lists and text keys only")
        call = cls(tool, written, tuple(given), tuple(sensitive), tuple(editable))
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
        """The call in one line; of a long one the beginning, which says that it goes on.

        It stays as it is whatever an approver changes, so that it has none of what may be changed.
        """
        given = masked(json.loads(self.arguments), (*self.sensitive, *self.editable))
        words = ", ".join(f"{name}={json.dumps(given[name])}" for name in self.order)
        line = f"Run {self.tool}({words})"
        return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - len(_GOES_ON)] + _GOES_ON

    @property
    def context(self) -> dict[str, Any]:
        """What the approver sees, and what the record keeps."""
        given = json.loads(self.arguments)
        shown = {"tool": self.tool, "arguments": {name: given[name] for name in self.order}}
        if self.editable:  # of what may be changed a digest would say nothing
            return shown
        return {**shown, "arguments_digest": self.digest}

    @property
    def paths(self) -> tuple[str, ...]:
        """What may be changed, as the record names it."""
        return tuple(f"arguments.{path}" for path in self.editable)

    def approved(self, approved: Mapping[str, Any]) -> Self:
        """The call as it was approved: with the values to which an approver has changed it.

        Args:
            approved: the context of the approval.

        Raises:
            ArgumentsChanged: it was not this call that was approved.
        """
        call = self
        if self.editable and isinstance(approved.get("arguments"), Mapping):
            with suppress(InvalidRequest):  # then it is another call, which `check` says
                now = {each.name: each.default for each in editable_fields(approved, self.paths)}
                context, _ = edit(self.context, self.paths, now)
                call = replace(self, arguments=canonical_json(context["arguments"]))
        call.check(approved)
        return call

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
