"""Where AWS has durable functions, as far as it has announced them."""

from __future__ import annotations

from typing import Final

from aws_cdk import Annotations, Stack, Token
from constructs import Construct

UNANNOUNCED: Final = ("cn-", "us-gov-", "us-iso", "eu-iso")
"""Beginnings of the Regions of each partition for which AWS has announced none.

No list of Regions can be had without an account. AWS has announced them for `us-east-2` (December
2025), for 31 Regions of the partition `aws` in all (April 2026, aws/aws-lambda-roadmap issue 80)
and for the European Sovereign Cloud (September 2026). Of the three others of `aws` it is not known
here which they are.
"""
AS_OF: Final = "November 2026"
"""When that was read."""


def warn_where_unannounced(approval: Construct) -> None:
    """Warn at the construct if its Region is known to be one of those."""
    region = Stack.of(approval).region
    if Token.is_unresolved(region) or not region.startswith(UNANNOUNCED):
        return
    Annotations.of(approval).add_warning_v2(
        "hitl-approval:noDurableFunctions",
        f"AWS had announced no durable functions in {region} by {AS_OF}, and CloudFormation "
        f"refuses DurableConfig where there are none: check AWS's page of capabilities by "
        f"Region, or deploy to another. See docs/limits.md",
    )
