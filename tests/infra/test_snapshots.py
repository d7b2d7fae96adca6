"""One snapshot per configuration that a user would write: shows a reviewer what a change deploys.

`pytest tests/infra --snapshot-update` accepts the differences.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.infra.synth import CONFIGURATIONS


def normalized(template: dict[str, Any]) -> Any:
    """Without what changes on every edit: asset hashes, and version ids made from them."""
    written = json.dumps(template)
    written = re.sub(r"\b[0-9a-f]{64}\b", "ASSET", written)
    written = re.sub(r"(CurrentVersion|Deployment)[0-9A-F]{8}[0-9a-f]{32}", r"\1HASH", written)
    return json.loads(written)


@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_should_deploy_what_was_reviewed(
    templates: dict[str, Any], configuration: str, snapshot: SnapshotAssertion
) -> None:
    written = normalized(templates[configuration])
    assert written == snapshot(extension_class=JSONSnapshotExtension)
    assert not re.search(r"[0-9a-f]{32}", json.dumps(written))
