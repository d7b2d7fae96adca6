"""A workflow that has asked, and others who act meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.testing import InMemoryStore, World

HOUR = timedelta(hours=1)


def meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], times: int = 1
) -> None:
    """Let somebody else act between the read and the commit of the next writes."""
    commit = InMemoryStore.commit
    left = times

    def late(store: InMemoryStore, transition: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(InMemoryStore, "commit", commit)
                act()
        commit(store, transition)

    monkeypatch.setattr(InMemoryStore, "commit", late)
