"""The flat JSON Schemas that a form may be: read, limited, and refused where they say more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.number import plain_number

MAX_FORM_FIELDS = 20
"""Most fields of a form: more is a task of its own, not an approval."""
MAX_FORM_BYTES = 8_000
"""Largest form, as UTF-8 JSON: it stands on the record, beside the request."""
MAX_CHOICES = 50
"""Most values of one field: more are not read as a list."""
MAX_CHOICE = 75
"""Characters of a value's name (Block Kit reference, option object)."""
MAX_TITLE = 100
"""Characters of a field's title."""
MAX_DESCRIPTION = 500
"""Characters of a field's description."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOP = frozenset(
    {"type", "properties", "required", "title", "description", "additionalProperties"}
) | {"$schema", "$id", "$defs"}
_COMMON = frozenset({"type", "title", "description", "default"})
_OF: Mapping[str, frozenset[str]] = {
    "string": _COMMON | {"minLength", "maxLength", "format", "enum", "enumNames", "oneOf", "const"},
    "number": _COMMON | {"minimum", "maximum"},
    "integer": _COMMON | {"minimum", "maximum"},
    "boolean": _COMMON,
}
_FORMATS = ("email", "uri", "date", "date-time")


@dataclass(frozen=True, slots=True)
class Parsed:
    """One property of a form's schema, which holds nothing that is not known.

    Attributes:
        name: of the property.
        schema: its own, every reference followed.
        required: whether it must be given; one that may be null need not.
        choices: the values that it may have, with their titles; empty for any.
    """

    name: str
    schema: Mapping[str, Any]
    required: bool
    choices: tuple[tuple[str, str], ...]


def parse_schema(schema: Any, where: str) -> tuple[Parsed, ...]:
    """The properties of a flat object, in their order.

    Args:
        schema: JSON values.
        where: the name of what brings it, for messages.

    Raises:
        InvalidRequest: it is none of the flat ones; says which part.
    """
    if not isinstance(schema, Mapping):
        raise InvalidRequest(where, f"must be a JSON Schema, got {text.kind(schema)}")
    _check_size(schema, where)
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
        raise InvalidRequest(where, 'must have "type": "object" and "properties"')
    _check_known(schema, _TOP, where, "")
    if schema.get("additionalProperties", False) is not False:
        raise InvalidRequest(where, "must not have additionalProperties: nobody could fill them in")
    properties, required = schema["properties"], schema.get("required", [])
    if not 0 < len(properties) <= MAX_FORM_FIELDS:
        rule = f"must have 1 to {MAX_FORM_FIELDS} properties, got {len(properties)}"
        raise InvalidRequest(where, rule)
    if not isinstance(required, list | tuple) or not all(
        isinstance(name, str) and name in properties for name in required
    ):
        raise InvalidRequest(where, "must list properties of its own as required")
    reader = _Reader(where, schema.get("$defs", {}))
    return tuple(reader.read(name, value, name in required) for name, value in properties.items())


def _check_size(schema: Any, where: str) -> None:
    try:
        size = len(json.dumps(schema, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest(where, "must hold JSON values only") from None
    if size > MAX_FORM_BYTES:
        raise InvalidRequest(where, f"must be at most {MAX_FORM_BYTES} bytes, got {size}")


def _check_known(schema: Mapping[str, Any], known: frozenset[str], where: str, prefix: str) -> None:
    for name in schema:
        if name not in known:
            shown = f"{prefix}{text.field_name(str(name))}"
            listed = ", ".join(sorted(one for one in known if not one.startswith("$")))
            rule = f"{shown} is more than a flat form has: take it out, it may have {listed}"
            raise InvalidRequest(where, rule)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the properties of one schema."""

    where: str
    definitions: Any

    def read(self, name: Any, schema: Any, required: bool) -> Parsed:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            shown = text.shown(name)
            rule = f"has the property {shown}: names are 1 to 64 letters, digits, - or _"
            raise InvalidRequest(self.where, rule)
        found, nullable = self._resolved(name, schema)
        kind = found.get("type")
        if not isinstance(kind, str) or kind not in _OF:
            rule = f"type must be one of {', '.join(_OF)}: forms are flat"
            self._refuse(name, rule)
        _check_known(found, _OF[kind], self.where, f"{name}.")
        self._check_texts(name, found)
        self._check_bounds(name, found, kind)
        choices = self._choices(name, found)
        if choices and {"minLength", "maxLength", "format"} & found.keys():
            self._refuse(name, "has values to choose from, and so no length or format")
        return Parsed(name, found, required and not nullable, choices)

    def _resolved(self, name: str, schema: Any) -> tuple[dict[str, Any], bool]:
        """A property with what it refers to put in, and whether it may be null."""
        if not isinstance(schema, Mapping):
            self._refuse(name, f"must be an object, got {text.kind(schema)}")
        found, nullable = dict(schema), False
        for _ in range(3):  # a choice of null, of which one refers to a definition
            if isinstance(found.get("anyOf"), list):
                parts = found.pop("anyOf")
                rest = [part for part in parts if part != {"type": "null"}]
                nullable |= len(rest) < len(parts)
                if len(rest) != 1 or not isinstance(rest[0], Mapping):
                    self._refuse(name, "anyOf may add null to one type, and nothing else")
                found = {**rest[0], **found}
            elif "$ref" in found:
                found = {**self._definition(name, found.pop("$ref")), **found}
        if "const" in found and "type" not in found and isinstance(found["const"], str):
            found["type"] = "string"
        return found, nullable

    def _definition(self, name: str, reference: Any) -> Mapping[str, Any]:
        key = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
        known = self.definitions if isinstance(self.definitions, Mapping) else {}
        found = known.get(key)
        if not isinstance(found, Mapping):
            self._refuse(name, "$ref must lead to one of the schema's own $defs")
        return found

    def _check_texts(self, name: str, found: Mapping[str, Any]) -> None:
        for key, maximum in (("title", MAX_TITLE), ("description", MAX_DESCRIPTION)):
            if key in found:
                try:
                    text.line(found[key], key, maximum=maximum)
                except InvalidRequest as refused:
                    self._refuse(name, str(refused).replace(": ", " ", 1))
        if found.get("format", _FORMATS[0]) not in _FORMATS:
            self._refuse(name, f"format must be one of {', '.join(_FORMATS)}")

    def _check_bounds(self, name: str, found: Mapping[str, Any], kind: str) -> None:
        lengths = kind == "string"
        least, most = ("minLength", "maxLength") if lengths else ("minimum", "maximum")
        for key in {least, most} & found.keys():
            value = plain_number(found[key])
            if value is None or (lengths and not (isinstance(value, int) and value >= 0)):
                self._refuse(name, f"{key} must be a number, got {text.shown(found[key])}")
        if least in found and most in found and found[least] > found[most]:
            self._refuse(name, f"{least} must not be more than {most}")
        if found.get("minLength", 0) > text.MAX_COMMENT:
            self._refuse(name, f"minLength must be at most {text.MAX_COMMENT}")

    def _choices(self, name: str, found: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        ways = [key for key in ("enum", "oneOf", "const") if key in found]
        if not ways:
            if "enumNames" in found:
                self._refuse(name, "has enumNames without an enum")
            return ()
        if len(ways) > 1:
            self._refuse(name, f"has {ways[0]} and {ways[1]}: one of them says it all")
        values, titles = self._values(name, found, ways[0])
        if not 0 < len(values) <= MAX_CHOICES or len(set(values)) < len(values):
            self._refuse(name, f"must have 1 to {MAX_CHOICES} values, each once")
        if len(set(titles)) < len(titles):
            self._refuse(name, "calls two values the same")
        return tuple(zip(values, titles, strict=True))

    def _values(
        self, name: str, found: Mapping[str, Any], way: str
    ) -> tuple[Sequence[str], Sequence[str]]:
        given: list[tuple[Any, Any]]
        listed = [found[way]] if way == "const" else found[way]
        if not isinstance(listed, list | tuple):
            self._refuse(name, f"{way} must be a list, got {text.kind(listed)}")
        if way == "oneOf":
            if not all(
                isinstance(one, Mapping) and one.keys() == {"const", "title"} for one in listed
            ):
                self._refuse(name, 'oneOf must list objects of "const" and "title"')
            given = [(one["const"], one["title"]) for one in listed]
        else:
            titles = found.get("enumNames", listed)
            if not isinstance(titles, list | tuple) or len(titles) != len(listed):
                self._refuse(name, "enumNames must be a list as long as enum")
            given = list(zip(listed, titles, strict=True))
        for pair in given:
            for one in pair:
                try:
                    fits = text.line(one, way, maximum=MAX_CHOICE) == one
                except InvalidRequest as refused:
                    self._refuse(name, str(refused).replace(": ", " ", 1))
                if not fits:
                    self._refuse(name, f"{way} has a value that begins or ends with a space")
        return [value for value, _ in given], [title for _, title in given]

    def _refuse(self, name: str, rule: str) -> NoReturn:
        raise InvalidRequest(self.where, f"{name}: {rule}")
