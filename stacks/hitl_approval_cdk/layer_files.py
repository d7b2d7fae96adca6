"""What functions know of people: files in layers, since a function's variables hold 4 KB in all."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from aws_cdk import aws_lambda as lambda_
from constructs import Construct


def give_file(
    function: lambda_.Function,
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    content: Any,
    description: str,
) -> None:
    """Let a function read a file, and publish a new version of it when the file changes.

    Args:
        function: who reads it, by `hitl_approval.layer_files`.
        scope: where the layer is.
        construct_id: the layer's name there; functions of one scope share it.
        name: of the file.
        content: what it says, as JSON values.
        description: of the layer.
    """
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
                description=description,
                code=lambda_.Code.from_asset(folder),
            )
    function.add_layers(layer)
    # Without the flag @aws-cdk/aws-lambda:recognizeLayerVersion a layer makes no new version.
    function.invalidate_version_based_on(sha256(text.encode()).hexdigest())
