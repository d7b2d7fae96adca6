"""Where AWS has durable functions, as far as is known."""

from __future__ import annotations

from typing import Final

from aws_cdk import Annotations, Stack, Token
from constructs import Construct

WITHOUT: Final = ("cn-", "us-gov-", "us-iso", "eu-iso")
"""Beginnings of the Regions of each partition to which AWS has released none, as far as is known.

No list of Regions can be had without an account. AWS has released them to `us-east-2` (December
2025), to 31 Regions of the partition `aws` in all (April 2026, aws/aws-lambda-roadmap issue 80)
and to the European Sovereign Cloud (September 2026). Of the three others of `aws` it is not known
here which they are.
"""
AS_OF: Final = "November 2026"
"""When that was read."""


def warn_where_unknown(approval: Construct) -> None:
    """Warn at the construct if its Region is known to be one of those."""
    region = Stack.of(approval).region
    if Token.is_unresolved(region) or not region.startswith(WITHOUT):
        return
    Annotations.of(approval).add_warning_v2(
        "hitl-approval:noDurableFunctions",
        f"by {AS_OF} AWS was not known to have durable functions in {region}, and CloudFormation "
        f"refuses DurableConfig where there are none: check AWS's page of capabilities by "
        f"Region, or deploy to another. See docs/limits.md",
    )
