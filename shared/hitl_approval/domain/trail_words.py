"""What an event about whose turn it is says, as it is stored, whatever stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.domain.text import listed


def in_words(event: Mapping[str, Any]) -> str:
    """One sentence about an event of a trail; "" of those that are about something else.

    Args:
        event: what `AuditEvent.to_dict` wrote, or something that only resembles it.
    """
    details = event.get("details")
    said = details if isinstance(details, Mapping) else {}
    comments = said.get("comments")
    why = f": {comments}" if comments else ""
    match event.get("event"):
        case "stage_opened":
            number = said.get("stage")
            stage = number + 1 if isinstance(number, int) else "?"
            return f"stage {stage} begins, {_names(said, 'to')} may answer{why}"
        case "escalated":
            new, gone = _names(said, "to"), _names(said, "released")
            parts = [f"{new} may answer too" if new and not gone else "", ""]
            if gone:
                parts = [f"{new} may answer" if new else "", f"{gone} may not any more"]
            sentence = ", ".join(filter(None, parts)) or "nobody new"
            return f"step {said.get('escalation')}: {sentence}"
        case "reassigned":
            return f"from {said.get('from')} to {_names(said, 'to')}{why}"
        case "retracted":
            return f"took back: {said.get('retracted')}"
        case _:
            return ""


def actor_in_words(event: Mapping[str, Any]) -> str:
    """Who has done what an event says, and for whom where they stood in: `bob for ann`.

    Args:
        event: what `AuditEvent.to_dict` wrote, or something that only resembles it.
    """
    details = event.get("details")
    place = details.get("on_behalf_of") if isinstance(details, Mapping) else None
    actor = str(event.get("actor"))
    return f"{actor} for {place}" if isinstance(place, str) and place else actor


def _names(said: Mapping[str, Any], field: str) -> str:
    names = said.get(field)
    return listed([str(name) for name in names]) if isinstance(names, list | tuple) else ""
