"""A form that an approver fills in: a flat JSON Schema, as MCP's elicitation has it, as a value.

Nothing of a schema is passed over: a keyword that is not kept here is refused by its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest, ValuesRefused
from hitl_approval.domain.form_schema import Parsed, parse_schema
from hitl_approval.domain.number import number_of, plain_number

Kind = Literal["string", "number", "integer", "boolean"]
Format = Literal["email", "uri", "date", "date-time"]

MAX_INPUT_BYTES = 1_500
"""Most that one approver fills in, as UTF-8 JSON: the inputs of 20 votes fit a record, and the
durable step that reads it."""
INPUT = "input"
"""The name of the values in an answer, in a vote and in an outcome."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_YES_NO: Mapping[str, bool] = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that a field may have, and what it is called."""

    value: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field of a form.

    Attributes:
        name: letters, digits, - and _.
        kind: of JSON value.
        title: what it is called; empty for its name.
        description: a sentence about it.
        required: whether an approval must bring a value.
        default: what is filled in before; None for nothing.
        minimum: of a number its least, of a string its shortest, in characters.
        maximum: the same, at most.
        format: of a string.
        choices: of a string that must be one of them; empty where any will do.
    """

    name: str
    kind: Kind
    title: str = ""
    description: str = ""
    required: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    format: Format | None = None
    choices: tuple[Choice, ...] = ()

    @property
    def label(self) -> str:
        """What people see as its name."""
        return self.title or self.name

    @property
    def must_be_given(self) -> bool:
        """Whether it cannot be left empty: what has a default always has a value."""
        return self.required or self.default is not None

    def said(self, value: Any) -> str:
        """A value of it, for people; one that is none of its, as it is."""
        for choice in self.choices:
            if choice.value == value:
                return choice.title
        return in_words(value)

    def of_text(self, typed: str) -> Any:
        """What somebody has typed, as a value; None for nothing.

        What is no value of this kind stays text, which `accept` refuses and repeats.
        """
        said = typed.strip()
        if self.kind == "string" and not (self.choices or self.format):
            return typed if said or (self.default is not None and not self.minimum) else None
        if not said:
            return None
        if self.kind == "boolean":
            return _YES_NO.get(said.casefold(), said)
        if self.format == "date-time":
            return _with_zone(said)
        if self.kind in {"number", "integer"}:
            return number_of(said)
        return said

    def accept(self, value: Any) -> Any:
        """A value as it is kept.

        Raises:
            InvalidRequest: it does not fit.
        """
        if self.kind == "boolean":
            if not isinstance(value, bool):
                raise self._refusal(f"must be true or false, got {text.shown(value)}")
            return value
        if self.kind == "string":
            return self._string(value)
        return self._number(value)

    def _number(self, value: Any) -> float:
        number = plain_number(value)
        whole = isinstance(number, int)
        if number is None or (self.kind == "integer" and not whole):
            wanted = "a whole number" if self.kind == "integer" else "a number"
            raise self._refusal(f"must be {wanted}, got {text.shown(value)}")
        if self.minimum is not None and number < self.minimum:
            raise self._refusal(f"must be at least {self.minimum}, got {number}")
        if self.maximum is not None and number > self.maximum:
            raise self._refusal(f"must be at most {self.maximum}, got {number}")
        return number

    def _string(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._refusal(f"must be a string, got {text.kind(value)}")
        if self.choices:
            if value not in {choice.value for choice in self.choices}:
                named = ", ".join(repr(choice.value) for choice in self.choices)
                raise self._refusal(f"must be one of {text.cut(named)}, got {text.shown(value)}")
            return value
        accepted = text.comment(value, self.name)
        if self.format is not None and not _FORMATS[self.format](accepted):
            raise self._refusal(f"must be {_IN_WORDS[self.format]}, got {text.shown(accepted)}")
        if self.minimum is not None and len(accepted) < self.minimum:
            raise self._refusal(f"must be at least {self.minimum} characters, got {len(accepted)}")
        if self.maximum is not None and len(accepted) > self.maximum:
            raise self._refusal(f"must be at most {self.maximum} characters, got {len(accepted)}")
        return accepted

    def _refusal(self, rule: str) -> InvalidRequest:
        return InvalidRequest(self.name, rule)

    def to_json(self) -> dict[str, Any]:
        """The field as JSON Schema has it."""
        least, most = ("minLength", "maxLength") if self.kind == "string" else _BOUNDS
        titled = any(choice.title != choice.value for choice in self.choices)
        named = [{"const": choice.value, "title": choice.title} for choice in self.choices]
        values = {
            "type": self.kind,
            "title": self.title or None,
            "description": self.description or None,
            "default": self.default,
            least: self.minimum,
            most: self.maximum,
            "format": self.format,
            "oneOf": named if titled else None,
            "enum": None if titled else [choice.value for choice in self.choices] or None,
        }
        return {name: value for name, value in values.items() if value is not None}


_BOUNDS = ("minimum", "maximum")


@dataclass(frozen=True, slots=True)
class Form:
    """A form: what an approver fills in to approve.

    Attributes:
        fields: in the order in which they are asked.
        made_of: the dataclass or model that it was made of, which its values become; None of a
            JSON Schema, and where it was read from a record.
    """

    fields: tuple[FormField, ...]
    made_of: Any = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, schema: Any, where: str = "form") -> Form:
        """Read a JSON Schema.

        Raises:
            InvalidRequest: it is none of the flat ones; says which part.
        """
        fields = tuple(_field(parsed, where) for parsed in parse_schema(schema, where))
        return cls(fields)

    @classmethod
    def from_json(cls, stored: str) -> Form:
        """Read back what a record holds.

        Raises:
            ValueError: it is something else.
        """
        try:
            return cls.of(json.loads(stored))
        except (InvalidRequest, RecursionError) as error:
            raise ValueError(str(error)) from None

    def to_json(self) -> dict[str, Any]:
        """The form as JSON Schema."""
        required = [each.name for each in self.fields if each.required]
        return {
            "type": "object",
            "properties": {each.name: each.to_json() for each in self.fields},
            **({"required": required} if required else {}),
        }

    @property
    def stored(self) -> str:
        """The form as a record keeps it."""
        return json.dumps(self.to_json(), ensure_ascii=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its fields."""
        return tuple(each.name for each in self.fields)

    def of_texts(self, typed: Mapping[str, str]) -> dict[str, Any]:
        """What somebody has typed in all fields that they were shown, as values.

        A field that was left empty is there as None, so that no default takes its place.
        """
        return {each.name: each.of_text(typed.get(each.name, "")) for each in self.fields}

    def validate(self, values: Any) -> dict[str, Any]:
        """The values as they are kept: what is not given has its default.

        Args:
            values: by name; None where a field was left empty on purpose.

        Raises:
            InvalidRequest: a value does not fit, or there is no such field.
            ValuesRefused: the same, naming every field that does not fit.
        """
        if not isinstance(values, Mapping):
            raise InvalidRequest(INPUT, f"must be an object, got {text.kind(values)}")
        problems = {
            _shown_name(name): f"is none of the form's fields ({', '.join(self.names)})"
            for name in values
            if name not in self.names
        }
        accepted: dict[str, Any] = {}
        for each in self.fields:
            value = values.get(each.name, each.default)
            if value is None:
                if each.must_be_given:
                    problems[each.name] = "is required"
                continue
            try:
                accepted[each.name] = each.accept(value)
            except InvalidRequest as refused:
                problems[each.name] = rule_of(refused, each.name)
        size = len(json.dumps(accepted, ensure_ascii=False).encode())
        if not problems and size > MAX_INPUT_BYTES:
            longest = max(accepted, key=lambda name: len(str(accepted[name])))
            said = f"is too long: all values together take {size} bytes, of {MAX_INPUT_BYTES}"
            problems[longest] = said
        if problems:
            raise ValuesRefused({f"{INPUT}.{name}": rule for name, rule in problems.items()})
        return accepted

    def lines(self, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What was filled in, as labels and texts for people, in the form's order."""
        for each in self.fields:
            if each.name in values:
                yield each.label, each.said(values[each.name])


def in_words(value: Any) -> str:
    """A value of a form or a field, for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def rule_of(refused: InvalidRequest, name: str) -> str:
    """Why a field was refused, without its name."""
    return str(refused).removeprefix(f"{name}: ")


def _shown_name(name: Any) -> str:
    return text.field_name(name if isinstance(name, str) else repr(name))


def _field(parsed: Parsed, where: str) -> FormField:
    name, schema = parsed.name, parsed.schema
    kind: Kind = schema["type"]
    least, most = ("minLength", "maxLength") if kind == "string" else _BOUNDS
    made = FormField(
        name=name,
        kind=kind,
        title=schema.get("title", ""),
        description=schema.get("description", ""),
        required=parsed.required,
        minimum=schema.get(least),
        maximum=schema.get(most),
        format=schema.get("format"),
        choices=tuple(Choice(value, title) for value, title in parsed.choices),
    )
    if schema.get("default") is None:
        return made
    try:
        default = made.accept(schema["default"])
    except InvalidRequest as refused:
        rule = f"{name}.default {rule_of(refused, name)}"
        raise InvalidRequest(where, rule) from None
    return replace(made, default=default)


def _with_zone(said: str) -> str:
    """A time as it is kept, UTC where it does not say."""
    found = _TIME.fullmatch(said)
    if not found:
        return said
    day, minutes, seconds, zone = found.groups()
    return f"{day}T{minutes}{seconds or ':00'}{(zone or 'Z').upper()}"


def _is_date(said: str) -> bool:
    try:
        return bool(_DATE.fullmatch(said) and date.fromisoformat(said))
    except ValueError:
        return False


def moment_of(said: str) -> datetime | None:
    """A date and time of the format `date-time`, in UTC; None for anything else."""
    found = _TIME.fullmatch(said)
    if not found or None in found.groups() or " " in said:
        return None
    try:
        return datetime.fromisoformat(said.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_FORMATS: Mapping[str, Callable[[str], Any]] = {
    "email": _EMAIL.fullmatch,
    "uri": _URI.fullmatch,
    "date": _is_date,
    "date-time": moment_of,
}
_IN_WORDS: Mapping[str, str] = {
    "email": "an e-mail address",
    "uri": "an address like https://example.com",
    "date": "a date like 2026-01-31",
    "date-time": "a time like 2026-01-31T12:00:00Z",
}
FORMATS: tuple[str, ...] = get_args(Format)
"""The formats of strings that are known."""
