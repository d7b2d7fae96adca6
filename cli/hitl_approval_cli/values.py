"""What `--set` says: values of a request's form, and values of it that are changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hitl_approval.domain.edit import CHANGES, editable_fields
from hitl_approval.domain.errors import ContentChanged, InvalidRequest
from hitl_approval.domain.form import INPUT, Form, FormField, in_words
from hitl_approval.domain.text import cut, inert, shown
from hitl_approval_cli.errors import CliError, usage

Record = Mapping[str, Any]
"""An approval, as the approval function answers."""


_IN_WORDS: Mapping[str, str] = {
    "boolean": "yes or no",
    "integer": "a whole number",
    "number": "a number",
    "email": "an e-mail address",
    "uri": "an address",
    "date": "a date",
    "date-time": "a time",
}


def settings_of(given: Sequence[str] | None) -> dict[str, str]:
    """Names and values, as they are typed."""
    typed: dict[str, str] = {}
    for word in given or ():
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise usage(f"--set: must look like name=value, got {shown(word)}")
        if name in typed:
            raise usage(f"--set: names {shown(name)} twice")
        typed[name] = value
    return typed


def values_of(record: Record, typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed as the approval function takes it: `input` and `changes`.

    Raises:
        CliError: the request neither asks for a name nor lets it be changed.
    """
    to_fill = {field.name: field for field in form_fields(record)}
    to_change = {field.name: field for field in change_fields(record)}
    for name in typed:
        if name not in to_fill and name not in to_change:
            known = ", ".join([*to_fill, *to_change])
            rule = f"takes {known}" if known else "takes no values"
            raise usage(f"--set: this request {rule}, got {shown(name)}")
    found = {
        INPUT: {n: to_fill[n].of_text(value) for n, value in typed.items() if n in to_fill},
        CHANGES: {n: to_change[n].of_text(value) for n, value in typed.items() if n in to_change},
    }
    return {name: values for name, values in found.items() if values}


def form_fields(record: Record) -> Sequence[FormField]:
    """What a request asks its approver to fill in."""
    if not record.get("form"):
        return ()
    try:
        return Form.of(record["form"]).fields
    except InvalidRequest as error:  # of a newer version, say
        raise CliError(f"this form cannot be read: {error}", code=error.code) from None


def change_fields(record: Record) -> Sequence[FormField]:
    """What a request lets its approver change, as it stands."""
    if not record.get("editable"):
        return ()
    try:
        return editable_fields(record["context"], record["editable"])
    except InvalidRequest as error:  # masked from who is not concerned, say
        raise CliError(
            f"what may be changed is not shown to you: {error}", code=error.code
        ) from None


def to_be_set(payload: Mapping[str, Any]) -> Iterator[str]:
    """What an answer brings along, for who confirms it."""
    for name, value in payload.get(INPUT, {}).items():
        yield f"You fill in {name}: {_said(value)}"
    for path, value in payload.get(CHANGES, {}).items():
        yield f"You change {path} to: {_said(value)}"


def rows_of(record: Record) -> Iterator[tuple[str, str]]:
    """What a request asks for and lets be changed, and what was changed: labels and texts."""
    pending = record["status"] == "pending"
    for field in form_fields(record) if pending else ():
        yield "Fill in", f"--set {field.name}=... ({kind_in_words(field)})"
    if pending and record.get("editable"):
        yield "Editable", "\n".join(f"--set {path}=..." for path in record["editable"])
    for path, change in (record.get(CHANGES) or {}).items():
        if isinstance(change, Mapping):
            said = f"{_said(change['before'])} -> {_said(change['after'])}"
        else:
            said = str(change)
        yield "Changed", f"{path}: {said}"


def filled_in(vote: Mapping[str, Any]) -> str:
    """What a vote has filled in, in a line; empty for nothing."""
    given = vote.get(INPUT) or {}
    return ", ".join(f"{name}={_said(value)}" for name, value in given.items())


def kind_in_words(field: FormField) -> str:
    """What a field takes, for a person."""
    kind = {"boolean": "yes or no", "integer": "a whole number", "number": "a number"}
    of = {
        "email": "an e-mail address",
        "uri": "an address",
        "date": "a date",
        "date-time": "a time",
    }
    if field.choices:
        said = "one of " + ", ".join(choice.value for choice in field.choices)
    else:
        said = of.get(field.format or "", kind.get(field.kind, "text"))
    titled = f"{field.title}: {said}" if field.title else said
    default = "" if field.default is None else f", default {in_words(field.default)}"
    return cut(titled) + (", required" if field.required else "") + cut(default)


def way_out_of(error: CliError) -> str | None:
    """What to do about a refusal of values; None for any other."""
    if error.code == ContentChanged.code:
        return "approve it without --yes, which shows it first"
    field = str(error.details.get("field", ""))
    if error.code == InvalidRequest.code and field.partition(".")[0] in {INPUT, CHANGES}:
        return f"--set {field.partition('.')[2] or 'NAME'}=... sets it"
    return None


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    return inert(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
