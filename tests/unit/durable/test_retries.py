"""How the steps of a wait are tried again, and what may be said of an error."""

from __future__ import annotations

import pytest

from hitl_approval.domain.errors import ApprovalNotFound, InvalidRequest, RecordAltered, Unavailable
from hitl_approval.durable.retries import MAX_REASON, READ_ATTEMPTS, patiently, reason_of, retrying


def again(error: Exception, made: int, attempts: int = 3) -> int | None:
    """Seconds until the next try; None for no other."""
    strategy = retrying(attempts).retry_strategy
    assert strategy is not None
    decision = strategy(error, made)
    return decision.delay_seconds if decision.should_retry else None


def test_should_wait_twice_as_long_each_time_up_to_a_minute() -> None:
    made = range(1, 9)
    assert [again(Unavailable("later"), n, 99) for n in made] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_should_give_up_after_so_many() -> None:
    assert again(Unavailable("later"), 3) is None
    strategy = patiently().retry_strategy
    assert strategy is not None
    assert strategy(OSError(), READ_ATTEMPTS - 1).should_retry
    assert not strategy(OSError(), READ_ATTEMPTS).should_retry


@pytest.mark.parametrize(
    "error", [InvalidRequest("a", "b"), ApprovalNotFound("a"), RecordAltered("a", ["status"])]
)
def test_should_not_try_again_what_no_retry_changes(error: Exception) -> None:
    assert again(error, 1) is None


def test_should_say_of_others_errors_no_more_than_their_name() -> None:
    assert reason_of(Unavailable("SNS: try again")) == "SNS: try again"
    assert reason_of(ValueError("a secret")) == "ValueError"
    assert len(reason_of(Unavailable("x" * 999))) == MAX_REASON
