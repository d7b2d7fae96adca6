"""Each gap of AWS's testing engine is still there, so that `engine.py` is still needed for it.

A test that fails here says that upstream now does what `engine.py` or `durable_api.py` adds.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python.lambda_service import (
    CallbackDetails,
    Operation,
    OperationStatus,
    OperationType,
    WaitDetails,
)
from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.exceptions import (
    CallbackTimeoutException,
    ResourceNotFoundException,
)
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.invoker import LambdaInvoker
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.scheduler import Scheduler
from aws_durable_execution_sdk_python_testing.stores.sqlite import SQLiteExecutionStore
from aws_durable_execution_sdk_python_testing.token import CallbackToken

from hitl_approval_cli.local.engine import DurableEngine
from hitl_approval_cli.local.execution_arn import ExecutionArn

NOW = datetime.now(UTC)


def started(**fields: Any) -> StartDurableExecutionInput:
    values: dict[str, Any] = {
        "account_id": "000000000000",
        "function_name": "function",
        "function_qualifier": "live",
        "execution_name": "name",
        "execution_timeout_seconds": 600,
        "execution_retention_period_days": 1,
        "invocation_id": "identity",
        "input": "{}",
    }
    return StartDurableExecutionInput(**values | fields)


def suspended(*operations: Operation) -> Execution:
    execution = Execution.new(started())
    execution.start(now=NOW)
    execution.operations.extend(operations)
    return execution


def waiting() -> Operation:
    return Operation(
        "wait",
        OperationType.WAIT,
        OperationStatus.STARTED,
        start_timestamp=NOW,
        wait_details=WaitDetails(scheduled_end_timestamp=NOW),
    )


@pytest.fixture
def store(tmp_path: Path) -> SQLiteExecutionStore:
    return SQLiteExecutionStore.create_and_initialize(tmp_path / "executions.db")


@pytest.fixture
def scheduler() -> Iterator[Any]:
    scheduler: Any = Scheduler()
    scheduler.start()
    yield scheduler
    scheduler.stop()


@pytest.fixture
def stock(store: SQLiteExecutionStore, scheduler: Any) -> Iterator[Executor]:
    """The executor as it is installed, on a store that holds a waiting execution."""
    store.save(suspended(waiting()))
    processor = CheckpointProcessor(store, scheduler)
    executor = Executor(store, scheduler, LambdaInvoker(None), processor)
    yield executor
    executor.shutdown()


def test_should_still_name_executions_otherwise_than_aws() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        ExecutionArn.parse(Execution.new(started()).durable_execution_arn)


def test_should_still_not_pin_an_alias_to_a_version(stock: Executor) -> None:
    execution = stock._create_execution(started())
    assert execution.start_input.function_qualifier == "live"


def test_should_still_take_a_closed_callback_for_an_unknown_one(
    stock: Executor, store: SQLiteExecutionStore
) -> None:
    execution = suspended()
    callback_id = CallbackToken(execution.durable_execution_arn, "question").to_str()
    execution.operations.append(
        Operation(
            "question",
            OperationType.CALLBACK,
            OperationStatus.SUCCEEDED,
            callback_details=CallbackDetails(callback_id),
        )
    )
    store.save(execution)
    with pytest.raises(ResourceNotFoundException):
        stock.send_callback_success(callback_id)
    assert CallbackTimeoutException("").http_status_code == 408  # AWS: 400


def test_should_still_leave_execution_data_out_of_histories_by_default() -> None:
    parameters = inspect.signature(Executor.get_execution_history).parameters
    assert parameters["include_execution_data"].default is False


def test_should_still_forget_timers_at_a_restart(stock: Executor, scheduler: Any) -> None:
    assert scheduler.task_count() == 0
    assert stock._pending_wakeup == {}


def test_should_take_timers_up_at_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "executions.db"
    kept = SQLiteExecutionStore.create_and_initialize(database)
    execution = suspended(waiting())
    kept.save(execution)
    engine = DurableEngine(database, endpoint_url="http://127.0.0.1:1", dead_letter=_never)
    engine.start()
    try:
        executor: Any = engine.executor
        assert execution.durable_execution_arn in executor._execution_timeouts
        assert execution.durable_execution_arn in executor._pending_wakeup
    finally:
        engine.stop()


def _never(*_: object) -> None:
    pytest.fail("nothing has failed")
