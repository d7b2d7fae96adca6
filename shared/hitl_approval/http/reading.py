"""How much of a request somebody was shown: a form approves only after the last part was served.

The server keeps nothing. Each part's link to the next brings a key that only this part shows, and
the form of the last one a nonce that only it has; both are bound to the link or the person, and to
the content.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from hitl_approval.domain.approval import Decision
from hitl_approval.domain.link import form_nonce, is_nonce
from hitl_approval.http.errors import NotShown
from hitl_approval.http.html import RefusedError

_OLD = "This form has grown old: please open the request again"


@dataclass(frozen=True, slots=True)
class Reading:
    """One person's reading of one request.

    Attributes:
        secret: what tells it from another's: the link's token, say.
        content_digest: of what is shown.
    """

    secret: str
    content_digest: str

    def nonce(self, *, whole: bool) -> str:
        """What a form sends back: of the last part, or of one before it."""
        if whole:
            return form_nonce(self.secret, self.content_digest)
        return self._made("in part")

    def nonce_of(self, act: str) -> str:
        """What a form sends back that does something else than decide."""
        return self._made(f"act {act}")

    def check_nonce(self, wanted: str, given: str) -> None:
        """Whether a form was sent that this reading has brought.

        Raises:
            RefusedError: it is none of this reading, or there is none.
        """
        if not wanted or not is_nonce(given, wanted):
            raise RefusedError(403, _OLD)

    def query(self, part: int) -> str:
        """The address of a part, from 1, as the part before it has it."""
        return urlencode({"part": part, "key": self._made(f"part {part}")})

    def part_of(self, query: Mapping[str, str] | None, parts: int) -> int:
        """Which part is shown: the one asked for, if all before it were; else the first."""
        asked = (query or {}).get("part", "")
        for part in range(2, parts + 1):
            if asked == str(part):
                key = (query or {}).get("key", "")
                return part if is_nonce(key, self._made(f"part {part}")) else 1
        return 1

    def check(self, form: Mapping[str, str]) -> bool:
        """Whether a form was sent that a part of this reading has brought, and the last one.

        Raises:
            RefusedError: it is none of this reading.
        """
        given = form.get("nonce", "")
        whole = is_nonce(given, self.nonce(whole=True))
        if not whole and not is_nonce(given, self.nonce(whole=False)):
            raise RefusedError(403, _OLD)
        return whole

    @property
    def comment_nonce(self) -> str:
        """What the forms of questions and answers send back: it decides nothing."""
        return self._made("comment")

    def check_comment(self, form: Mapping[str, str]) -> None:
        """Whether a form of a question or an answer is one that this reading has brought.

        Raises:
            RefusedError: it is none.
        """
        if not is_nonce(form.get("say_nonce", ""), self.comment_nonce):
            raise RefusedError(403, _OLD)

    def _made(self, purpose: str) -> str:
        message = f"{purpose}:{self.content_digest}".encode()
        return hmac.new(self.secret.encode(), message, "sha256").hexdigest()


def check_shown(decision: Decision, *, whole: bool) -> None:
    """Whether what was shown is enough for this decision: to reject, a part of it is.

    Raises:
        NotShown: it approves what was not shown.
    """
    if decision == "approved" and not whole:
        raise NotShown
