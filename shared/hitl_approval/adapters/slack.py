"""Slack: people by their addresses, messages, and dialogs, by its Web API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from hitl_approval.adapters.secrets_manager import SecretsManagerSecret
from hitl_approval.adapters.web import post
from hitl_approval.domain.errors import Unavailable, Undeliverable
from hitl_approval.domain.message import ASKING
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.slack import SlackMessage, asking, ended, in_thread, released
from hitl_approval.domain.thread import Comment

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
            Undeliverable: nobody has.
            Unavailable: Slack does not say now.
        """
        return str(self._call("users.lookupByEmail", email=address)["user"]["id"])

    def post_message(self, channel: str, message: SlackMessage, *, below: str = "") -> str:
        """Post to a channel or a person.

        Args:
            channel: where.
            message: what.
            below: what this has returned for a message of that channel, which it answers.
                Default: it answers none.

        Returns:
            What `update_message` takes to find it again.

        Raises:
            Unavailable: not posted now; may be tried again.
            Unanswered: the same, and it may have been posted.
        """
        replies = {"thread_ts": below.partition(" ")[2]} if below else {}
        answer = self._call("chat.postMessage", channel=channel, **replies, **_content(message))
        return f"{answer['channel']} {answer['ts']}"

    def update_message(self, receipt: str, message: SlackMessage) -> None:
        """Put another in the place of a message. Idempotent.

        Args:
            receipt: what `post_message` has returned.
            message: the other one.

        Raises:
            Undeliverable: it is not there any more, or can never be changed.
            Unavailable: not now; may be tried again.
        """
        channel, _, ts = receipt.partition(" ")
        self._call("chat.update", channel=channel, ts=ts, **_content(message))

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
            if code in _NEVER:
                raise Undeliverable(_NEVER[code])
            raise Unavailable("Slack did not take the call now: try again", reason=reason)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackNotifier:
    """Asks people and channels, and puts the end of a request in the place of what asked.

    Attributes:
        workspace: where they are.
    """

    workspace: SlackWorkspace

    def publish(self, notification: Notification) -> str:
        """See `ports.Notifier.publish`; the receipt is where the message stands."""
        approval, kind = notification.approval, notification.kind
        if kind in ASKING:
            page = notification.link or notification.entry
            who, stack = notification.recipient, notification.stack
            message = asking(approval, page=page, stack=stack, kind=kind, recipient=who)
            return self._post(notification, message)
        if notification.comment is not None:
            return self._say(notification, notification.comment)
        message = (
            released(approval)
            if kind == "released"
            else ended(approval, to_requester=notification.to_requester)
        )
        if notification.to_requester:
            return self._post(notification, message)
        for receipt in notification.receipts:
            self.workspace.update_message(receipt, message)
        return ""

    def _say(self, notification: Notification, comment: Comment) -> str:
        """Below the newest message about the request, if there is one.

        Only what asks the requester gives a receipt: the end takes the place of what has one.
        """
        message = in_thread(
            notification.approval,
            comment,
            notification.thread,
            page=notification.link or notification.entry,
            to_requester=notification.to_requester,
        )
        if notification.receipts:
            newest = notification.receipts[-1]
            self.workspace.post_message(newest.partition(" ")[0], message, below=newest)
            return ""
        receipt = self._post(notification, message)
        return receipt if notification.to_requester else ""

    def _post(self, notification: Notification, message: SlackMessage) -> str:
        address = notification.address
        to = self.workspace.find_user(address) if "@" in address else address
        return self.workspace.post_message(to, message)


_NEVER: Final = {
    "users_not_found": "nobody in this Slack workspace has this address",
    "message_not_found": "the message in Slack has been deleted",
    "cant_update_message": "the message in Slack cannot be changed",
    "edit_window_closed": "the message in Slack cannot be changed any more",
}
"""Codes after which no try of the same call will succeed -> why, in words."""


def _content(message: SlackMessage) -> dict[str, str]:
    return {
        "text": message.text,
        "blocks": json.dumps(message.blocks),
        "parse": "none",
        "link_names": "false",
        "unfurl_links": "false",
        "unfurl_media": "false",
    }
