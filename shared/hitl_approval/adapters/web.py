"""Calls of other companies' HTTPS APIs: one try each, and their errors as ours."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Final

from hitl_approval.domain.errors import Unanswered, Unavailable

TIMEOUT: Final = 6.0
"""Seconds that a server has to answer: less than the messenger keeps for one message."""
MAX_ANSWER: Final = 1_000_000
"""Bytes of an answer that are read: the ones that we ask for have some thousand."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What we send goes where the deployment says, and nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def post(service: str, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Send a body once.

    Args:
        service: what errors call the other side.
        url: where to.
        body: what is sent.
        headers: what is said of it.

    Returns:
        What the server answers with a status of 2xx.

    Raises:
        Unavailable: the server has refused it.
        Unanswered: nobody knows whether it has taken it.
    """
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310  the deployment's own, https by the option's rule
    try:
        with _OPENER.open(request, timeout=TIMEOUT) as answer:
            return bytes(answer.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        error.close()
        kind = Unanswered if error.code >= 500 else Unavailable  # noqa: PLR2004  HTTP
        said = f"{service} did not take the call now: try again"
        raise kind(said, reason=f"{service} answered {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        said = f"{service} did not answer: try again"
        raise Unanswered(said, reason=f"{service}: {_cause(error)}") from None


def _cause(error: Exception) -> str:
    """The kind of an error and nothing of its text, which may hold the address."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__
