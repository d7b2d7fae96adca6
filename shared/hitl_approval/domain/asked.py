"""A request as JSON, on its way from who asks to the deployment's request function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.field import Field
from hitl_approval.domain.form import Form
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import FIELDS, ApprovalRequest
from hitl_approval.domain.stage import Escalate, Stage

_QUORUM = "quorum"
_BY_NAME: Mapping[str, Field] = {
    field.event: field for field in FIELDS.values() if field.event is not None
}


def to_json(request: ApprovalRequest) -> dict[str, Any]:
    """What of a request differs from its defaults, under the names that events use."""
    values = {
        name: _plain(getattr(request, field.name))
        for name, field in _BY_NAME.items()
        if field.required or getattr(request, field.name) != field.default
    }
    if request.quorum is not None:
        values[_QUORUM] = request.quorum.to_dict()
    return values


def from_json(values: Any) -> ApprovalRequest:
    """Read back what `to_json` wrote.

    Raises:
        InvalidRequest: naming the field and the rule. An unknown field is refused: a newer
            version may mean by it what this one cannot keep.
    """
    if not isinstance(values, Mapping):
        raise InvalidRequest("request", f"must be an object, got {text.kind(values)}")
    unknown = sorted(values.keys() - _BY_NAME.keys() - {_QUORUM})
    if unknown:
        rule = "is no field of a request that this deployment knows: deploy a newer version of it"
        raise InvalidRequest(text.field_name(unknown[0]), rule)
    missing = [n for n, field in _BY_NAME.items() if field.required and n not in values]
    if missing:
        raise InvalidRequest(missing[0], "is required")
    accepted = {
        _BY_NAME[name].name: _BY_NAME[name].accept_from_event(value, name)
        for name, value in values.items()
        if name != _QUORUM
    }
    quorum = _quorum(values[_QUORUM]) if _QUORUM in values else None
    return ApprovalRequest(**accepted, quorum=quorum)


def _plain(value: Any) -> Any:
    if isinstance(value, Form):
        return value.to_json()
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, Stage | Escalate):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


def _quorum(values: Any) -> Quorum:
    if not isinstance(values, Mapping):
        raise InvalidRequest(_QUORUM, f"must be an object, got {text.kind(values)}")
    try:
        return Quorum.from_dict(values)
    except ValueError as error:
        raise InvalidRequest(_QUORUM, str(error)) from None
