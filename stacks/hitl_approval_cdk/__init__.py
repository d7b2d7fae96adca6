"""AWS CDK constructs for human approvals: `HitlApproval`, and a stack that is just one."""

from hitl_approval.domain.policy import OnTimeout, Quorum
from hitl_approval_cdk.approval import HitlApproval
from hitl_approval_cdk.page import ApprovalPage, EmailApprover, SqsApprover
from hitl_approval_cdk.stack import HitlApprovalStack

__all__ = [
    "ApprovalPage",
    "EmailApprover",
    "HitlApproval",
    "HitlApprovalStack",
    "OnTimeout",
    "Quorum",
    "SqsApprover",
]
