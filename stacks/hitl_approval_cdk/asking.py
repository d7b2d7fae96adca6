"""How a deployment asks: its times, its approvers and its rules, checked, as an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from aws_cdk import Duration, Stack, Tokenization
from aws_cdk import aws_lambda as lambda_

from hitl_approval.contract import EXECUTION_MARGIN_SECONDS, Env, ResumeMode
from hitl_approval.domain.policy import Policy
from hitl_approval_cdk import validation


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What every function that asks must know of its deployment; durations may be tokens."""

    approval_timeout: Duration
    longest: int | None
    """Longest time to decide that a request may ask for, in seconds; None if a token decides."""
    durable_config: lambda_.DurableConfig
    policy: Policy
    approvers: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    resume: ResumeMode
    poll_interval: Duration
    retention: Duration

    @classmethod
    def settle(
        cls,
        *,
        approval_timeout: Duration | None,
        execution_timeout: Duration | None,
        execution_retention: Duration | None,
        resume: ResumeMode,
        poll_interval: Duration | None,
        retention: Duration | None,
        policy: Policy,
        approvers: Sequence[str] | None,
        groups: Mapping[str, Sequence[str]] | None,
    ) -> Self:
        """Fill in the defaults, which `HitlApproval` describes.

        Raises:
            ValueError: a value that cannot work, or two that cannot work together.
        """
        approval_timeout = approval_timeout or Duration.hours(1)
        execution_retention = execution_retention or Duration.days(14)
        poll_interval = poll_interval or Duration.seconds(5)
        retention = retention or Duration.days(30)

        validation.resume_mode(resume)
        approval_seconds = validation.approval_seconds(approval_timeout)
        execution_timeout = execution_timeout or validation.default_execution_timeout(
            approval_seconds
        )
        execution_seconds = validation.execution_seconds(execution_timeout, approval_seconds)
        longest = (
            None if execution_seconds is None else execution_seconds - EXECUTION_MARGIN_SECONDS
        )
        validation.poll_seconds(poll_interval, longest=longest, resume=resume)
        validation.days(
            "retention",
            retention,
            maximum=validation.MAX_RETENTION_DAYS,
            why="use Duration.days(3650), say",
        )
        validation.days(
            "execution_retention",
            execution_retention,
            maximum=validation.MAX_EXECUTION_RETENTION_DAYS,
            why="Lambda keeps no longer",
        )
        members = validation.groups(groups or {})
        names = validation.approvers(approvers, policy, members)
        validation.environment(names, members)
        return cls(
            approval_timeout=approval_timeout,
            longest=longest,
            durable_config=lambda_.DurableConfig(
                execution_timeout=execution_timeout, retention_period=execution_retention
            ),
            policy=policy,
            approvers=names,
            groups=members,
            resume=resume,
            poll_interval=poll_interval,
            retention=retention,
        )

    def environment(self, stack: Stack) -> dict[str, str]:
        """The same as the functions read it."""
        timeout = self.approval_timeout.to_seconds()
        return {
            Env.APPROVAL_TIMEOUT_SECONDS: _text(timeout),
            Env.MAX_APPROVAL_TIMEOUT_SECONDS: _text(
                timeout if self.longest is None else self.longest
            ),
            Env.APPROVAL_POLICY: stack.to_json_string(self.policy.to_dict()),
            Env.DEFAULT_APPROVERS: stack.to_json_string(list(self.approvers)),
            Env.APPROVER_GROUPS: stack.to_json_string(self.groups),
            Env.RESUME_MODE: self.resume,
            Env.POLL_INTERVAL_SECONDS: _text(self.poll_interval.to_seconds()),
            Env.RETENTION_DAYS: _text(self.retention.to_days()),
        }


def _text(number: float) -> str:
    """A number as the environment holds it, tokens included."""
    return Tokenization.stringify_number(number)
