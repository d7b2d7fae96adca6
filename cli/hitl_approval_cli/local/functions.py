"""The deployed Lambda functions, as the durable engine sees them: find one, run one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from ministack.core.responses import request_scope
from ministack.services import lambda_svc

MAX_RUNNING = 6
"""Invocations that run at once, each in a process of about 55 MiB; more wait in line."""

Record = dict[str, Any]
Execute = Callable[[Record, Any], dict[str, Any]]

_stock_execute = cast(Execute, lambda_svc._execute_function)
_slots = threading.BoundedSemaphore(MAX_RUNNING)
_held = threading.local()
_closing = threading.Event()


class FunctionError(Exception):
    """A function raised, timed out or could not be started.

    Attributes:
        body: what Lambda answers then: `errorType`, `errorMessage`, perhaps `stackTrace`.
    """

    def __init__(self, body: Any) -> None:
        super().__init__(str(body))
        self.body = body


@dataclass(frozen=True)
class Function:
    """One version of a function.

    Attributes:
        version: a number, or `$LATEST`.
        durable: its DurableConfig; None for a plain function.
        dead_letter_arn: where failed asynchronous invocations go.
    """

    account: str
    region: str
    name: str
    version: str
    durable: Mapping[str, int] | None
    dead_letter_arn: str | None

    @property
    def arn(self) -> str:
        """The ARN that names this version."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}:{self.version}"

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Function:
        """What a version's configuration says."""
        _, _, _, region, account, *_ = config["FunctionArn"].split(":")
        return cls(
            account=account,
            region=region,
            name=config["FunctionName"],
            version=config.get("Version", "$LATEST"),
            durable=config.get("DurableConfig"),
            dead_letter_arn=config.get("DeadLetterConfig", {}).get("TargetArn"),
        )


def find(account: str, region: str, name: str, qualifier: str | None) -> Function | None:
    """The version that an alias, a version number or `$LATEST` means; None when there is none."""
    with request_scope(account, region):
        _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    return Function.from_config(config) if config else None


def run(function: Function, event: Mapping[str, Any]) -> Any:
    """Invoke the code of a version once, as Lambda does, and return what it returned.

    Raises:
        LookupError: the version has been deleted.
        FunctionError: it failed.
    """
    with request_scope(function.account, function.region):
        record, config = lambda_svc._get_func_record_for_qualifier(function.name, function.version)
        if record is None:
            raise LookupError(function.arn)
        record = {**record, "config": {**config, "FunctionArn": function.arn}}
        # As an Invoke from outside: what this function invokes is then known to be nested.
        lambda_svc._invoke_depth.set(1)
        answer = execute(record, event)
    if answer.get("error") or answer.get("throttle"):
        raise FunctionError(answer.get("body"))
    return answer.get("body")


def execute(record: Record, event: Any) -> dict[str, Any]:
    """Run ministack's executor when one of the slots is free."""
    with _slot():
        if _closing.is_set():
            message = "The local cloud is being stopped."
            error = {"errorType": "ServiceException", "errorMessage": message}
            return {"error": True, "body": error, "log": ""}
        return _stock_execute(record, event)


def close() -> None:
    """Refuse the invocations that wait in line: their processes would outlive the cloud."""
    _closing.set()


def is_closing() -> bool:
    """Whether invocations are refused."""
    return _closing.is_set()


@contextmanager
def _slot() -> Iterator[None]:
    # An invocation made by a running function would wait for its own caller: it goes ahead.
    nested = lambda_svc._invoke_depth.get() > 1 or getattr(_held, "slot", False)
    if nested:
        yield
        return
    with _slots:
        _held.slot = True
        try:
            yield
        finally:
            _held.slot = False
