"""URL elicitation: the client is asked to show the page, where people decide.

What the client answers is consent to open an address or none. It is never a vote: neither its
action nor a form's content is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hitl_approval.domain import text
from hitl_approval.domain.digest import digest_json
from hitl_approval.mcp.rpc import INVALID_PARAMS, RpcError

_KEY: Final = "page"
_ANSWERED: Final = ("requestState", "inputResponses")


def can_show(capabilities: Mapping[str, Any]) -> bool:
    """Whether a client shows addresses to who sits before it."""
    found = capabilities.get("elicitation")
    return isinstance(found, Mapping) and isinstance(found.get("url"), Mapping)


def show_page(record: Mapping[str, Any], page: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the client to show the page, and to call again with the same arguments."""
    asked = text.listed_some(record["approvers"]) or "whoever may decide"
    message = (
        f"{text.cut(str(record['subject']))}: {asked} decide on this page. Opening it decides "
        "nothing."
    )
    return {
        "resultType": "input_required",
        "inputRequests": {
            _KEY: {
                "method": "elicitation/create",
                "params": {"mode": "url", "message": message, "url": page},
            }
        },
        "requestState": f"{record['approval_id']}.{_digest(arguments)}",
    }


def was_shown(params: Mapping[str, Any], arguments: Mapping[str, Any]) -> str | None:
    """The id of the request whose page was to be shown; None at the first call.

    Whoever alters it sees another request of their own, or an error.

    Raises:
        RpcError: it is no state of this call.
    """
    state = params.get("requestState")
    if state is None and params.get("inputResponses") is None:
        return None
    if isinstance(state, str):
        approval_id, _, digest = state.partition(".")
        if text.is_approval_id(approval_id) and digest == _digest(arguments):
            return approval_id
    raise RpcError(INVALID_PARAMS, "requestState is not the one of this call")


def _digest(arguments: Mapping[str, Any]) -> str:
    try:
        return digest_json(dict(arguments))
    except (ValueError, RecursionError):
        return "none"  # such arguments are refused before anybody is asked
