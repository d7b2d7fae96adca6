"""What people are asked about a call of a tool, and that what runs is what they approved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hitl_approval.domain.call import ArgumentsChanged, Call
from hitl_approval.domain.digest import digest_json
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.masking import leads_nowhere
from hitl_approval.domain.request_values import context_json
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.tool_policy import ToolRule, ToolRuling


def call_of(tool: str, arguments: Mapping[str, Any], ruling: ToolRuling) -> Call:
    """The call, as people see it.

    Raises:
        InvalidRequest: its arguments cannot be shown whole.
    """
    try:
        context_json(dict(arguments))
    except InvalidRequest as error:
        raise InvalidRequest("arguments", str(error).partition(": ")[2]) from None
    sensitive = [path for path in ruling.sensitive if not leads_nowhere(arguments, path)]
    return Call.given(tool, arguments, sensitive=sensitive)


def event_of(call: Call, rule: ToolRule | None) -> dict[str, Any]:
    """The request about a call, as the event of the packaged workflow has it."""
    event: dict[str, Any] = {"subject": call.subject, "context": call.context}
    if call.sensitive:
        event["sensitive"] = [f"arguments.{path}" for path in call.sensitive]
    if rule is None:
        return event
    if rule.quorum is not None:
        event["stages"] = [Stage(tuple(rule.approvers), rule.quorum).to_dict()]
    elif rule.approvers:
        event["approvers"] = list(rule.approvers)
    if rule.timeout is not None:
        event["timeout_seconds"] = int(rule.timeout.total_seconds())
    return event


def check_approved(call: Call, record: Mapping[str, Any]) -> None:
    """Hold a call against the record of its approval.

    Raises:
        ArgumentsChanged: it was not approved, or another one was.
    """
    asked = digest_json(json.loads(context_json(call.context)))
    if record["status"] != "approved" or record.get("context_digest") != asked:
        msg = f"{call.tool} was not run: it is not the call that was approved"
        raise ArgumentsChanged([msg])
