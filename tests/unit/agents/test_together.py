from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

import pytest
from aws_durable_execution_sdk_python import ChildContextError

from hitl_approval import InvalidRequest
from hitl_approval.agents import together
from hitl_approval.agents.together import REASON, ask_together

PATIENCE = 30
REFUSAL = ("hitl_approval.InvalidRequest", "approvers: names nobody")
OUTAGE = ("hitl_approval.Unavailable", "not now")


class Batch:
    """How the branches have ended for the engine, when the first has failed or all have ended."""

    def __init__(self, results: list[Any], failed: tuple[str, str] | None, seen: Event) -> None:
        self.results, self.failed, self.seen = results, failed, seen

    def throw_if_error(self) -> None:
        self.seen.set()
        if self.failed is not None:
            kind, message = self.failed
            raise ChildContextError(message, error_type=kind)

    def get_results(self) -> list[Any]:
        return self.results


class Context:
    """Runs branches as the durable engine does: it does not wait for those beside a failed one.

    Attributes:
        failed: how one has failed; None: all have ended.
        slow: whether the last branch is left at work, once `at_work` is set.
        late: whether a thread takes the last one up only when the engine has gone on.
        gone_on: set when it has.
    """

    def __init__(
        self, failed: tuple[str, str] | None = None, *, slow: bool = False, late: bool = False
    ) -> None:
        self.failed, self.slow, self.late = failed, slow, late
        self.at_work, self.gone_on = Event(), Event()
        self.threads: list[Thread] = []
        self.results: list[Any] = []

    def parallel(self, branches: Sequence[Callable[[Any], Any]], *, name: str) -> Batch:
        def work(branch: Callable[[Any], Any]) -> None:
            self.results.append(branch(self))

        self.threads = [Thread(target=work, args=(branch,)) for branch in branches]
        for thread in self.threads[:-1] if self.late else self.threads:
            thread.start()
        for thread in self.threads[:-1] if self.late or self.slow else self.threads:
            thread.join(PATIENCE)
        if self.slow:
            assert self.at_work.wait(PATIENCE)
        return Batch(self.results, self.failed, self.gone_on)


class Desk:
    """What was asked and withdrawn, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        monkeypatch.setattr(together, "withdraw", self.withdraw)

    def withdraw(self, _: Any, approval: str, reason: str) -> None:
        assert reason == REASON
        self.done.append(f"withdrawn {approval}")

    def ask(self, name: str) -> Any:
        self.done.append(f"asked {name}")
        return {"approval_id": name}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def ask(context: Any, **asks: Callable[[Any], Any]) -> Any:
    return ask_together(context, asks, "agent/turn-1/approvals")


def test_should_return_how_each_has_ended(desk: Desk) -> None:
    ended = ask(Context(), a=lambda _: desk.ask("a"), b=lambda _: desk.ask("b"))
    assert sorted(each["approval_id"] for each in ended) == ["a", "b"]
    assert sorted(desk.done) == ["asked a", "asked b"]


@pytest.mark.parametrize(("failed", "error"), [(REFUSAL, InvalidRequest), (OUTAGE, None)])
def test_should_withdraw_all_where_one_has_failed(desk: Desk, failed: Any, error: Any) -> None:
    with pytest.raises(error or ChildContextError, match=failed[1]):
        ask(Context(failed), a=lambda _: None, b=lambda _: desk.ask("b"))
    assert desk.done == ["asked b", "withdrawn a", "withdrawn b"]


def test_should_withdraw_what_is_written_after_the_engine_has_gone_on(desk: Desk) -> None:
    context = Context(REFUSAL, slow=True)

    def slow(_: Any) -> Any:
        context.at_work.set()
        assert context.gone_on.wait(PATIENCE)
        return desk.ask("b")

    with pytest.raises(InvalidRequest):
        ask(context, a=lambda _: None, b=slow)
    assert desk.done == ["asked b", "withdrawn a", "withdrawn b"]


def test_should_withdraw_beside_a_branch_that_has_been_suspended(desk: Desk) -> None:
    class SuspendedError(BaseException):
        pass

    class Suspending(Context):
        def parallel(self, branches: Sequence[Callable[[Any], Any]], *, name: str) -> Batch:
            with pytest.raises(SuspendedError):
                branches[0](self)
            return Batch([], REFUSAL, self.gone_on)

    def suspend(_: Any) -> Any:
        desk.ask("a")
        raise SuspendedError

    with pytest.raises(InvalidRequest):
        ask(Suspending(), a=suspend)
    assert desk.done == ["asked a", "withdrawn a"]


def test_should_ask_nothing_once_all_is_over(desk: Desk) -> None:
    context = Context(REFUSAL, late=True)
    with pytest.raises(InvalidRequest):
        ask(context, a=lambda _: None, b=lambda _: desk.ask("b"))
    context.threads[1].start()
    context.threads[1].join(PATIENCE)
    assert desk.done == ["withdrawn a", "withdrawn b"]
