"""Human approvals for AWS workflows: `wait_for_approval` and what it speaks of.

Names are imported on first use: infrastructure code imports `hitl_approval.contract` without
boto3 or the durable SDK being there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hitl_approval.domain.approval import Vote
    from hitl_approval.domain.binding import NotAsApproved
    from hitl_approval.domain.business_hours import business_hours
    from hitl_approval.domain.call import ArgumentsChanged
    from hitl_approval.domain.condition import field
    from hitl_approval.domain.edit import Change
    from hitl_approval.domain.errors import ApprovalError, InvalidRequest, RecordAltered
    from hitl_approval.domain.outcome import NotApproved, Outcome
    from hitl_approval.domain.policy import OnTimeout, Policy
    from hitl_approval.domain.quorum import Quorum
    from hitl_approval.domain.request import ApprovalRequest
    from hitl_approval.domain.rule import Rule, approve, reject
    from hitl_approval.domain.stage import Escalate, Stage
    from hitl_approval.durable.tool import requires_approval
    from hitl_approval.durable.wait import wait_for_approval
    from hitl_approval.durable.withdraw import withdraw
    from hitl_approval.files import file_digest

_HOMES = {
    "ApprovalError": "domain.errors",
    "ApprovalRequest": "domain.request",
    "ArgumentsChanged": "domain.call",
    "Change": "domain.edit",
    "Escalate": "domain.stage",
    "InvalidRequest": "domain.errors",
    "NotApproved": "domain.outcome",
    "NotAsApproved": "domain.binding",
    "OnTimeout": "domain.policy",
    "Outcome": "domain.outcome",
    "Policy": "domain.policy",
    "Quorum": "domain.quorum",
    "RecordAltered": "domain.errors",
    "Rule": "domain.rule",
    "Stage": "domain.stage",
    "Vote": "domain.approval",
    "approve": "domain.rule",
    "business_hours": "domain.business_hours",
    "field": "domain.condition",
    "reject": "domain.rule",
    "file_digest": "files",
    "requires_approval": "durable.tool",
    "wait_for_approval": "durable.wait",
    "withdraw": "durable.withdraw",
}

__all__ = [
    "ApprovalError",
    "ApprovalRequest",
    "ArgumentsChanged",
    "Change",
    "Escalate",
    "InvalidRequest",
    "NotApproved",
    "NotAsApproved",
    "OnTimeout",
    "Outcome",
    "Policy",
    "Quorum",
    "RecordAltered",
    "Rule",
    "Stage",
    "Vote",
    "approve",
    "business_hours",
    "field",
    "file_digest",
    "reject",
    "requires_approval",
    "wait_for_approval",
    "withdraw",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
