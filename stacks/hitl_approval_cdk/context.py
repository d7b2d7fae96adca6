"""The deployable app's context keys (`cdk deploy -c approval_timeout_seconds=7200`), read strictly.

A key that is not known and a value that does not fit are refused with one line: a misspelt rule
that silently does nothing would be a weaker policy than the one that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval.domain.text import cut
from hitl_approval_cdk.declaration import DECLARED
from hitl_approval_cdk.option import ContextKey
from hitl_approval_cdk.options import HitlApprovalOptions
from hitl_approval_cdk.page import ApprovalPage
from hitl_approval_cdk.tokens import shown

KEYS: Final[Mapping[str, tuple[str, ContextKey]]] = {
    key.name: (name, key) for name, declared in DECLARED.items() for key in declared.option.keys
}
"""Context key -> the option that it sets, and how its value is read."""

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
# The CDK's own keys and other tools' have a colon, an @, a slash or a hyphen.
_OURS = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class ContextError(ValueError):
    """A context key or value that cannot be meant; the message is one line for a person."""


def stack_name(context: Mapping[str, Any]) -> str:
    """Name of the stack: the key `stack_name`.

    Raises:
        ContextError: not a name that CloudFormation takes.
    """
    name = context.get("stack_name", DEFAULT_STACK_NAME)
    if not isinstance(name, str) or not _STACK_NAME.fullmatch(name):
        rule = "must be a letter, then letters, digits and hyphens"
        msg = f"context stack_name {rule}, got {shown(name)}"
        raise ContextError(msg)
    return name


def options(context: Mapping[str, Any]) -> HitlApprovalOptions:
    """Keywords of `HitlApproval` from the app's context.

    Raises:
        ContextError: an unknown key, or a value that does not fit its key.
    """
    unknown = [k for k in context if _OURS.fullmatch(k) and k not in KEYS and k != "stack_name"]
    if unknown:
        near = get_close_matches(unknown[0], KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are stack_name, {', '.join(KEYS)}"
        msg = f"context key {cut(unknown[0])} is unknown: {hint}"
        raise ContextError(msg)
    values: dict[str, Any] = {}
    page: dict[str, Any] = {}
    for name, key in KEYS.values():
        if key.name in context:
            value = _read(key, context[key.name])
        elif key.differs:
            value = _read(key, key.default)
        else:
            continue
        if key.field:
            page[key.field] = value
        else:
            values[name] = value
    if page:
        values["page"] = ApprovalPage(**page)
    return cast(HitlApprovalOptions, values)


def _read(key: ContextKey, value: Any) -> Any:
    try:
        return key.read(value)
    except (ValueError, TypeError, KeyError):
        msg = f"context {key.name} must be {key.takes}, got {shown(value)}"
        raise ContextError(msg) from None
