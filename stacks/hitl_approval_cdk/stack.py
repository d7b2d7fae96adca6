"""`HitlApprovalStack`: one `HitlApproval`, whose outputs have the plain names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from aws_cdk import Environment, IStackSynthesizer, Stack
from constructs import Construct

from hitl_approval_cdk import outputs
from hitl_approval_cdk.approval import HitlApproval
from hitl_approval_cdk.declaration import lists_options
from hitl_approval_cdk.options import HitlApprovalOptions
from hitl_approval_cdk.page import ApprovalPage

DESCRIPTION = "Human approvals for AWS workflows (hitl-approval)"


@lists_options
class HitlApprovalStack(Stack, outputs.PlainOutputs):
    """A stack that is one `HitlApproval`, with the page unless `page=None`.

    The approvals table is named `<stack name>-ApprovalRequests`, as in the public pattern, unless
    `table_name` or `table` says otherwise.

    Args:
        scope: the app or a stage.
        construct_id: its name there.
        stack_name: its name in CloudFormation. Default: made from `construct_id`.
        description: shown in CloudFormation. Default: what this package is.
        env: account and region. Default: whatever the credentials at deployment say.
        synthesizer: how it is deployed. Default: the app's.
        tags: on every resource. Default: none.
        termination_protection: whether CloudFormation refuses to delete it. Default: False.
        **options: those of `HitlApproval`.

    Attributes:
        approval: the `HitlApproval`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str | None = None,
        description: str = DESCRIPTION,
        env: Environment | None = None,
        synthesizer: IStackSynthesizer | None = None,
        tags: Mapping[str, str] | None = None,
        termination_protection: bool = False,
        **options: Unpack[HitlApprovalOptions],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=stack_name,
            description=description,
            env=env,
            synthesizer=synthesizer,
            tags=tags,
            termination_protection=termination_protection,
            analytics_reporting=False,
        )
        if options.get("table") is None:
            options.setdefault("table_name", f"{self.stack_name}-ApprovalRequests")
        options.setdefault("page", ApprovalPage())
        self.approval = HitlApproval(self, outputs.PLAIN, **options)
