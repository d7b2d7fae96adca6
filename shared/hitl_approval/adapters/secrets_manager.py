"""A secret that an administrator keeps in Secrets Manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hitl_approval.adapters.aws import CALL_ERRORS, unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """A secret, read each time it is needed, so that one that was rotated counts at once.

    Attributes:
        client: a Secrets Manager client.
        arn: of the secret.
    """

    client: Any
    arn: str

    def read(self) -> str:
        """Its value: text.

        Raises:
            Unavailable: Secrets Manager did not answer with one.
        """
        try:
            answer = self.client.get_secret_value(SecretId=self.arn)
        except CALL_ERRORS as error:
            raise unavailable("Secrets Manager", error) from None
        return str(answer["SecretString"])
