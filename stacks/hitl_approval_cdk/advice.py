"""What synth warns of: a deployment that works, but hardly as it was meant."""

from __future__ import annotations

from aws_cdk import Annotations
from aws_cdk import aws_sns as sns
from constructs import Construct

from hitl_approval_cdk.options import ResolvedOptions
from hitl_approval_cdk.topic import warn_if_nobody_subscribes


def warn(approval: Construct, options: ResolvedOptions, *, topic: sns.ITopic) -> None:
    """Warn at the construct of what its options leave open."""
    if options["quorum"].kind == "everyone" and options["approvers"] is None:
        Annotations.of(approval).add_warning_v2(
            "hitl-approval:quorumWithoutApprovers",
            "quorum is everyone but no approvers are configured: every request must name its "
            "own, or it is refused",
        )
    if not (options["topic"] or options["notify_emails"] or options["deliver_to"]):
        warn_if_nobody_subscribes(approval, topic)
