"""What a deployment says to its functions of Slack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """The Slack workspace where people are asked.

    Attributes:
        team_id: of the workspace.
        channel: where each request is posted once; None for nowhere.
        direct_messages: whether each approver is asked in a message of their own.
        api: where Slack's Web API is.
        secret_arn: of the app's token and signing secret.
    """

    team_id: str
    channel: str | None
    direct_messages: bool
    api: str
    secret_arn: str
