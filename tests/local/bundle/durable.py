"""A durable function with one scenario for each thing that the local cloud must get right."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import boto3
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

VERSION = Path(__file__).with_name("version.txt").read_text()
SECOND = Duration.from_seconds(1)


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> Any:
    scenario = SCENARIOS[event["do"]]
    return scenario(event, context)


def echo(event: dict[str, Any], context: DurableContext) -> Any:
    return {"echo": event.get("say"), "version": VERSION}


def fail(event: dict[str, Any], context: DurableContext) -> Any:
    msg = "it went wrong"
    raise RuntimeError(msg)


def ask(event: dict[str, Any], context: DurableContext) -> Any:
    """Wait for an answer from outside."""
    before = count(event, context, "before")
    config = CallbackConfig(
        timeout=Duration.from_seconds(event.get("timeout", 0)),
        heartbeat_timeout=Duration.from_seconds(event.get("heartbeat", 0)),
    )
    answer = context.create_callback(name="question", config=config).result()
    return {"answer": answer, "version": VERSION, "before": before}


def wait(event: dict[str, Any], context: DurableContext) -> Any:
    context.wait(Duration.from_seconds(event["seconds"]), name="nap")
    return {"waited": True}


def retry(event: dict[str, Any], context: DurableContext) -> Any:
    """A step that works at its third attempt."""

    def attempt(_: Any) -> int:
        attempts = add(event["counter"], "attempts")
        if attempts < 3:
            msg = f"attempt {attempts}"
            raise RuntimeError(msg)
        return attempts

    strategy = create_retry_strategy(
        RetryStrategyConfig(max_attempts=3, initial_delay=SECOND, max_delay=SECOND)
    )
    return context.step(attempt, name="work", config=StepConfig(retry_strategy=strategy))


def poll(event: dict[str, Any], context: DurableContext) -> Any:
    """Poll until the state has been handed on three times."""

    def check(state: list[int], _: Any) -> list[int]:
        return [*state, len(state)]

    def decide(state: list[int], _attempts: int) -> WaitForConditionDecision:
        if len(state) == 3:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(SECOND)

    config = WaitForConditionConfig(wait_strategy=decide, initial_state=list[int]())
    return context.wait_for_condition(check, config, name="poll")


def interrupted(event: dict[str, Any], context: DurableContext) -> Any:
    """A step that the first time takes longer than the cloud runs."""

    def work(_: Any) -> int:
        attempts = add(event["counter"], "attempts")
        if attempts == 1:
            time.sleep(15)
        return attempts

    return context.step(work, name="work")


def dies(event: dict[str, Any], context: DurableContext) -> Any:
    """A step within which the process dies the first time."""

    def work(_: Any) -> int:
        attempts = add(event["counter"], "attempts")
        if attempts == 1:
            os._exit(1)
        return attempts

    return context.step(work, name="work")


def call(event: dict[str, Any], context: DurableContext) -> Any:
    """Invoke another function and wait for its answer."""
    return context.invoke(event["function"], event["payload"], name="call")


def count(event: dict[str, Any], context: DurableContext, name: str) -> Any:
    if "counter" not in event:
        return None
    return context.step(lambda _: add(event["counter"], name), name=name)


def add(counter: str, name: str) -> int:
    """Count a side effect where everybody sees it."""
    updated = boto3.client("dynamodb").update_item(
        TableName="counters",
        Key={"id": {"S": counter}},
        UpdateExpression="ADD #name :one",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(updated["Attributes"][name]["N"])


SCENARIOS = {
    "echo": echo,
    "fail": fail,
    "ask": ask,
    "wait": wait,
    "retry": retry,
    "poll": poll,
    "interrupted": interrupted,
    "dies": dies,
    "call": call,
}
