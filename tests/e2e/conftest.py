"""What these tests share: `tests/deployed.py`, and credentials of the local cloud only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hitl_approval_cli.local import LocalCloud
from tests.deployed import ROOT, Deploy, Live, deploy_stack, eventually, no_call_refused

from .wheel import CleanVenv, build_wheel

__all__ = ["ROOT", "Deploy", "Live", "deploy_stack", "eventually"]


@pytest.fixture(autouse=True)
def _credentials(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _allowed(cloud: LocalCloud) -> Iterator[None]:
    """Every call of a function that a test causes is held to what its role may do."""
    with no_call_refused(cloud):
        yield


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def with_cdk(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> CleanVenv:
    return CleanVenv.make(tmp_path_factory.mktemp("with-cdk") / "venv", wheel, "[cdk,testing]")
