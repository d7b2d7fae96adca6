"""Slack: people by their addresses, messages, and dialogs, by its Web API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from hitl_approval.adapters.secrets_manager import SecretsManagerSecret
from hitl_approval.adapters.web import post
from hitl_approval.domain.errors import Unavailable

BOT_TOKEN: Final = "bot_token"  # noqa: S105  a field's name
SIGNING_SECRET: Final = "signing_secret"  # noqa: S105  a field's name
"""Fields of the secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackWorkspace:
    """One workspace, as the app's bot sees it.

    Attributes:
        team_id: of the workspace; people of others count for nobody.
        secret: with the fields `bot_token` and `signing_secret`.
        api: where the Web API is.
    """

    team_id: str
    secret: SecretsManagerSecret
    api: str

    def signing_secret(self) -> str:
        """See `http.slack.Workspace.signing_secret`."""
        return self.secret.get(SIGNING_SECRET)

    def address_of(self, user_id: str) -> str | None:
        """See `http.slack.Workspace.address_of`."""
        user = self._call("users.info", user=user_id)["user"]
        known = (
            user.get("team_id") == self.team_id
            and user.get("is_email_confirmed") is True
            and not (user.get("deleted") or user.get("is_bot") or user.get("is_stranger"))
        )
        address = user.get("profile", {}).get("email")
        return address if known and isinstance(address, str) else None

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """See `http.slack.Workspace.open_view`."""
        self._call("views.open", trigger_id=trigger_id, view=json.dumps(view))

    def find_user(self, address: str) -> str:
        """The id of whoever has this address in the workspace.

        Raises:
            Unavailable: nobody has, or Slack does not say now.
        """
        return str(self._call("users.lookupByEmail", email=address)["user"]["id"])

    def post_message(self, channel: str, text: str, blocks: list[dict[str, Any]]) -> str:
        """Post to a channel or a person.

        Returns:
            What `update_message` takes to find it again.

        Raises:
            Unavailable: not posted now; may be tried again.
            Unanswered: the same, and it may have been posted.
        """
        answer = self._call("chat.postMessage", channel=channel, **_content(text, blocks))
        return f"{answer['channel']} {answer['ts']}"

    def update_message(self, receipt: str, text: str, blocks: list[dict[str, Any]]) -> None:
        """Put other content in the place of a message. Idempotent.

        Args:
            receipt: what `post_message` has returned.
            text: as for that.
            blocks: as for that.

        Raises:
            Unavailable: not now; may be tried again.
        """
        channel, _, ts = receipt.partition(" ")
        self._call("chat.update", channel=channel, ts=ts, **_content(text, blocks))

    def _call(self, method: str, **arguments: str) -> dict[str, Any]:
        """Call a method; every one of them takes a form, only some take JSON."""
        answer = post(
            "Slack",
            f"{self.api}/{method}",
            urlencode(arguments).encode(),
            {
                "Authorization": f"Bearer {self.secret.get(BOT_TOKEN)}",
                "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            },
        )
        try:
            said = json.loads(answer)
        except ValueError:
            said = None
        if not isinstance(said, dict) or said.get("ok") is not True:
            code = said.get("error") if isinstance(said, dict) else "no JSON"
            reason = f"{method}: {code}"
            raise Unavailable("Slack did not take the call now: try again", reason=reason)
        return said


def _content(text: str, blocks: list[dict[str, Any]]) -> dict[str, str]:
    return {
        "text": text,
        "blocks": json.dumps(blocks),
        "parse": "none",
        "link_names": "false",
        "unfurl_links": "false",
        "unfurl_media": "false",
    }
