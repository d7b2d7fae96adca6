"""What people are asked about a call of a tool, and that what runs is what they approved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hitl_approval.domain.call import ArgumentsChanged, Call
from hitl_approval.domain.digest import digest_json
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request_values import context_json
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.tool_arguments import paths_there, paths_to_change
from hitl_approval.domain.tool_policy import ToolRule, ToolRuling
from hitl_approval.mcp import rpc


def call_of(tool: str, arguments: Mapping[str, Any], ruling: ToolRuling) -> Call:
    """The call, as people see it.

    Raises:
        InvalidRequest: its arguments cannot be shown whole, or an approver could change what a rule
            reads.
    """
    try:
        context_json(dict(arguments))
    except InvalidRequest as error:
        raise InvalidRequest("arguments", str(error).partition(": ")[2]) from None
    editable = ruling.rule.editable if ruling.rule else ()
    ruling.check_editable(editable)
    return Call.given(
        tool,
        arguments,
        sensitive=paths_there(arguments, ruling.sensitive),
        editable=paths_to_change(arguments, editable),
    )


def event_of(call: Call, rule: ToolRule | None) -> dict[str, Any]:
    """The request about a call, as the event of the packaged workflow has it."""
    event: dict[str, Any] = {"subject": call.subject, "context": call.context}
    if call.sensitive:
        event["sensitive"] = [f"arguments.{path}" for path in call.sensitive]
    if call.editable:
        event["editable"] = list(call.paths)
    if rule is None:
        return event
    if rule.quorum is not None:
        event["stages"] = [Stage(tuple(rule.approvers), rule.quorum).to_dict()]
    elif rule.approvers:
        event["approvers"] = list(rule.approvers)
    if rule.timeout is not None:
        event["timeout_seconds"] = int(rule.timeout.total_seconds())
    return event


def as_approved(call: Call, record: Mapping[str, Any]) -> Call:
    """A call as the record of its approval has it: with what an approver has made of it.

    Raises:
        ArgumentsChanged: it was not approved, or another one was.
    """
    context = record.get("context")
    if record["status"] == "approved" and isinstance(context, Mapping):
        with suppress(ArgumentsChanged):
            approved = call.approved(context)
            digest = digest_json(json.loads(context_json(approved.context)))
            if record.get("context_digest") == digest:
                return approved
    msg = f"{call.tool} was not run: it is not the call that was approved"
    raise ArgumentsChanged([msg])


def with_arguments(line: str, call: Call) -> str:
    """The message of a call, with the arguments of this one."""
    message = json.loads(line)
    message["params"]["arguments"] = json.loads(call.arguments)
    return rpc.dump(message)
