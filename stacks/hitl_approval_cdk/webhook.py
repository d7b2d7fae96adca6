"""`Webhook`: an address of yours that is called for each request and for its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from hitl_approval.domain.delivery import Address
from hitl_approval_cdk.rules import check_secret
from hitl_approval_cdk.tokens import shown

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address of yours that is called for each request and for its end.

    Raises:
        ValueError: a value that cannot work.

    Attributes:
        name: as `hitl show` and the audit trail call it.
        secret: a secret whose value is a JSON object with the fields `url`, which begins with
            https://, and `signing_secret`, `whsec_` and base64 of at least 24 bytes.
    """

    name: str
    secret: secretsmanager.ISecret

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            msg = (
                f"webhook.name must be 1 to 32 letters, digits, - and _, got {shown(self.name)}: "
                f'use "teams", say'
            )
            raise ValueError(msg)
        check_secret(f"secret of the webhook {self.name}", self.secret)

    @property
    def reached_at(self) -> Address:
        """By which channel messages come."""
        return Address("webhook", self.name)


def webhooks(name: str, value: Any) -> tuple[Webhook, ...]:
    """Check which addresses are called: the rule of the option `webhooks`.

    Raises:
        ValueError: something else, or one name twice.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(each, Webhook) for each in value):
        use = 'use [Webhook(name="teams", secret=...)]'
        msg = f"{name} must be a list of Webhook, got {shown(value)}: {use}"
        raise ValueError(msg)
    names = [each.name for each in value]
    if len(set(names)) < len(names):
        msg = f"{name} must have a name of its own each, got {shown(names)}: rename one"
        raise ValueError(msg)
    return tuple(value)


def as_variable(stack: Stack, value: Sequence[Webhook]) -> str:
    """The secret's ARN of each, by its name."""
    return stack.to_json_string({each.name: each.secret.secret_arn for each in value})
