"""What a requester calls sensitive stays on the page: everything that is sent out has it masked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.text import spelling

if TYPE_CHECKING:
    from hitl_approval.domain.approval import Approval

MASK = "(shown on the page)"
"""What stands in the place of a value that is not sent out."""


def masked(context: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A context without the values that these paths lead to, `customer.iban` say.

    A path through a list leads into each of its items.
    """
    for path in paths:
        context = _without(context, path)
    return dict(context)


def leads_nowhere(context: Mapping[str, Any], path: str) -> bool:
    """Whether a path names no field of a context: it would mask nothing."""
    return masked(context, [path]) == context


def sent(approval: Approval) -> dict[str, Any]:
    """The context as every message and event has it, whoever gets it."""
    return masked(json.loads(approval.context), approval.sensitive)


def masked_values(values: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """What was filled in, or changed, without the values that these paths lead to.

    Args:
        values: by the names of fields, or by the paths of values of the context.
        paths: what is sensitive; what is in it is sensitive too.
    """
    hidden = tuple(paths)
    return {name: MASK if _is_within(name, hidden) else value for name, value in values.items()}


def is_shown_all(approval: Approval, actor: Actor | None, *, stands_in: bool = False) -> bool:
    """Whether somebody sees what is sensitive: who was asked and who asked.

    Args:
        approval: the record.
        actor: who has signed in. None, or a name that was only typed in: who may invoke the
            deployment's function, and so may read all.
        stands_in: whether they may answer it by a delegation.
    """
    if stands_in or actor is None or not actor.verified or not approval.approvers:
        return True
    people = (*approval.asked, *approval.concerned, approval.requester)
    return spelling(actor.name) in {spelling(name) for name in people}


def shown_to(approval: Approval, actor: Actor | None, *, stands_in: bool = False) -> dict[str, Any]:
    """The context as somebody sees it; see `is_shown_all`."""
    if is_shown_all(approval, actor, stands_in=stands_in):
        return dict(json.loads(approval.context))
    return sent(approval)


def _is_within(name: str, paths: Iterable[str]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for path in paths)


def _without(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _masked(name, inner, path) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without(inner, path) for inner in value]
    return value


def _masked(name: str, value: Any, path: str) -> Any:
    if path == name:
        return MASK
    inner = path.removeprefix(f"{name}.")
    return value if inner == path else _without(value, inner)
