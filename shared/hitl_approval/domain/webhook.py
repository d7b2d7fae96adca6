"""What a webhook of yours is sent, and its signature: Standard Webhooks, version 1."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hitl_approval.contract import MessageKind
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.edit import CHANGES, changes_view
from hitl_approval.domain.thread import Comment, comment_view
from hitl_approval.domain.view import sent_values, summary

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  of every secret, as the specification has it
MIN_SECRET: Final = 24
"""Bytes of a secret (Standard Webhooks, "Signature scheme": 24 to 64)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call of a webhook.

    Attributes:
        id: the same however often the message is sent: receivers drop repeats by it.
        body: JSON.
    """

    id: str
    body: bytes

    def headers(self, secret: str, at: datetime) -> dict[str, str]:
        """What is sent beside the body, with its signature.

        Args:
            secret: `whsec_` and base64 of at least 24 bytes.
            at: when it is sent.

        Raises:
            ValueError: that is no secret.
        """
        sent_at = str(int(at.timestamp()))
        signed = f"{self.id}.{sent_at}.".encode() + self.body
        digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": sent_at,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }


def key_of(secret: str) -> bytes:
    """The bytes of a secret.

    Raises:
        ValueError: it is none, or too short to be one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) < MIN_SECRET:
        msg = f"signing_secret must be {SECRET_PREFIX} and base64 of {MIN_SECRET} bytes or more"
        raise ValueError(msg)
    return key


def delivery(
    approval: Approval,
    *,
    kind: MessageKind,
    message_id: str,
    at: datetime,
    page: str | None,
    comment: Comment | None = None,
) -> Delivery:
    """What is sent about an approval; its context, in which secrets may be, is not.

    What approvers have changed is, but what is sensitive.

    Args:
        approval: the record.
        kind: what has happened.
        message_id: the same however often it is sent.
        at: when it is sent.
        page: where a person can see it who signs in; None where nobody can.
        comment: the question or the answer that this is about. Default: it is about none.
    """
    changed = {CHANGES: changes_view(approval.changes)} if approval.changes else {}
    said = {
        "type": f"approval.{kind}",
        "timestamp": isoformat(at),
        "data": {
            **summary(approval),
            **sent_values(changed, approval.sensitive),
            "page": page,
            **({"comment": comment_view(comment)} if comment else {}),
        },
    }
    return Delivery(message_id, json.dumps(said, ensure_ascii=False).encode())
