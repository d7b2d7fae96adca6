"""What an approver fills in and may change, as fields of a page's form, and what it sends back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.edit import CHANGES
from hitl_approval.domain.errors import ApprovalError, ValuesRefused
from hitl_approval.domain.form import INPUT, FormField, in_words, moment_of
from hitl_approval.domain.values import Values, fields_to_change, of_texts

SHORT = 100
"""Characters of a text that fits a field of one line."""

Control = Literal["text", "lines", "select", "email", "url", "date", "datetime-local"]
"""Of a field: `text` takes numbers too, so that what was typed is shown again, whatever it is."""

_CONTROLS: Mapping[str | None, Control] = {
    "email": "email",
    "uri": "url",
    "date": "date",
    "date-time": "datetime-local",
}
_MODES: Mapping[str, str] = {"integer": "numeric", "number": "decimal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field of the page's form.

    Attributes:
        id: in the page.
        name: under which it is sent.
        label: what people see.
        hint: a sentence about it; empty for none.
        control: what it is filled in with.
        mode: what keyboard a phone shows; empty for all letters.
        value: what stands in it.
        options: of a `select`, each as it is sent and as it is seen.
        error: what is wrong with it; empty where nothing is.
        needed: whether an approval needs it.
    """

    id: str
    name: str
    label: str
    hint: str
    control: Control
    mode: str
    value: str
    options: Sequence[tuple[str, str]]
    error: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Inputs:
    """The fields of a request.

    Attributes:
        to_fill: those of its form.
        to_change: the values that may be changed.
    """

    to_fill: Sequence[Input] = ()
    to_change: Sequence[Input] = ()


def inputs_of(
    approval: Approval,
    *,
    given: Mapping[str, str] | None = None,
    refused: ApprovalError | None = None,
) -> Inputs:
    """The fields of a request's form, filled in beforehand.

    Args:
        approval: the record.
        given: what was sent before; None for the first time.
        refused: why that was not accepted.
    """
    wrong = refused.details["fields"] if isinstance(refused, ValuesRefused) else {}
    form = () if approval.form is None else approval.form.fields
    return Inputs(
        tuple(_inputs(INPUT, form, given, wrong)),
        tuple(_inputs(CHANGES, fields_to_change(approval), given, wrong)),
    )


def values_of(approval: Approval, sent: Mapping[str, str]) -> Values:
    """What a form has sent back of the fields."""
    typed = {
        each.name: sent[f"{of}.{each.name}"]
        for of, fields in (
            (INPUT, () if approval.form is None else approval.form.fields),
            (CHANGES, fields_to_change(approval)),
        )
        for each in fields
        if f"{of}.{each.name}" in sent
    }
    return of_texts(approval, typed)


def _inputs(
    of: str,
    fields: Sequence[FormField],
    given: Mapping[str, str] | None,
    wrong: Mapping[str, str],
) -> Iterator[Input]:
    for number, field in enumerate(fields, start=1):
        name = f"{of}.{field.name}"
        options = _options(field)
        text = field.kind == "string" and not options
        yield Input(
            id=f"{of}-{number}",
            name=name,
            label=field.label,
            hint=_hint(field),
            control="select" if options else _control(field) if text else "text",
            mode=_MODES.get(field.kind, ""),
            value=_shown(field) if given is None else given.get(name, ""),
            options=options,
            error=_sentence(wrong.get(name, "")),
            needed=field.required,
        )


def _sentence(rule: str) -> str:
    return f"{rule[:1].upper()}{rule[1:]}." if rule else ""


def _control(field: FormField) -> Control:
    if field.format is not None:
        return _CONTROLS[field.format]
    present = field.default if isinstance(field.default, str) else ""
    if "\n" in present or len(present) > SHORT:
        return "lines"
    room = field.maximum if field.maximum is not None else SHORT
    return "text" if room <= SHORT or present else "lines"


def _options(field: FormField) -> Sequence[tuple[str, str]]:
    if field.kind == "boolean":
        options = [("true", "Yes"), ("false", "No")]
    else:
        options = [(choice.value, choice.title) for choice in field.choices]
    return options if field.default is not None or not options else [("", "Choose"), *options]


def _shown(field: FormField) -> str:
    """What stands in a field at first."""
    if field.default is None:
        return ""
    if field.kind == "boolean":
        return "true" if field.default else "false"
    if field.format == "date-time":
        moment = moment_of(field.default)
        return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}"
    return in_words(field.default)


def _hint(field: FormField) -> str:
    """What may be filled in, in words."""
    said = [field.description.rstrip(".")] if field.description else []
    least, most = field.minimum, field.maximum
    unit = " characters" if field.kind == "string" else ""
    if least is not None and most is not None:
        said.append(f"From {least} to {most}{unit}")
    elif least:
        said.append(f"At least {least}{unit}")
    elif most is not None and not (unit and field.default is not None):
        said.append(f"At most {most}{unit}")
    if field.format == "date-time":
        said.append("In UTC")
    return ". ".join(said)
