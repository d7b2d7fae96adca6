"""The fields of a request in Slack's dialog, as Block Kit JSON, and what Slack brings back of them.

Each field is a block of its own, which Slack names when it says what was filled in, and under which
a refusal stands. A value is the field's own, so that no name that people see is read as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.edit import CHANGES
from hitl_approval.domain.errors import ValuesRefused
from hitl_approval.domain.form import INPUT, FormField, in_words, moment_of
from hitl_approval.domain.text import inert
from hitl_approval.domain.values import Values, fields_to_change, of_texts

VALUE: Final = "value"
"""Id of the action of each field."""
MAX_SLACK_TEXT: Final = 3_000
"""Of a text that is typed (Block Kit reference, plain-text input)."""
MAX_ERROR: Final = 300
"""Characters of a refusal: about three lines of the dialog."""

_Of = Literal["input", "changes"]


@dataclass(frozen=True, slots=True)
class Block:
    """A field of the dialog.

    Attributes:
        id: of its block.
        of: whether it is filled in or changed.
        field: what it asks for.
    """

    id: str
    of: _Of
    field: FormField


def fields_of(approval: Approval) -> Iterator[Block]:
    """The fields of an approval's dialog, in their order."""
    for number, field in enumerate(() if approval.form is None else approval.form.fields):
        yield Block(f"{INPUT}-{number}", "input", field)
    for number, field in enumerate(fields_to_change(approval)):
        yield Block(f"{CHANGES}-{number}", "changes", field)


def input_blocks(approval: Approval) -> list[dict[str, Any]]:
    """The fields, filled in as they stand."""
    return [_block(each) for each in fields_of(approval)]


def values_of(approval: Approval, state: Mapping[str, Any]) -> Values:
    """What somebody has filled in, as Slack brings it: `view.state.values`.

    A field that Slack does not bring was left empty.
    """
    typed = {}
    for each in fields_of(approval):
        said = state.get(each.id, {}).get(VALUE, {})
        typed[each.field.name] = _typed(said if isinstance(said, Mapping) else {}, each.field)
    return of_texts(approval, typed)


def errors_of(approval: Approval, refused: ValuesRefused) -> dict[str, str]:
    """What is wrong, by the block that it stands under; empty where it stands under none."""
    wrong = refused.details["fields"]
    return {
        each.id: _sentence(wrong[f"{each.of}.{each.field.name}"])[:MAX_ERROR]
        for each in fields_of(approval)
        if f"{each.of}.{each.field.name}" in wrong
    }


def _sentence(rule: str) -> str:
    return f"{rule[:1].upper()}{rule[1:]}."


def _block(each: Block) -> dict[str, Any]:
    field = each.field
    hint = f"{field.description or ''}{_now(each)}".strip()
    return {
        "type": "input",
        "block_id": each.id,
        "optional": not field.must_be_given or _may_be_empty(field),
        "label": _plain(inert(field.label)),
        "element": {"action_id": VALUE, **_element(field)},
        **({"hint": _plain(inert(hint))} if hint else {}),
    }


def _may_be_empty(field: FormField) -> bool:
    """A text without a least length may be emptied, which Slack would not let happen."""
    free = field.kind == "string" and not (field.choices or field.format)
    return free and not field.required and not field.minimum


def _now(each: Block) -> str:
    return f" Now: {in_words(each.field.default)}" if each.of == "changes" else ""


def _element(field: FormField) -> dict[str, Any]:
    if field.kind == "boolean":
        yes, no = _option("Yes", "true"), _option("No", "false")
        either = None if field.default is None else (yes if field.default else no)
        return _first("radio_buttons", {"options": [yes, no]}, "initial_option", either)
    if field.choices:
        options = [_option(one.title, str(n)) for n, one in enumerate(field.choices)]
        chosen = [n for n, one in enumerate(field.choices) if one.value == field.default]
        initial = options[chosen[0]] if chosen else None
        return _first("static_select", {"options": options}, "initial_option", initial)
    if field.kind in {"number", "integer"}:
        bounds = {"min_value": field.minimum, "max_value": field.maximum}
        given = {name: str(value) for name, value in bounds.items() if value is not None}
        more = {"is_decimal_allowed": field.kind == "number", **given}
        written = None if field.default is None else in_words(field.default)
        return _first("number_input", more, "initial_value", written)
    return _ELEMENTS.get(field.format or "", _text)(field)


def _text(field: FormField) -> dict[str, Any]:
    lengths = {
        "min_length": field.minimum,
        "max_length": MAX_SLACK_TEXT if field.maximum is None else max(field.maximum, 1),
    }
    more = {name: int(min(value, MAX_SLACK_TEXT)) for name, value in lengths.items() if value}
    return _first("plain_text_input", {"multiline": True, **more}, "initial_value", field.default)


def _date(field: FormField) -> dict[str, Any]:
    return _first("datepicker", {}, "initial_date", field.default)


def _time(field: FormField) -> dict[str, Any]:
    moment = None if field.default is None else moment_of(field.default)
    initial = None if moment is None else int(moment.timestamp())
    return _first("datetimepicker", {}, "initial_date_time", initial)


_ELEMENTS: Mapping[str, Callable[[FormField], dict[str, Any]]] = {
    "email": lambda field: _first("email_text_input", {}, "initial_value", field.default),
    "uri": lambda field: _first("url_text_input", {}, "initial_value", field.default),
    "date": _date,
    "date-time": _time,
}


def _first(kind: str, more: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """An element with what stands in it at first, if anything."""
    return {"type": kind, **more, **({} if value is None or value == "" else {name: value})}


def _typed(said: Mapping[str, Any], field: FormField) -> str:
    """What Slack brings of one element, as somebody would have typed it."""
    option = said.get("selected_option")
    if isinstance(option, Mapping):
        chosen = str(option.get("value", ""))
        if field.choices and chosen.isascii() and chosen.isdigit():
            number = int(chosen[:6])
            return field.choices[number].value if number < len(field.choices) else chosen
        return chosen
    seconds = said.get("selected_date_time")
    if isinstance(seconds, int) and 0 <= seconds < _LAST_SECOND:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return str(said.get("selected_date") or said.get("value") or "")


_LAST_SECOND: Final = 253_402_300_800
"""Of the year 9999."""


def _option(title: str, value: str) -> dict[str, Any]:
    return {"text": _plain(inert(title)), "value": value}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
