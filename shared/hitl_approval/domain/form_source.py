"""Forms made of a dataclass or a pydantic model, and values made into one again.

Pydantic is not imported: a model is what has `model_json_schema` and `model_validate`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import Form

FormSource = Form | type[Any] | Mapping[str, Any]
"""What a form may be given as: a dataclass, a pydantic model or a flat JSON Schema."""

_SCHEMAS: Mapping[Any, Mapping[str, str]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}

_KEYWORDS = frozenset(
    {"title", "description", "minLength", "maxLength", "minimum", "maximum", "format", "enumNames"}
)
"""Of JSON Schema, those that a dataclass field's metadata may have; other metadata is others'."""


def accept_form(source: Any, field_name: str) -> Form:
    """Accept a dataclass, a pydantic model or a JSON Schema as a form.

    Raises:
        InvalidRequest: it is none of these, or none that is flat.
    """
    if isinstance(source, Form):
        return source
    schema_of_model = getattr(source, "model_json_schema", None)
    if isinstance(source, type) and callable(schema_of_model):
        return dataclasses.replace(Form.of(schema_of_model(), field_name), made_of=source)
    if isinstance(source, type) and dataclasses.is_dataclass(source):
        schema = _schema_of(source, field_name)
        return dataclasses.replace(Form.of(schema, field_name), made_of=source)
    if not isinstance(source, Mapping):
        got = source.__name__ if isinstance(source, type) else text.kind(source)
        rule = f"must be a dataclass, a pydantic model or a JSON Schema, got {got}"
        raise InvalidRequest(field_name, rule)
    return Form.of(source, field_name)


def build(form: Form, values: Mapping[str, Any]) -> Any:
    """What the form was made of, with these values; a dict of them where it was a JSON Schema.

    Raises:
        Exception: whatever the dataclass or the model raises, which may know more rules.
    """
    made_of = form.made_of
    if made_of is None:
        return dict(values)
    if not dataclasses.is_dataclass(made_of) and hasattr(made_of, "model_validate"):
        left_empty = [name for name in _required(made_of) if name not in values]
        return made_of.model_validate({**dict.fromkeys(left_empty), **values})
    hints = get_type_hints(made_of)
    given: dict[str, Any] = {}
    for field in dataclasses.fields(made_of):
        if field.name in values:
            given[field.name] = _typed(hints[field.name], values[field.name])
        elif field.default is dataclasses.MISSING is field.default_factory:
            given[field.name] = None  # it may be none, or it would have been required
    return made_of(**given)


def _required(model: Any) -> list[str]:
    return list(model.model_json_schema().get("required", ()))


def _schema_of(source: Any, field_name: str) -> dict[str, Any]:
    try:
        hints = get_type_hints(source)
    except NameError as error:
        raise InvalidRequest(field_name, f"has a type that is not known here: {error}") from None
    properties: dict[str, Any] = {}
    required = []
    for field in dataclasses.fields(source):
        if not field.init:
            continue
        hint, nullable = _without_none(hints[field.name])
        said = {key: value for key, value in field.metadata.items() if key in _KEYWORDS}
        schema = {**_schema_of_type(hint, field.name, field_name), **said}
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if default is dataclasses.MISSING:
            if not nullable:
                required.append(field.name)
        elif default is not None:
            schema["default"] = _plain(default)
        properties[field.name] = schema
    return {"type": "object", "properties": properties, "required": required}


def _without_none(hint: Any) -> tuple[Any, bool]:
    """A type without its None, and whether it had one."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint, False
    rest = [one for one in get_args(hint) if one is not NoneType]
    return (rest[0] if len(rest) == 1 else hint), len(rest) < len(get_args(hint))


def _schema_of_type(hint: Any, name: str, field_name: str) -> Mapping[str, Any]:
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [one.value for one in hint]}
    if hint in _SCHEMAS:
        return _SCHEMAS[hint]
    known = "str, int, float, bool, date, datetime, Literal or an Enum of texts"
    shown = getattr(hint, "__name__", str(hint))
    raise InvalidRequest(field_name, f"{name} must be {known}, or one of them or None, got {shown}")


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _typed(hint: Any, value: Any) -> Any:
    """A value as a dataclass has it."""
    wanted, _ = _without_none(hint)
    if wanted is datetime:
        return datetime.fromisoformat(value)
    if wanted is date:
        return date.fromisoformat(value)
    if wanted is float:
        return float(value)
    return wanted(value) if isinstance(wanted, type) and issubclass(wanted, Enum) else value
