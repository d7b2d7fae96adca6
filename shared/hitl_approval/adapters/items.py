"""DynamoDB's items as plain values, and its errors as ours; for everything that keeps a table."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from hitl_approval.adapters.aws import CALL_ERRORS, is_transient, unavailable

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def marshal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as DynamoDB takes them."""
    return {name: _serialize(_exact(value)) for name, value in values.items()}


def _exact(value: Any) -> Any:
    """A value whose fractions are written as they are: an approver may have filled in 12.5."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _exact(inner) for name, inner in value.items()}
    return [_exact(inner) for inner in value] if isinstance(value, list) else value


def read_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item, a stream's image too, as JSON values."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    """JSON values, of whatever somebody has written: ours are numbers, texts, lists, maps."""
    if isinstance(value, Decimal):
        return int(value) if value % 1 == 0 else float(value)
    if isinstance(value, Binary):
        return {"B": base64.b64encode(value.value).decode()}  # type: ignore[attr-defined]
    if isinstance(value, set):
        return sorted(map(_plain, value), key=repr)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


@contextmanager
def errors() -> Iterator[None]:
    """Raise what may go well later as `Unavailable`, and everything else as it is."""
    try:
        yield
    except CALL_ERRORS as error:
        if is_transient(error):
            raise unavailable("DynamoDB", error) from error
        raise
