"""Time for tests: every read is another moment, and no timer is waited for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hitl_approval.testing import virtual_time
from hitl_approval.testing.virtual_time import RunnerCallbackClient, VirtualClock, eventually


def test_should_never_give_one_moment_twice() -> None:
    clock = VirtualClock()
    moments = [clock.now() for _ in range(100)]
    assert sorted(set(moments)) == moments


def test_should_be_at_once_where_time_is_let_pass() -> None:
    clock = VirtualClock()
    before = clock.now()
    clock.advance(timedelta(days=7))
    assert clock.now() - before >= timedelta(days=7)


def test_should_know_no_callback_of_a_runner_that_is_not_there() -> None:
    callbacks = RunnerCallbackClient()
    assert callbacks.complete("callback") == "already_running"
    assert callbacks.calls == 1


def test_should_say_what_did_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    assert eventually(lambda: 7) == 7
    monkeypatch.setattr(virtual_time, "PATIENCE", 0.01)
    with pytest.raises(AssertionError, match="there was no answer"):
        eventually(lambda: None, "answer")
