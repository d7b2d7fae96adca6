"""What these tests share: `tests/deployed.py`, and credentials of the local cloud only."""

from __future__ import annotations

import pytest

from hitl_approval_cli.local import LocalCloud
from tests.deployed import ROOT, Deploy, Live, deploy_stack, eventually

__all__ = ["ROOT", "Deploy", "Live", "deploy_stack", "eventually"]


@pytest.fixture(autouse=True)
def _credentials(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
