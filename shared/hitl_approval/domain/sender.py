"""Who a deployment's mails are from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from hitl_approval.domain.delivery import is_mail_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who a deployment's mails are from.

    Attributes:
        address: an e-mail address.
        name: shown before it.
        reply_to: where answers go to a mail about a request whose requester has no address.
            Default: to `address`.
        configuration_set: of SES, by which it says what became of mails. Default: none.
    """

    address: str
    name: str
    reply_to: str | None = None
    configuration_set: str | None = None

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The sender as a deployment writes it to its functions.

        Raises:
            ValueError: something else.
        """
        if not isinstance(values, Mapping) or not set(values) <= {f.name for f in fields(cls)}:
            msg = "must be an object with address and name"
            raise ValueError(msg)
        if not is_mail_address(str(values.get("address", ""))) or not values.get("name"):
            msg = "must have an e-mail address and a name"
            raise ValueError(msg)
        return cls(**values)

    @property
    def domain(self) -> str:
        """Where the identities of threads belong."""
        return self.address.partition("@")[2]
