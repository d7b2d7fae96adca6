"""The deployed functions as the durable engine sees them; `test_durable_api.py` runs them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import lambda_svc

from hitl_approval_cli.local import functions
from hitl_approval_cli.local.functions import MAX_RUNNING, Function, FunctionError

CONFIG = {
    "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:pay",
    "FunctionName": "pay",
    "Version": "3",
    "DurableConfig": {"ExecutionTimeout": 60},
    "DeadLetterConfig": {"TargetArn": "arn:queue"},
}
PAY = Function("000000000000", "us-east-1", "pay", "3", {"ExecutionTimeout": 60}, "arn:queue")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ministack has deployed: qualifier -> configuration."""
    found: dict[str, Any] = {}

    def get(name: str, qualifier: str | None) -> tuple[Any, Any]:
        config = found.get(str(qualifier)) if name == "pay" else None
        return ({"code": b""}, config) if config else (None, None)

    monkeypatch.setattr(lambda_svc, "_get_func_record_for_qualifier", get)
    return found


Answers = list[dict[str, Any]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """What ministack's executor answers, one after the other."""
    given: Answers = []
    monkeypatch.setattr(functions, "_stock_execute", lambda *_: given.pop(0))
    monkeypatch.setattr(functions, "_closing", threading.Event())
    yield given
    assert not given


def test_should_read_a_version_from_its_configuration() -> None:
    assert Function.from_config(CONFIG) == PAY
    assert PAY.arn == f"{CONFIG['FunctionArn']}:3"
    plain = Function.from_config({k: CONFIG[k] for k in ("FunctionArn", "FunctionName")})
    assert (plain.version, plain.durable, plain.dead_letter_arn) == ("$LATEST", None, None)


def test_should_find_the_version_that_is_meant(known: dict[str, Any]) -> None:
    known["live"] = CONFIG
    assert functions.find("000000000000", "us-east-1", "pay", "live") == PAY
    assert functions.find("000000000000", "us-east-1", "pay", "dead") is None


def test_should_return_what_the_function_returned(known: dict[str, Any], answers: Answers) -> None:
    known["3"] = CONFIG
    answers.append({"body": {"paid": 7}})
    assert functions.run(PAY, {}) == {"paid": 7}


@pytest.mark.parametrize("how", ["error", "throttle"])
def test_should_raise_what_the_function_raised(
    known: dict[str, Any], answers: Answers, how: str
) -> None:
    known["3"] = CONFIG
    answers.append({how: True, "body": "no money"})
    with pytest.raises(FunctionError, match="no money"):
        functions.run(PAY, {})


def test_should_say_that_a_version_has_been_deleted(known: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="function:pay:3"):
        functions.run(PAY, {})


def test_should_refuse_what_waits_when_the_cloud_is_stopped(answers: Answers) -> None:
    assert not functions.is_closing()
    functions.close()
    assert functions.is_closing()
    refused = functions.execute({}, {})
    assert refused["error"] is True
    assert refused["body"]["errorType"] == "ServiceException"


def test_should_let_a_function_that_is_called_by_another_go_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With every slot taken its caller would wait for it, and it for its caller."""
    monkeypatch.setattr(functions, "_slots", threading.BoundedSemaphore(1))
    depth: list[int] = []

    def stock(record: dict[str, Any], _: Any) -> dict[str, Any]:
        depth.append(len(depth))
        return functions.execute(record, {}) if len(depth) < 3 else {"body": "inner"}

    monkeypatch.setattr(functions, "_stock_execute", stock)
    assert functions.execute({}, {}) == {"body": "inner"}
    assert depth == [0, 1, 2]


def test_should_run_no_more_than_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started, go_on = threading.Semaphore(0), threading.Event()

    def stock(*_: Any) -> dict[str, Any]:
        started.release()
        go_on.wait(30)
        return {"body": 1}

    monkeypatch.setattr(functions, "_stock_execute", stock)
    callers = [
        threading.Thread(target=functions.execute, args=({}, {})) for _ in range(MAX_RUNNING + 1)
    ]
    for caller in callers:
        caller.start()
    for _ in range(MAX_RUNNING):
        assert started.acquire(timeout=30)
    assert not functions._slots.acquire(blocking=False)
    assert not started.acquire(blocking=False)
    go_on.set()
    for caller in callers:
        caller.join(30)
    assert started.acquire(blocking=False)
