"""The server: one message in, at most one answer out; nothing is kept between messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hitl_approval.domain import text
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalError,
    ApprovalExpired,
    ApprovalNotFound,
    InvalidRequest,
)
from hitl_approval.mcp import asking, elicitation, rpc, tasks, tools, versions
from hitl_approval.mcp.caller import Caller
from hitl_approval.mcp.rpc import Message, RpcError
from hitl_approval.mcp.shown import tool_error, tool_result
from hitl_approval.mcp.versions import Client

logger = logging.getLogger(__name__)

INSTRUCTIONS: Final = (
    "Ask people before you do what needs their approval: request_approval, then get_approval until "
    "it says approved. Nobody can approve through this server: people decide on their own page."
)
_FRESH: Final = {"ttlMs": 3_600_000, "cacheScope": "public"}
"""What every caller is answered the same may be kept for an hour."""
_FAILED: Final = "something went wrong here; the log has the details"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a message.

    Attributes:
        body: the answer; None to a notification.
        status: HTTP status code.
    """

    body: Mapping[str, Any] | None
    status: int = 200


def answer(message: Message, caller: Callable[[], Caller], legacy: str | None = None) -> Reply:
    """Answer one message. Never raises.

    Args:
        message: a request or a notification.
        caller: gives who asks and the deployment that they ask.
        legacy: the version that `initialize` has agreed on, where there was one.
    """
    if message.id is None:
        return Reply(None, 202)
    try:
        return Reply(rpc.result_of(message, _result(message, caller, legacy)))
    except RpcError as error:
        error.about = message.id
        return refused(error)
    except ApprovalError as error:
        logger.info("refused: %s", error.code)
        return refused(_as_rpc(error, message))
    except Exception:  # the caller must get an answer, never a stack trace; the log gets it
        logger.exception("unexpected error")
        return refused(RpcError(rpc.INTERNAL_ERROR, _FAILED, about=message.id, status=500))


def refused(error: RpcError) -> Reply:
    """The answer to a message that cannot be taken."""
    return Reply(error.to_dict(), error.status)


def _as_rpc(error: ApprovalError, message: Message) -> RpcError:
    code = rpc.INTERNAL_ERROR
    if isinstance(error, ApprovalNotFound | InvalidRequest):
        code = rpc.INVALID_PARAMS
    return RpcError(code, str(error), about=message.id, status=error.status)


def _result(
    message: Message, caller: Callable[[], Caller], legacy: str | None
) -> Mapping[str, Any]:
    if message.method == "initialize" and not versions.is_modern(message):
        return _initialize(message)
    client = versions.client_of(message, legacy)
    act = (_MODERN if client.modern else _LEGACY).get(message.method)
    if act is None:
        said = f"there is no method {text.cut(message.method)}"
        raise RpcError(rpc.METHOD_NOT_FOUND, said, status=404)
    result = act(message.params, client, caller)
    if not client.modern:
        return result
    return {"resultType": "complete", "_meta": dict(versions.SERVER_META), **result}


def _initialize(message: Message) -> Mapping[str, Any]:
    wanted = message.params.get("protocolVersion")
    if not isinstance(wanted, str):
        raise RpcError(rpc.INVALID_PARAMS, "protocolVersion must be a text")
    return {
        "protocolVersion": wanted if wanted in versions.LEGACY else versions.LEGACY[0],
        "capabilities": {"tools": {}},
        "serverInfo": versions.SERVER,
        "instructions": INSTRUCTIONS,
    }


def _discover(_: Mapping[str, Any], __: Client, ___: Callable[[], Caller]) -> Mapping[str, Any]:
    return {
        "supportedVersions": list(versions.SUPPORTED),
        "capabilities": {"tools": {}, "extensions": {tasks.EXTENSION: {}}},
        "instructions": INSTRUCTIONS,
        **_FRESH,
    }


def _ping(_: Mapping[str, Any], __: Client, ___: Callable[[], Caller]) -> Mapping[str, Any]:
    return {}


def _list(params: Mapping[str, Any], client: Client, _: Callable[[], Caller]) -> Mapping[str, Any]:
    if params.get("cursor") is not None:
        raise RpcError(rpc.INVALID_PARAMS, "cursor is not one of this list, which has one page")
    return {"tools": tools.definitions(), **(_FRESH if client.modern else {})}


def _call(
    params: Mapping[str, Any], client: Client, caller: Callable[[], Caller]
) -> Mapping[str, Any]:
    name, arguments = params.get("name"), params.get("arguments", {})
    tool = tools.TOOLS.get(name) if isinstance(name, str) else None
    if tool is None:
        raise RpcError(rpc.INVALID_PARAMS, f"there is no tool {text.shown(name)}")
    if not isinstance(arguments, Mapping):
        rule = f"arguments must be an object, got {text.kind(arguments)}"
        raise RpcError(rpc.INVALID_PARAMS, rule)
    shows = tool is tools.REQUEST and client.modern and elicitation.can_show(client.capabilities)
    shown = elicitation.was_shown(params, arguments) if shows else None
    by = caller()
    try:
        record = tool.call(by, arguments) if shown is None else asking.own(by, shown)
    except ApprovalError as error:
        logger.info("refused: %s", error.code)
        return tool_error(str(error))
    page = by.page_of(str(record["approval_id"]))
    if record["status"] == "pending" and tool is tools.REQUEST:
        if shows and shown is None and page is not None:
            return elicitation.show_page(record, page, arguments)
        if client.has_tasks:
            return {**tasks.task_of(record, page), "resultType": "task"}
    return tool_result(record, page)


def _get_task(
    params: Mapping[str, Any], _: Client, caller: Callable[[], Caller]
) -> Mapping[str, Any]:
    by = caller()
    record = asking.own(by, params.get("taskId"))
    return tasks.task_of(record, by.page_of(str(record["approval_id"])))


def _update_task(
    params: Mapping[str, Any], _: Client, caller: Callable[[], Caller]
) -> Mapping[str, Any]:
    """Taken and not read: no answer of a client decides anything, a form's least of all."""
    if not isinstance(params.get("inputResponses"), Mapping):
        raise RpcError(rpc.INVALID_PARAMS, "inputResponses must be an object")
    asking.own(caller(), params.get("taskId"))
    return {}


def _cancel_task(
    params: Mapping[str, Any], _: Client, caller: Callable[[], Caller]
) -> Mapping[str, Any]:
    try:
        asking.withdraw(caller(), params.get("taskId"))
    except (AlreadyDecided, ApprovalExpired) as error:  # who decides first wins; the task says so
        logger.info("not withdrawn: %s", error.code)
    return {}


_Method = Callable[[Mapping[str, Any], Client, Callable[[], Caller]], Mapping[str, Any]]
_BOTH: Final[Mapping[str, _Method]] = {"tools/list": _list, "tools/call": _call}
_LEGACY: Final[Mapping[str, _Method]] = {**_BOTH, "ping": _ping}
_MODERN: Final[Mapping[str, _Method]] = {
    **_BOTH,
    "server/discover": _discover,
    "tasks/get": _get_task,
    "tasks/update": _update_task,
    "tasks/cancel": _cancel_task,
}
