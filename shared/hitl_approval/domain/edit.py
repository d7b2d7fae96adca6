"""Values of a request that its approver may change: which they are, and what a change makes of it.

A path names a value as `sensitive` does, `customer.limit` say, and leads to one value: text, a
number, or yes and no. A change keeps its type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest, ValuesRefused
from hitl_approval.domain.form import Form, FormField, Kind, rule_of
from hitl_approval.domain.number import plain_number

MAX_EDITABLE = 10
"""Most values that a request lets its approver change: a form beside them may have 20 more."""
MAX_EDITED_TEXT = 1_000
"""Characters of a text that may be changed."""
MAX_EDITED_BYTES = 2_000
"""Most that the values which may be changed take together, as UTF-8 JSON: the record keeps them as
they were and as they are, beside the context."""
CHANGES = "changes"
"""The name of changed values in an answer, in an event and in an outcome."""

MAX_CONTEXT_WITH_VALUES = 100_000
"""Largest context of a request with a form or with values to change, as UTF-8 JSON: the rest of
what a request without them may have is room for the values."""

_Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One value that an approver has changed.

    Attributes:
        before: the value as it was asked.
        after: the value as it now stands on record.
    """

    before: Any
    after: Any


def check_asked(
    form: Form | None, editable: Sequence[str], context: Mapping[str, Any], stored: str
) -> None:
    """Whether a request can have this form and these values to change.

    Args:
        form: what is filled in.
        editable: what may be changed.
        context: of the request.
        stored: the same, as the record keeps it.

    Raises:
        InvalidRequest: it cannot, and why.
    """
    accept_editable(editable, context)
    for name in () if form is None else form.names:
        if name in editable:
            raise InvalidRequest("form", f"asks for {name}, which editable names too")
    size = len(stored.encode())
    if size > MAX_CONTEXT_WITH_VALUES:
        raise InvalidRequest(
            "context",
            f"must be at most {MAX_CONTEXT_WITH_VALUES} bytes with a form or editable values, "
            f"got {size}",
        )


def accept_editable(paths: Sequence[str], context: Mapping[str, Any]) -> None:
    """Whether each path leads to one value of the context that a person can change.

    Raises:
        InvalidRequest: one does not, and why.
    """
    if len(paths) > MAX_EDITABLE:
        raise InvalidRequest("editable", f"must be at most {MAX_EDITABLE}, got {len(paths)}")
    for path in paths:
        if "=" in path:
            raise InvalidRequest("editable", f"names {text.shown(path)}, which has a =")
        found = list(_places(context, path, ()))
        if len(found) != 1:
            rule = "is no field of the context" if not found else "could be several fields"
            raise InvalidRequest("editable", f"names {text.shown(path)}, which {rule}")
        _check_value(path, _value(context, found[0]))
    size = _size({path: _value(context, _place(context, path)) for path in paths})
    if size > MAX_EDITED_BYTES:
        rule = f"must name values of at most {MAX_EDITED_BYTES} bytes together, got {size}"
        raise InvalidRequest("editable", rule)


def _check_value(path: str, value: Any) -> None:
    named = f"names {text.shown(path)}, whose value"
    if isinstance(value, str):
        try:
            text.comment(value, path)
        except InvalidRequest as refused:
            raise InvalidRequest("editable", f"{named} {rule_of(refused, path)}") from None
        if len(value) > MAX_EDITED_TEXT:
            rule = f"{named} must be at most {MAX_EDITED_TEXT} characters, got {len(value)}"
            raise InvalidRequest("editable", rule)
    elif not isinstance(value, bool) and plain_number(value) is None:
        rule = f"{named} must be text, a number or true or false, got {text.kind(value)}"
        raise InvalidRequest("editable", rule)


def editable_fields(context: Mapping[str, Any], paths: Sequence[str]) -> tuple[FormField, ...]:
    """What may be changed, as fields filled in with the present values."""
    found = []
    for path in paths:
        value = _value(context, _place(context, path))
        if isinstance(value, bool):
            found.append(FormField(name=path, kind="boolean", default=value))
        elif isinstance(value, str):
            found.append(
                FormField(name=path, kind="string", default=value, maximum=MAX_EDITED_TEXT)
            )
        else:
            kind: Kind = "integer" if isinstance(value, int) else "number"
            found.append(FormField(name=path, kind=kind, default=plain_number(value)))
    return tuple(found)


def edit(
    context: Mapping[str, Any], paths: Sequence[str], changes: Any
) -> tuple[dict[str, Any], dict[str, Change]]:
    """Change values of a context; what is given as it stands is no change.

    Args:
        context: as it stands on record.
        paths: what may be changed.
        changes: new values by path.

    Returns:
        The context as it is then, and what has changed.

    Raises:
        InvalidRequest: it is no object.
        ValuesRefused: values that do not fit, or may not be changed.
    """
    if not isinstance(changes, Mapping):
        raise InvalidRequest(CHANGES, f"must be an object, got {text.kind(changes)}")
    fields = {each.name: each for each in editable_fields(context, paths)}
    problems: dict[str, str] = {}
    made: dict[str, Change] = {}
    after: dict[str, Any] = dict(context)
    for path, value in changes.items():
        each = fields.get(path)
        if each is None:
            listed = ", ".join(paths) or "nothing"
            shown = text.field_name(path if isinstance(path, str) else repr(path))
            problems[shown] = f"must not be changed: what may be is {listed}"
            continue
        if value is None:
            problems[path] = "is required"
            continue
        if isinstance(value, str) and _plain_text(value) == _plain_text(each.default):
            continue
        try:
            accepted = each.accept(value)
        except InvalidRequest as refused:
            problems[path] = rule_of(refused, path)
            continue
        if accepted == each.default:
            continue
        made[path] = Change(each.default, accepted)
        kept = float(accepted) if each.kind == "number" else accepted
        after = _with(after, _place(context, path), kept)
    if not problems:
        size = _size({each: _value(after, _place(after, each)) for each in paths})
        if size > MAX_EDITED_BYTES:
            said = f"is too long: the values together take {size} bytes, of {MAX_EDITED_BYTES}"
            problems[max(made, key=lambda path: len(str(made[path].after)))] = said
    if problems:
        raise ValuesRefused({f"{CHANGES}.{name}": rule for name, rule in problems.items()})
    return after, made


def merged(so_far: Mapping[str, Change], made: Mapping[str, Change]) -> dict[str, Change]:
    """All that has changed since a request was asked; what is as it was then is left out."""
    found = dict(so_far)
    for path, change in made.items():
        before = found[path].before if path in found else change.before
        found[path] = Change(before, change.after)
    return {path: change for path, change in found.items() if change.before != change.after}


def changes_view(changes: Mapping[str, Change]) -> dict[str, dict[str, Any]]:
    """Changes as JSON values."""
    return {path: {"before": one.before, "after": one.after} for path, one in changes.items()}


def read_changes(values: Any) -> dict[str, Change]:
    """Read back what `changes_view` wrote.

    Raises:
        KeyError, TypeError, AttributeError: it is something else.
    """
    return {str(path): Change(change["before"], change["after"]) for path, change in values.items()}


def _plain_text(value: Any) -> Any:
    """A text as forms give it back: with their line ends, and no space around it."""
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


def _places(value: Any, path: str, before: _Place) -> Iterator[_Place]:
    """Where a path leads, however often: a name may have a dot of its own. Not into lists."""
    if not isinstance(value, Mapping):
        return
    for name, inner in value.items():
        if path == name:
            yield (*before, name)
        elif path.startswith(f"{name}."):
            yield from _places(inner, path.removeprefix(f"{name}."), (*before, name))


def _place(context: Mapping[str, Any], path: str) -> _Place:
    """Where a path leads; in a row that somebody has changed, it may lead nowhere."""
    for found in _places(context, path, ()):
        return found
    raise InvalidRequest("editable", f"names {text.shown(path)}, which is no field of the context")


def _value(context: Any, place: _Place) -> Any:
    for name in place:
        context = context[name]
    return context


def _with(context: Mapping[str, Any], place: _Place, value: Any) -> dict[str, Any]:
    name, *rest = place
    inner = _with(context[name], tuple(rest), value) if rest else value
    return {**context, name: inner}


def _size(values: Mapping[str, Any]) -> int:
    return len(json.dumps(dict(values), ensure_ascii=False).encode())
