"""What synth warns of: a deployment that works, but hardly as it was meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, cast

from aws_cdk import Annotations
from aws_cdk import aws_sns as sns
from constructs import Construct

from hitl_approval.contract import MAX_OPERATIONS
from hitl_approval.domain.schedule import most_operations
from hitl_approval_cdk.options import ResolvedOptions
from hitl_approval_cdk.regions import warn_where_unknown
from hitl_approval_cdk.ruling import rules_of, warn_of_rules
from hitl_approval_cdk.topic import warn_if_nobody_subscribes

ROOMY: Final = 5
"""Approvals in one execution below which an app that asks in a loop is worth a warning."""


def warn(approval: Construct, options: ResolvedOptions, *, topic: sns.ITopic) -> None:
    """Warn at the construct of what its options leave open."""
    if options["quorum"].kind == "everyone" and options["approvers"] is None:
        Annotations.of(approval).add_warning_v2(
            "hitl-approval:quorumWithoutApprovers",
            "quorum is everyone but no approvers are configured: every request must name its "
            "own, or it is refused",
        )
    reached = ("topic", "notify_emails", "deliver_to", "mail", "slack", "webhooks")
    if not any(cast(Mapping[str, Any], options)[name] for name in reached):
        warn_if_nobody_subscribes(approval, topic)
    warn_where_unknown(approval)
    _warn_of_typed_names(approval, options)
    _warn_of_personal_sessions(approval, options)
    _warn_of_little_room(approval, options)
    warn_of_rules(approval, options)


def _warn_of_typed_names(approval: Construct, options: ResolvedOptions) -> None:
    """Warn where several must approve, and one person may type all of their names."""
    page = options["page"]
    rules = (rule.quorum for rule in rules_of(options).rules if rule.quorum is not None)
    several = any(quorum.asks_several for quorum in (options["quorum"], *rules))
    vouched = options["require_verified_identity"] or options["trust_authorizer"]
    reached = options["deliver_to"] or options["mail"] or options["slack"]
    if page is not None and (page.sign_in is not None or reached):
        vouched = True
    if several and not vouched:
        Annotations.of(approval).add_warning_v2(
            "hitl-approval:quorumOfTypedNames",
            "several people must approve, but nobody vouches for their names: one who may call "
            "the approval function can type them all. Let people sign in "
            "(page=ApprovalPage(sign_in=...)) or send them personal links (deliver_to=...), and "
            "set require_verified_identity=True",
        )


def _warn_of_personal_sessions(approval: Construct, options: ResolvedOptions) -> None:
    """Warn of what only the account can make true: nobody chooses the name of their session."""
    page = options["page"]
    for role in page.personal_sessions if page is not None else ():
        Annotations.of(approval).add_warning_v2(
            f"hitl-approval:personalSessions-{role}",
            f"each session of the role {role} is taken for a person: its trust policy must "
            "let nobody choose sts:RoleSessionName, or one person decides as several. See "
            "docs/inbox.md",
        )


def _warn_of_little_room(approval: Construct, options: ResolvedOptions) -> None:
    """Warn where an execution that asks several times soon has no operations left."""
    durations = (options["approval_timeout"], options["poll_interval"])
    if options["resume"] != "polling" or any(each.is_unresolved() for each in durations):
        return
    timeout, interval = (timedelta(seconds=each.to_seconds()) for each in durations)
    room = MAX_OPERATIONS // most_operations(timeout, interval)
    if room < ROOMY:
        Annotations.of(approval).add_warning_v2(
            "hitl-approval:fewApprovalsPerExecution",
            f"one execution has room for {room} approvals of up to {timeout} that are polled every "
            f"{interval}: Lambda allows it {MAX_OPERATIONS:,} operations, and a further one is "
            'refused. Use resume="callback", or a longer poll_interval',
        )
