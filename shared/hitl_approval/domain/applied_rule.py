"""What a record keeps of the rules that it was asked under, and who acts where a rule decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.text import RULE_PREFIX

End = Literal["approved", "rejected"]
"""How a rule ends a request without asking anybody."""


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """What a record keeps of its deployment's rules.

    Attributes:
        digest: of all the rules.
        id: of the rule that matched; None where none did.
        end: how that rule ends the request; None where people decide.
    """

    digest: str
    id: str | None = None
    end: End | None = None

    @property
    def actor(self) -> Actor:
        """Who acts where the rule decides: a name that no person can have."""
        return Actor(f"{RULE_PREFIX}{self.id}", "rule")

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without what is not set."""
        values = {"digest": self.digest, "id": self.id, "end": self.end}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            ValueError: it is something else.
        """
        fits = (
            isinstance(values, Mapping)
            and isinstance(values.get("digest"), str)
            and isinstance(values.get("id"), str | None)
            and values.get("end") in (None, *get_args(End))
        )
        if not fits or (values.get("end") and not values.get("id")):
            msg = "rule is none that this version writes"
            raise ValueError(msg)
        return cls(values["digest"], values.get("id"), values.get("end"))
