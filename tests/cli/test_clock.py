"""The moment and the pause are those of the machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from hitl_approval_cli import clock


def test_should_say_the_moment_in_utc() -> None:
    before = datetime.now(UTC)
    moment = clock.now()
    assert before <= moment <= datetime.now(UTC)
    assert moment.tzinfo is UTC


def test_should_wait_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    clock.pause(0.5)
    assert waited == [0.5]
