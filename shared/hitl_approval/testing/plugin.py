"""A pytest plugin: `pytest_plugins = ["hitl_approval.testing.plugin"]` in a conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hitl_approval.testing.approvals import Approvals


@pytest.fixture
def approvals() -> Iterator[Approvals]:
    """Approvals in memory, and durable functions that ask them, for one test."""
    with Approvals() as made:
        yield made
