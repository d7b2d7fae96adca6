"""Somebody who has signed in, and what binds the forms that they are shown to their sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.link import form_nonce
from hitl_approval.domain.text import spelling

REFERRER: Final = "same-origin"
"""Of the pages of signed-in people: no secret is in their addresses, and a browser must say that
our own page has sent a form."""
_SIGN_OUT = "sign-out"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has signed in.

    Attributes:
        actor: who it is.
        secret: binds forms: random and of this sign-in alone, or the person's name where an
            authorizer of API Gateway signs in, which knows no sessions.
        by_browser: whether they have signed in here with a browser, and can sign out here.
    """

    actor: Actor
    secret: str
    by_browser: bool = True

    @classmethod
    def by_authorizer(cls, actor: Actor) -> Self:
        """Whom an authorizer of API Gateway has signed in."""
        return cls(actor, spelling(actor.name), by_browser=False)

    def nonce(self, about: str) -> str:
        """What a form sends back to show that it was shown to this visitor, about this."""
        return form_nonce(self.secret, about)

    @property
    def sign_out_nonce(self) -> str:
        """Of the form that signs out; empty where signing out is another's affair."""
        return self.nonce(_SIGN_OUT) if self.by_browser else ""
