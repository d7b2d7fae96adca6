"""People who are signed in at a user pool of the local cloud, as Cognito's own page keeps them.

In AWS a browser that has signed in at a user pool's page has a cookie of that page, and is not
asked again. Here a link that opens once gives a browser such a cookie. What an app does from there
on is the same: it leads to the pool, gets a code and redeems it.
"""

from __future__ import annotations

import json
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from hitl_approval_cli.local.process import PEOPLE_PATH

COOKIE = "hitl-local-person"
_FORM = 200


class People:
    """Who may come without a password, and who has."""

    def __init__(self) -> None:
        """Nobody."""
        self._invited: dict[str, tuple[str, str, str]] = {}
        self._present: dict[str, tuple[str, str]] = {}
        self._at_the_pools = False

    def invite(self, pool: str, name: str, leads_to: str) -> str:
        """The path of a link that opens once, signs somebody in at a user pool and leads on."""
        if not self._at_the_pools:
            self._keep_at_the_pools()
            self._at_the_pools = True
        ticket = secrets.token_urlsafe(32)
        self._invited[ticket] = (pool, name, leads_to)
        return f"{PEOPLE_PATH}/{ticket}"

    async def answer(self, scope: Any, send: Any) -> None:
        """Answer a request below `PEOPLE_PATH`: invite, with the cloud's key, or come."""
        if scope["method"] == "POST":
            query = parse_qs(scope["query_string"].decode("latin-1"))
            asked = [query.get(name, [""])[0] for name in ("pool", "name", "leads_to")]
            body = json.dumps({"path": self.invite(asked[0], asked[1], asked[2])}).encode()
            await _send(send, 200, body, (b"content-type", b"application/json"))
            return
        invited = self._invited.pop(scope["path"].rpartition("/")[2], None)
        if invited is None:
            await _send(send, 404, b"This link opens once: run `hitl local inbox` again.")
            return
        pool, name, leads_to = invited
        session = secrets.token_urlsafe(32)
        self._present[session] = (pool, name)
        cookie = f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax".encode()
        await _send(send, 303, b"", (b"location", leads_to.encode()), (b"set-cookie", cookie))

    def _keep_at_the_pools(self) -> None:
        """Let the user pools' pages know who is signed in there."""
        from ministack.services import cognito

        form, leave = cognito.handle_oauth2_authorize, cognito.handle_logout

        def authorize(method: str, path: str, headers: Any, query: Any) -> Any:
            answer = form(method, path, headers, query)
            asked = {name: cognito._qp(query, name) for name in (*_ASKED, "prompt")}
            pool, _, _ = cognito._find_pool_by_client_id(asked["client_id"])
            name = self._name_of(headers, pool)
            if answer[0] != _FORM or name is None or asked.pop("prompt") == "login":
                return answer
            return cognito._issue_auth_code_redirect(pool_id=pool, username=name, **asked)

        def logout(method: str, path: str, headers: Any, query: Any) -> Any:
            self._present.pop(_cookie(headers), None)
            return leave(method, path, headers, query)

        cognito.handle_oauth2_authorize, cognito.handle_logout = authorize, logout

    def _name_of(self, headers: Any, pool: str | None) -> str | None:
        """The name in the pool of who has this browser; None: the page asks."""
        from ministack.services import cognito

        at, name = self._present.get(_cookie(headers), (None, ""))
        if at is None or at != pool:
            return None
        users = cognito._get_pool_unscoped(pool)["_users"].items()
        return next(
            (
                key
                for key, user in users
                for attribute in user.get("Attributes", [])
                if (attribute["Name"], attribute["Value"]) == ("email", name)
            ),
            None,
        )


_ASKED = (
    "client_id",
    "redirect_uri",
    "scope",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "state",
)


def _cookie(headers: Any) -> str:
    sent = next((value for name, value in headers.items() if name.lower() == "cookie"), "")
    try:
        found = SimpleCookie(sent).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


async def _send(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    every = [(b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})
