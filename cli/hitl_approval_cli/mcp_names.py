"""No name in a message is written twice: readers differ in which of the two they take.

JSON readers of some languages take `Method` for `method`. A call that such a server would read
otherwise than the gate has read it is not forwarded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hitl_approval.domain import text
from hitl_approval.mcp.rpc import INVALID_PARAMS, RpcError


def check_names(
    value: Mapping[str, Any], known: Sequence[str], *, about: str | int | None = None
) -> None:
    """Refuse an object with a name that is another spelling of a known one, or of each other.

    Args:
        value: a message, or its parameters.
        known: names that servers read.
        about: the id of the message.

    Raises:
        RpcError: there is one.
    """
    spelled = {name.casefold(): name for name in known}
    for name in value:
        if spelled.setdefault(name.casefold(), name) != name:
            first = spelled[name.casefold()]
            rule = f"{text.shown(name)} is another spelling of {text.shown(first)}: use one"
            raise RpcError(INVALID_PARAMS, rule, about=about)


def check_values(value: Any, *, about: str | int | None = None) -> None:
    """The same for all objects in a value.

    Raises:
        RpcError: there is one.
    """
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, Mapping):
            check_names(one, (), about=about)
            rest += one.values()
        elif isinstance(one, list):
            rest += one
