"""The functions' environment as one frozen value, read on first use and never at import."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Self, cast

from hitl_approval.contract import Env, ResumeMode
from hitl_approval.domain.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment says to its functions. Names without a value fail on use, by name."""

    values: Mapping[str, str]

    @classmethod
    def from_environment(cls) -> Self:
        """The environment of this process."""
        return cls(values=dict(os.environ))

    @property
    def approvals_table_name(self) -> str:
        """Name of the approvals table."""
        return self._required(Env.APPROVALS_TABLE_NAME)

    @property
    def audit_table_name(self) -> str:
        """Name of the audit table."""
        return self._required(Env.AUDIT_TABLE_NAME)

    @property
    def topic_arn(self) -> str:
        """ARN of the topic that tells the approvers."""
        return self._required(Env.SNS_TOPIC_ARN)

    @property
    def approval_timeout(self) -> timedelta:
        """Default time to decide."""
        return timedelta(seconds=int(self._required(Env.APPROVAL_TIMEOUT_SECONDS)))

    @property
    def max_approval_timeout(self) -> timedelta:
        """Longest time to decide that the execution timeout can hold."""
        return timedelta(seconds=int(self._required(Env.MAX_APPROVAL_TIMEOUT_SECONDS)))

    @property
    def policy(self) -> Policy:
        """Default policy."""
        return Policy.from_dict(self._json(Env.APPROVAL_POLICY))

    @property
    def default_approvers(self) -> tuple[str, ...]:
        """Approvers of requests that name none."""
        return tuple(self._json(Env.DEFAULT_APPROVERS))

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The people that each group's name stands for."""
        groups = self._json(Env.APPROVER_GROUPS)
        return {name: tuple(members) for name, members in groups.items()}

    @property
    def resume(self) -> ResumeMode:
        """How a waiting workflow learns of a decision."""
        mode = self._required(Env.RESUME_MODE)
        if mode not in {"callback", "polling"}:
            msg = f"{Env.RESUME_MODE} must be callback or polling, got {mode!r}"
            raise RuntimeError(msg)
        return cast(ResumeMode, mode)

    @property
    def poll_interval(self) -> timedelta:
        """Shortest time between two looks in polling mode."""
        return timedelta(seconds=int(self._required(Env.POLL_INTERVAL_SECONDS)))

    @property
    def retention(self) -> timedelta:
        """How long a row stays after its expiry."""
        return timedelta(days=int(self._required(Env.RETENTION_DAYS)))

    @property
    def event_bus_name(self) -> str:
        """Name or ARN of the bus that is told of every transition."""
        return self._required(Env.EVENT_BUS_NAME)

    @property
    def trust_authorizer(self) -> bool:
        """Whether the function is reached only through an authorizer, which can be believed."""
        return self.values.get(Env.TRUST_AUTHORIZER) == "true"

    @property
    def log_level(self) -> str:
        """Level of our own log lines."""
        return self.values.get(Env.LOG_LEVEL, "INFO")

    def _required(self, name: str) -> str:
        value = self.values.get(name)
        if not value:
            msg = f"environment variable {name} is not set: HitlApproval sets it on its functions"
            raise RuntimeError(msg)
        return value

    def _json(self, name: str) -> Any:
        return json.loads(self._required(name))


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings.from_environment()
