"""The groups of a deployment: a file in a layer, since a function's variables hold 4 KB in all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval.contract import GROUPS_FILE

_LAYER: Final = "Groups"


def give_groups(
    function: lambda_.Function, scope: Construct, groups: Mapping[str, Sequence[str]]
) -> None:
    """Let a function read the groups, and publish a new version of it when they change.

    Args:
        function: one that writes requests.
        scope: where the layer is; functions with the same one share it.
        groups: the people that each name stands for. Without any there is no layer.
    """
    if not groups:
        return
    text = json.dumps(groups, ensure_ascii=False, indent=1)
    layer = cast("lambda_.LayerVersion | None", scope.node.try_find_child(_LAYER))
    if layer is None:
        with TemporaryDirectory(prefix="hitl-approval-groups-") as folder:
            file = Path(folder, "python", GROUPS_FILE)
            file.parent.mkdir()
            file.write_text(text, encoding="utf-8")
            layer = lambda_.LayerVersion(
                scope,
                _LAYER,
                description="hitl-approval: the people that each group's name stands for",
                code=lambda_.Code.from_asset(folder),
            )
    function.add_layers(layer)
    # Without the flag @aws-cdk/aws-lambda:recognizeLayerVersion a layer makes no new version.
    function.invalidate_version_based_on(sha256(text.encode()).hexdigest())
