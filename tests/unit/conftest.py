"""Unit tests are pure: no sockets; a deployment in memory."""

from __future__ import annotations

import pytest
from pytest_socket import disable_socket, enable_socket

from hitl_approval.testing import World, in_memory


@pytest.fixture(autouse=True)
def _no_sockets() -> object:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def world() -> World:
    return in_memory()
