"""The actions of the approval function, by name: what people and operators ask of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from hitl_approval.domain import text
from hitl_approval.domain.approval import STATUSES, Approval, Decision
from hitl_approval.domain.audit import Actor, parse_time
from hitl_approval.domain.edit import CHANGES
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import INPUT
from hitl_approval.domain.naming import validate_names
from hitl_approval.domain.thread import accept_text, comment_view
from hitl_approval.domain.values import Values
from hitl_approval.domain.view import delegation_view, event_view, message_view, view
from hitl_approval.usecases.decide import Answer, DecisionService

logger = logging.getLogger(__name__)

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
"""Items of a page: 100 stay far below Lambda's 6 MB answer."""
MAX_CURSOR = 1_000
"""Longest cursor that is read, in characters; the ones that lists give have 120."""
MAX_NUMBER = 1_000_000
"""Largest number of an audit event that is read: no trail is as long."""
MAX_TIME = 64
"""Longest time that is read, in characters."""


def perform(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    """Do what a payload says.

    Args:
        payload: an `action` and its fields.
        actor: who asks; None when nobody said.
        service: what decides in this deployment.

    Raises:
        ApprovalError: it is refused; nothing was written.
    """
    action = payload.get("action", "decide")
    handler = _ACTIONS.get(action) if isinstance(action, str) else None
    if handler is None:
        raise InvalidRequest("action", f"must be one of {', '.join(sorted(_ACTIONS))}")
    act, fields = handler
    unknown = sorted(set(payload) - fields - {"action"})
    if unknown:
        rule = f"is not a field of {action} ({', '.join(sorted(fields))})"
        raise InvalidRequest(text.field_name(unknown[0]), rule)
    return act(payload, actor, service)


def _decide(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    approval_id = _approval_id(payload)
    decision = payload.get("decision")
    if not isinstance(decision, str) or decision not in {"approved", "rejected"}:
        raise InvalidRequest("decision", 'must be "approved" or "rejected"')
    digest = payload.get("content_digest")
    if digest is not None:
        digest = text.line(digest, "content_digest", maximum=64)
    answer = service.decide(
        approval_id,
        _known(actor),
        cast(Decision, decision),
        _comments(payload),
        content_digest=digest,
        values=Values(_object(payload, INPUT), _object(payload, CHANGES)),
    )
    return _outcome(answer, actor)


def _cancel(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    answer = service.cancel(_approval_id(payload), _known(actor), _comments(payload))
    return _outcome(answer, actor)


def _resume(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    return _outcome(service.resume(_approval_id(payload)), actor)


def _repair(
    payload: Mapping[str, Any], _: Actor | None, service: DecisionService
) -> dict[str, Any]:
    approval_id = _approval_id(payload)
    service.repair(approval_id)
    return {"approval_id": approval_id}


def _get(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    approval = service.get(_approval_id(payload))
    messages = service.messages_about(approval.approval_id)
    sent = [message_view(one) for one in messages if one.recipient]
    stands_in = bool(actor and approval.sensitive and service.by_which(approval, actor) is not None)
    shown = view(approval, actor, stands_in=stands_in)
    return {**shown, **_thread(approval, service), "messages": sent}


def _thread(approval: Approval, service: DecisionService) -> dict[str, Any]:
    """What was said about it; nothing where nothing was."""
    said = [comment_view(comment) for comment in service.thread(approval)]
    return {"thread": said} if said else {}


def _comment(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    said = service.comment(
        _approval_id(payload),
        _known(actor),
        accept_text(payload.get("comments", "")),
        question=_switch(payload, "question"),
        answers=_number(payload, "answers"),
    )
    return {
        **view(said.approval, actor),
        **_thread(said.approval, service),
        "already": said.already,
        "to": [] if service.messages is None else list(said.to),
    }


def _remind(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    names = payload.get("to", [])
    approval, reminded = service.remind(
        _approval_id(payload), _known(actor), validate_names(names, "to")
    )
    return {**view(approval, actor), "reminded": list(reminded)}


def _retract(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    return _outcome(service.retract(_approval_id(payload), _known(actor)), actor)


def _reassign(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    names = {name: text.name(payload.get(name), name) for name in ("from", "to") if name in payload}
    known = _known(actor)
    if "to" not in names:
        raise InvalidRequest("to", "is required")
    approval = service.reassign(
        _approval_id(payload),
        known,
        giver=names.get("from", known.name),
        to=names["to"],
        comments=_comments(payload),
    )
    return view(approval, actor)


def _delegate(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    known, until = _known(actor), _moment(payload, "until")
    if "to" not in payload:
        raise InvalidRequest("to", "is required")
    if until is None:
        raise InvalidRequest("until", "is required")
    service.delegating.delegate(
        known,
        giver=_giver(payload, known),
        to=text.name(payload["to"], "to"),
        starts_at=_moment(payload, "from"),
        until=until,
    )
    return _delegation(payload, actor, service)


def _end_delegation(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    known = _known(actor)
    service.delegating.end(known, _giver(payload, known))
    return _delegation(payload, actor, service)


def _delegation(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    known = _known(actor)
    given, received = service.delegating.standing(known, _giver(payload, known))
    return {
        "given": None if given is None else delegation_view(given),
        "received": [delegation_view(one) for one in received],
    }


def _giver(payload: Mapping[str, Any], actor: Actor) -> str:
    return text.name(payload["for"], "for") if "for" in payload else actor.name


def _list(payload: Mapping[str, Any], _: Actor | None, service: DecisionService) -> dict[str, Any]:
    status = payload.get("status", "pending")
    if not isinstance(status, str) or status not in STATUSES:
        raise InvalidRequest("status", f"must be one of {', '.join(STATUSES)}")
    limit, cursor = _paging(payload)
    page = service.list_by_status(
        status,
        limit=limit,
        cursor=cursor,
        since=_moment(payload, "since"),
        requester=_wanted(payload, "requester"),
        subject=_wanted(payload, "subject"),
        id_prefix=_wanted(payload, "id_prefix"),
    )
    return {"approvals": list(page.items), "cursor": page.cursor}


def _inbox(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    limit, cursor = _paging(payload)
    page = service.awaiting(_known(actor).name, limit=limit, cursor=cursor)
    return {"approvals": list(page.items), "cursor": page.cursor}


def _paging(payload: Mapping[str, Any]) -> tuple[int, str | None]:
    limit = payload.get("limit", DEFAULT_LIMIT)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest("limit", f"must be a whole number from 1 to {MAX_LIMIT}")
    cursor = payload.get("cursor")
    if cursor is not None:
        cursor = text.line(cursor, "cursor", maximum=MAX_CURSOR)
    return limit, cursor


def _switch(payload: Mapping[str, Any], field: str) -> bool:
    value = payload.get(field, False)
    if not isinstance(value, bool):
        raise InvalidRequest(field, f"must be true or false, got {text.kind(value)}")
    return value


def _number(payload: Mapping[str, Any], field: str) -> int | None:
    value = payload.get(field)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_NUMBER:
        raise InvalidRequest(field, "must be the number of a question, as the thread has it")
    return value


def _wanted(payload: Mapping[str, Any], field: str) -> str | None:
    value = payload.get(field)
    return None if value is None else text.line(value, field)


def _moment(payload: Mapping[str, Any], field: str) -> datetime | None:
    value = payload.get(field)
    if value is None:
        return None
    try:
        moment = parse_time(text.line(value, field, maximum=MAX_TIME))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest(field, "must be a time like 2026-01-31T12:00:00Z") from None


def _history(
    payload: Mapping[str, Any], actor: Actor | None, service: DecisionService
) -> dict[str, Any]:
    approval_id = _approval_id(payload)
    trail = service.history(approval_id)
    return {
        "approval_id": approval_id,
        "events": [event_view(event, trail.approval, actor) for event in trail.events],
        "verified": not trail.findings,
        "findings": [asdict(finding) for finding in trail.findings],
    }


def _policy(_: Mapping[str, Any], __: Actor | None, service: DecisionService) -> dict[str, Any]:
    return {"digest": service.rules.digest, "rules": service.rules.to_json()}


def _people(_: Mapping[str, Any], __: Actor | None, service: DecisionService) -> dict[str, Any]:
    others = service.requests_name_approvers or not service.people
    return {
        "people": list(service.people),
        "groups": list(service.groups),
        "operators": list(service.operators),
        "others": others,
    }


_Action = Callable[[Mapping[str, Any], Actor | None, DecisionService], dict[str, Any]]
_WHO = frozenset({"approver", "decided_by"})
_ACTIONS: Mapping[str, tuple[_Action, frozenset[str]]] = {
    "decide": (
        _decide,
        _WHO | {"approval_id", "decision", "comments", "content_digest", INPUT, CHANGES},
    ),
    "cancel": (_cancel, _WHO | {"approval_id", "comments"}),
    "resume": (_resume, frozenset({"approval_id"})),
    "comment": (_comment, _WHO | {"approval_id", "comments", "question", "answers"}),
    "retract": (_retract, _WHO | {"approval_id"}),
    "reassign": (_reassign, _WHO | {"approval_id", "from", "to", "comments"}),
    "delegate": (_delegate, _WHO | {"for", "to", "from", "until"}),
    "delegation": (_delegation, _WHO | {"for"}),
    "end_delegation": (_end_delegation, _WHO | {"for"}),
    "remind": (_remind, _WHO | {"approval_id", "to"}),
    "repair": (_repair, frozenset({"approval_id"})),
    "get": (_get, frozenset({"approval_id"})),
    "list": (
        _list,
        frozenset({"status", "limit", "cursor", "since", "requester", "subject", "id_prefix"}),
    ),
    "inbox": (_inbox, _WHO | {"limit", "cursor"}),
    "history": (_history, frozenset({"approval_id"})),
    "policy": (_policy, frozenset()),
    "people": (_people, frozenset()),
}


def _approval_id(payload: Mapping[str, Any]) -> str:
    value = payload.get("approval_id")
    if value is None:
        raise InvalidRequest("approval_id", "is required")
    if not text.is_approval_id(value):
        raise InvalidRequest("approval_id", "must be 1 to 64 letters, digits, - or _")
    return str(value)


def _comments(payload: Mapping[str, Any]) -> str:
    value = payload.get("comments")
    return "" if value is None else text.comment(value, "comments")


def _object(payload: Mapping[str, Any], field: str) -> Mapping[str, Any] | None:
    value = payload.get(field)
    if value is not None and not isinstance(value, Mapping):
        raise InvalidRequest(field, f"must be an object, got {text.kind(value)}")
    return value


def _known(actor: Actor | None) -> Actor:
    if actor is None:
        raise InvalidRequest("approver", "is required")
    return actor


def _outcome(answer: Answer, actor: Actor | None) -> dict[str, Any]:
    return {**view(answer.approval, actor), "already": answer.already, "workflow": answer.workflow}
