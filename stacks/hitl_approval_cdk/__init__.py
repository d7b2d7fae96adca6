"""AWS CDK constructs for human approvals: `HitlApproval`, a stack of one, and its parts."""

from hitl_approval.domain.condition import Condition, field
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.policy import OnTimeout
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.rule import Rule, approve, reject
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval_cdk.approval import HitlApproval
from hitl_approval_cdk.archive import Archive
from hitl_approval_cdk.asking import AskingFunction
from hitl_approval_cdk.dead_letters import DeadLetterQueue
from hitl_approval_cdk.delivery import EmailApprover, SqsApprover
from hitl_approval_cdk.functions import ApprovalFunction, DurableFunction, FunctionSettings
from hitl_approval_cdk.mail import SesMail
from hitl_approval_cdk.monitoring import Monitoring
from hitl_approval_cdk.network import Network
from hitl_approval_cdk.options import HitlApprovalOptions
from hitl_approval_cdk.page import ApprovalPage
from hitl_approval_cdk.permissions import Resources
from hitl_approval_cdk.publisher import PublisherFunction
from hitl_approval_cdk.resolution import resolve
from hitl_approval_cdk.sign_in import DeployedSignIn, SignIn
from hitl_approval_cdk.slack import Slack
from hitl_approval_cdk.stack import HitlApprovalStack
from hitl_approval_cdk.sweep import SweepFunction
from hitl_approval_cdk.tables import ApprovalsTable, AuditTable, InboxTable
from hitl_approval_cdk.topic import BroadcastTopic
from hitl_approval_cdk.webhook import Webhook

__all__ = [
    "ApprovalFunction",
    "ApprovalPage",
    "ApprovalsTable",
    "Archive",
    "AskingFunction",
    "AuditTable",
    "BroadcastTopic",
    "Condition",
    "DeadLetterQueue",
    "DeployedSignIn",
    "DurableFunction",
    "EmailApprover",
    "Escalate",
    "FunctionSettings",
    "HitlApproval",
    "HitlApprovalOptions",
    "HitlApprovalStack",
    "InboxTable",
    "Monitoring",
    "Network",
    "OnTimeout",
    "Organization",
    "PublisherFunction",
    "Quorum",
    "Resources",
    "Rule",
    "SesMail",
    "SignIn",
    "Slack",
    "SqsApprover",
    "Stage",
    "SweepFunction",
    "Webhook",
    "approve",
    "field",
    "reject",
    "resolve",
]
