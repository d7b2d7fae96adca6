"""`AskingFunction`: a durable function of yours that asks, in one statement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval.contract import ALIAS
from hitl_approval_cdk.functions import RUNTIMES
from hitl_approval_cdk.tokens import shown

_NOT_CODE = ["**/__pycache__", "**/*.pyc", "**/.*"]


class AskingFunction(lambda_.Function):
    """What `HitlApproval.function` returns, where its arguments are described.

    Attributes:
        live: its alias, which callers start.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        entry: str | Path | None,
        execution_timeout: Duration,
        options: dict[str, Any],
    ) -> None:
        values: dict[str, Any] = {
            "runtime": RUNTIMES[0],
            "architecture": lambda_.Architecture.ARM_64,
            "memory_size": 512,
            "timeout": Duration.minutes(1),
            "durable_config": lambda_.DurableConfig(execution_timeout=execution_timeout),
            # Executions stay on the version that they started on.
            "current_version_options": lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
            **options,
        }
        if "code" not in values:
            values["code"] = _code(construct_id, entry)
        super().__init__(scope, construct_id, handler=handler, **values)
        self.live = lambda_.Alias(
            self,
            "Live",
            alias_name=ALIAS,
            version=self.current_version,
            # What has failed may already have asked people: never ask them again.
            retry_attempts=0,
            max_event_age=Duration.hours(6),
        )


def _code(construct_id: str, entry: str | Path | None) -> lambda_.Code:
    if entry is None or not Path(entry).is_dir():
        msg = (
            f"entry of {construct_id} must be the folder of its code, got {shown(entry)}: use "
            f'Path(__file__).parent / "refund", say, or pass code='
        )
        raise ValueError(msg)
    return lambda_.Code.from_asset(str(entry), exclude=_NOT_CODE)
