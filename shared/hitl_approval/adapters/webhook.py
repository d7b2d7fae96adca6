"""Webhooks of yours, called as Standard Webhooks has it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hitl_approval.adapters.secrets_manager import SecretsManagerSecret
from hitl_approval.adapters.web import post
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.webhook import delivery
from hitl_approval.ports.outside import Clock

URL: Final = "url"
SIGNING_SECRET: Final = "signing_secret"  # noqa: S105  a field's name
"""Fields of the secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNotifier:
    """Calls a webhook for each message to it.

    Attributes:
        secrets: of each webhook by its name, with the fields `url` and `signing_secret`.
        clock: says when it is called.
    """

    secrets: Mapping[str, SecretsManagerSecret]
    clock: Clock

    def publish(self, notification: Notification) -> str:
        """See `ports.Notifier.publish`."""
        secret = self.secrets[notification.address]
        url, now = secret.get(URL), self.clock.now()
        if not url.startswith("https://"):
            msg = "the webhook's url must begin with https://"
            raise Unavailable(msg, reason=msg)
        call = delivery(
            notification.approval,
            kind=notification.kind,
            message_id=_id(notification),
            at=now,
            page=notification.entry,
            comment=notification.comment,
        )
        try:
            headers = call.headers(secret.get(SIGNING_SECRET), now)
        except ValueError as error:
            raise Unavailable(str(error), reason=str(error)) from None
        post("the webhook", url, call.body, headers)
        return ""


def _id(notification: Notification) -> str:
    """The id of a message: of its approval and its own key, the same at each try."""
    said = f"{notification.approval_id}\n{notification.key}".encode()
    return f"msg_{hashlib.sha256(said).hexdigest()[:32]}"
