"""Logical ids are a public contract: a change would replace tables with data, or functions with
executions in flight. If this test fails, the change loses somebody's data: undo it.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack

from hitl_approval_cdk import HitlApproval
from tests.infra.synth import any_app

FROZEN = {
    "Stack/Approval/Table": "ApprovalTable5628361C",
    "Stack/Approval/AuditTable": "ApprovalAuditTableFAD3BDE8",
    "Stack/Approval/Topic": "ApprovalTopic4109F969",
    "Stack/Approval/Email-ann@example.com": "ApprovalEmailannexamplecom58038691",
    "Stack/Approval/DeadLetterQueue": "ApprovalDeadLetterQueueC120676E",
    "Stack/Approval/WorkflowLogs": "ApprovalWorkflowLogs7090A2C8",
    "Stack/Approval/WorkflowFunction": "ApprovalWorkflowFunction44C8BE57",
    "Stack/Approval/LiveAlias": "ApprovalLiveAlias5E3110F4",
    "Stack/Approval/ApprovalLogs": "ApprovalApprovalLogs71480D08",
    "Stack/Approval/ApprovalFunction": "ApprovalApprovalFunction68F4A715",
}


def test_should_keep_paths_and_logical_ids_of_everything_with_state() -> None:
    stack = Stack(any_app(), "Stack")
    HitlApproval(stack, "Approval", notify_emails=["ann@example.com"])
    found: dict[str, str] = {}
    for path in FROZEN:
        construct: Any = stack
        for part in path.split("/")[1:]:
            construct = construct.node.find_child(part)
        found[path] = stack.get_logical_id(construct.node.default_child)
    assert found == FROZEN
