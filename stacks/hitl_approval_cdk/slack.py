"""`Slack`: the workspace where people are asked and decide, with the rule of each of its fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from hitl_approval.contract import SLACK_API
from hitl_approval_cdk.rules import check_secret, is_a
from hitl_approval_cdk.tokens import shown

_TEAM: Final = re.compile(r"T[A-Z0-9]{2,20}")
_CHANNEL: Final = re.compile(r"[CG][A-Z0-9]{2,20}")
_URL: Final = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?(/[^\s/?#]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A Slack workspace: approvers are asked there, and decide with a click and a comment.

    Raises:
        ValueError: a value that cannot work.

    Attributes:
        secret: a secret whose value is a JSON object with the fields `bot_token` and
            `signing_secret` of your Slack app; `hitl slack-manifest` makes the app.
        team_id: id of the workspace, `"T0123ABCD"` say; people of others count for nobody.
        channel: id of a channel, `"C0123ABCD"` say, where each request is posted once; the app
            must be a member of it. Default: none.
        direct_messages: whether each approver whose name is an address is asked in a message of
            their own. Default: True.
        api: where Slack's Web API is. Default: `https://slack.com/api`.
    """

    secret: secretsmanager.ISecret
    team_id: str
    channel: str | None = None
    direct_messages: bool = True
    api: str = SLACK_API

    def __post_init__(self) -> None:
        check_secret("slack.secret", self.secret)
        _check("team_id", self.team_id, _TEAM, "T0123ABCD")
        if self.channel is not None:
            _check("channel", self.channel, _CHANNEL, "C0123ABCD, which is its id and not its name")
        is_a("slack.direct_messages", self.direct_messages, bool, "use True or False")
        _check("api", self.api, _URL, SLACK_API)
        if self.channel is None and not self.direct_messages:
            msg = "slack asks nobody: name a channel, or leave direct_messages at True"
            raise ValueError(msg)


def _check(field: str, value: Any, pattern: re.Pattern[str], example: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        msg = f"slack.{field} must be like {example}, got {shown(value)}"
        raise ValueError(msg)


def as_variable(stack: Stack, slack: Slack) -> str:
    """What functions must know of it, as `settings.SlackSettings` reads it."""
    return stack.to_json_string(
        {
            "team_id": slack.team_id,
            "channel": slack.channel,
            "direct_messages": slack.direct_messages,
            "api": slack.api,
            "secret_arn": slack.secret.secret_arn,
        }
    )
