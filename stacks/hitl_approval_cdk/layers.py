"""What functions read from a file in a layer, since a function's variables hold 4 KB in all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval.contract import GROUPS_FILE, ORGANIZATION_FILE
from hitl_approval.domain.organization import Organization


def give_groups(
    function: lambda_.Function, scope: Construct, groups: Mapping[str, Sequence[str]]
) -> None:
    """Let a function read the groups, and publish a new version of it when they change.

    Args:
        function: one that writes requests.
        scope: where the layer is; functions with the same one share it.
        groups: the people that each name stands for. Without any there is no layer.
    """
    if groups:
        described = "the people that each group's name stands for"
        _give(function, scope, "Groups", GROUPS_FILE, groups, described)


def give_organization(
    function: lambda_.Function, scope: Construct, organization: Organization | None
) -> None:
    """Let a function read whose page it is.

    Args:
        function: one that shows pages.
        scope: where the layer is; functions with the same one share it.
        organization: whose. Without one there is no layer.
    """
    if organization is not None:
        described = "the name, color and logo of its pages"
        values = organization.to_dict()
        _give(function, scope, "Organization", ORGANIZATION_FILE, values, described)


def _give(  # noqa: PLR0917  internal: what is given, to whom and where
    function: lambda_.Function,
    scope: Construct,
    construct_id: str,
    name: str,
    content: Any,
    described: str,
) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    layer = cast("lambda_.LayerVersion | None", scope.node.try_find_child(construct_id))
    if layer is None:
        with TemporaryDirectory(prefix="hitl-approval-layer-") as folder:
            file = Path(folder, "python", name)
            file.parent.mkdir()
            file.write_text(text, encoding="utf-8")
            layer = lambda_.LayerVersion(
                scope,
                construct_id,
                description=f"hitl-approval: {described}",
                code=lambda_.Code.from_asset(folder),
            )
    function.add_layers(layer)
    # Without the flag @aws-cdk/aws-lambda:recognizeLayerVersion a layer makes no new version.
    function.invalidate_version_based_on(sha256(text.encode()).hexdigest())
