"""What a field's declaration says of it: a sentence, a rule, and its names elsewhere.

A declaration is `name: Annotated[type, Field(...)] = default` in a dataclass; `declared` reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, get_type_hints

Rule = Callable[[Any, str], Any]
"""Takes a value and the field's name; returns the value as it is kept, or raises InvalidRequest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    Attributes:
        doc: what it is and its default, in one sentence, for docstrings, help and docs.
        rule: what a value must be.
        longest: the most it may be, with the unit; empty where the rule has no limit.
        event: its name in the event that starts the packaged workflow. Default: the field's own
            name; None: no event can set it.
        event_rule: what the event's JSON value must be. Default: `rule`.
        label: what messages and screens call it, at most 10 characters. Default: made of the name.
        name: set by `declared`.
        default: set by `declared`; `...` if the field is required.
    """

    doc: str
    rule: Rule
    longest: str = ""
    event: str | None = ""
    event_rule: Rule | None = None
    label: str = ""
    name: str = ""
    default: Any = ...

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is ...

    @property
    def described(self) -> str:
        """The sentence and the limit."""
        return f"{self.doc}, at most {self.longest}." if self.longest else f"{self.doc}."

    def accept(self, value: Any) -> Any:
        """The value as it is kept.

        Raises:
            InvalidRequest: the value breaks the rule.
        """
        if value is None and self.default is None:
            return None
        return self.rule(value, self.name)

    def accept_from_event(self, value: Any, name: str) -> Any:
        """The value of an event's field of this name; null is never a value.

        Raises:
            InvalidRequest: the value breaks the rule.
        """
        return (self.event_rule or self.rule)(value, name)


def declared(cls: type) -> dict[str, Field]:
    """The declared fields of a dataclass, by name, in its order."""
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for field in dataclasses.fields(cls):
        (said,) = hints[field.name].__metadata__
        default = ... if field.default is dataclasses.MISSING else field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found[field.name] = dataclasses.replace(
            said,
            name=field.name,
            default=default,
            event=field.name if said.event == "" else said.event,
            label=said.label or field.name.replace("_", " ").capitalize(),
        )
    return found


def with_attributes(docstring: str | None, fields: Mapping[str, Field]) -> str:
    """A class's docstring, its declared fields listed before what it raises."""
    head, raises, tail = cleandoc(docstring or "").partition("Raises:")
    listed = "\n".join(f"    {name}: {field.described}" for name, field in fields.items())
    return f"{head}Attributes:\n{listed}\n\n{raises}{tail}"
