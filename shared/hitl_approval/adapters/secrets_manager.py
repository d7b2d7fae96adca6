"""Secrets that an administrator keeps in AWS Secrets Manager."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hitl_approval.adapters.aws import CALL_ERRORS, unavailable
from hitl_approval.domain.errors import Unavailable
from hitl_approval.ports.outside import Clock

KEPT: Final = timedelta(minutes=5)
"""How long a secret is used before it is read again: after a rotation both must work so long."""


@dataclass(slots=True, kw_only=True)
class SecretsManagerSecret:
    """The fields of one secret, which is a JSON object of texts.

    Attributes:
        client: a Secrets Manager client.
        arn: of the secret.
        clock: says when it is read again.
    """

    client: Any
    arn: str
    clock: Clock
    _read: tuple[datetime, dict[str, str]] | None = field(default=None, init=False, repr=False)

    def get(self, name: str) -> str:
        """One of its fields.

        Raises:
            Unavailable: it cannot be read now, or has no such field: an operator can repair that.
        """
        now = self.clock.now()
        if self._read is None or now - self._read[0] > KEPT:
            self._read = (now, self._load())
        found = self._read[1].get(name)
        if not found or not found.strip():  # an empty key would be known to everybody
            self._read = None
            msg = f"the secret has no field {name}"
            raise Unavailable(msg, reason=msg)
        return found

    def _load(self) -> dict[str, str]:
        try:
            text = self.client.get_secret_value(SecretId=self.arn).get("SecretString", "")
        except CALL_ERRORS as error:
            raise unavailable("Secrets Manager", error) from error
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            msg = "the secret is not a JSON object"
            raise Unavailable(msg, reason=msg) from None
        return {name: value for name, value in values.items() if isinstance(value, str)}
