"""The fields of a request's form, asked for in a terminal."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import typer

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import FormField, rule_of
from hitl_approval.domain.text import inert, shown
from hitl_approval_cli import output
from hitl_approval_cli.values import Record, form_fields, kind_in_words

_IN_SHORT = {"y": "yes", "n": "no"}
"""What people type for a yes or a no, as at every other question of a terminal."""


def fill_in(record: Record, given: Container[str]) -> dict[str, Any]:
    """Ask for the fields of the form; values by the fields' names.

    Who has given some of them is asked only for what the request cannot do without. A field that
    is left empty takes its default. Without one it is asked for again where it is required, and
    left out where it is not.

    Args:
        record: the request.
        given: names that are not asked for.

    Raises:
        typer.Abort: Ctrl-C, or the end of what is typed.
    """
    fields = form_fields(record)
    if any(field.name in given for field in fields):
        fields = [field for field in fields if field.required and field.default is None]
    asked = ((field.name, _ask(field)) for field in fields if field.name not in given)
    return {name: value for name, value in asked if value is not None}


def _ask(field: FormField) -> Any:
    if field.description:
        output.err.print(output.safe(field.description), style="dim", soft_wrap=True)
    question = inert(f"{field.name} ({kind_in_words(field)})")
    while True:
        typed = typer.prompt(question, default="", show_default=False)
        if field.kind == "boolean":
            typed = _IN_SHORT.get(typed.strip().casefold(), typed)
        value = field.of_text(typed)
        value = field.default if value in (None, "") else value
        if value is None:
            if not field.required:
                return None
            wrong = "is required"
        else:
            try:
                return field.accept(value)
            except InvalidRequest as refused:
                wrong = rule_of(refused, field.name)
                if field.kind == "boolean":
                    wrong = f"must be yes or no, got {shown(typed)}"
        output.err.print(f"{output.safe(field.name)}: {output.safe(wrong)}", soft_wrap=True)
