"""Signing in with a browser: OpenID Connect's authorization code with PKCE, and our own cookies.

A sign-in is begun and ended in one browser: what it was begun with is in a sealed cookie there,
named after the sign-in, and gone with its end. Then another sealed cookie says who it is.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from hitl_approval.domain import id_token
from hitl_approval.domain.errors import Unauthenticated, Unavailable
from hitl_approval.domain.link import is_nonce
from hitl_approval.domain.organization import Organization
from hitl_approval.http import html
from hitl_approval.http.identity import BY_EMAIL, SignIn, bearer
from hitl_approval.http.seal import Mac, cookie, cookies_of, no_cookie, seal, unseal
from hitl_approval.http.visitor import REFERRER, Visitor
from hitl_approval.ports.outside import Secrets
from hitl_approval.routes import Route

logger = logging.getLogger(__name__)

SESSION = timedelta(hours=8)
"""How long a browser stays signed in: a working day."""
TIME_TO_SIGN_IN = timedelta(minutes=10)
"""From the beginning of a sign-in to its end: time to find one's telephone."""
AT_ONCE = 5
"""Sign-ins that a browser may have begun and not ended; one more forgets the others, since
browsers and API Gateway take only so many bytes of cookies."""

_SESSION_COOKIE = "__Host-hitl-session"
_BEGUN_COOKIE = "__Host-hitl-sign-in-"
_SCOPE = "openid email profile"
_OWN_PATH = re.compile(r"/inbox(\?[!-~]{0,1000})?|/approvals/[A-Za-z0-9_-]{1,64}")


class Endpoints(Protocol):
    """Where an issuer sends browsers."""

    @property
    def authorization(self) -> str:
        """Where a browser signs in."""

    @property
    def end_session(self) -> str | None:
        """Where a browser signs out; None where there is no such place."""


class Issuer(Protocol):
    """An OpenID Connect issuer, of which we are a client."""

    issuer: str
    client_id: str

    def endpoints(self) -> Endpoints:
        """Where it sends browsers."""

    def keys(self, *, again: bool = False) -> Sequence[Mapping[str, Any]]:
        """Its public keys, read again if it may have new ones."""

    def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> str | None:
        """The ID token for a code; None if the issuer does not take the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSignIn:
    """Signs browsers in and out.

    Attributes:
        issuer: by whom people sign in.
        mac: seals cookies.
        secrets: draws what nobody may guess.
        page_url: where the pages are reached, without a slash at its end.
        by: how this deployment knows who it is.
        max_age: how old a sign-in may be that decides. Default: of any age.
        organization: whose pages they are. Default: of none that has a name.
    """

    issuer: Issuer
    mac: Mac
    secrets: Secrets
    page_url: str
    by: SignIn = BY_EMAIL
    max_age: timedelta | None = None
    organization: Organization | None = None

    def visitor(self, event: Mapping[str, Any], now: datetime) -> Visitor | None:
        """Who has signed in with this browser; None: nobody, or not for longer than `SESSION`."""
        sealed = cookies_of(event).get(_SESSION_COOKIE)
        found = sealed and unseal(self.mac, "session", sealed, now=now)
        if not found:
            return None
        claims = found["claims"]
        if (claims["iss"], found["client_id"]) != (self.issuer.issuer, self.issuer.client_id):
            return None  # the deployment has another issuer now
        try:
            return Visitor(bearer(claims, self.by.claim), found["secret"])
        except Unauthenticated:  # it names people by another claim now
            return None

    def refuse(self, method: str, here: str) -> dict[str, Any]:
        """Lead a browser that nobody has signed in with to the sign-in, and back here after it."""
        if method in {"GET", "HEAD"}:
            return redirect(self._begin_url(here))
        return self._say(
            401,
            "Please sign in again",
            "Your sign-in has ended, and nothing was sent. What you have typed is on the page "
            "before this one: copy it before you sign in.",
            self._begin_url(here),
        )

    def ask_again(self, here: str) -> dict[str, Any]:
        """What is answered to a decision by a sign-in that is too old."""
        return self._say(
            401,
            "Please sign in again to decide",
            "Decisions here take a fresh sign-in. Nothing was decided yet.",
            self._begin_url(here, again=True),
        )

    def answer(
        self, method: str, path: str, event: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        """Answer a request of one of `routes.SIGN_IN_ROUTES`."""
        query = event.get("queryStringParameters") or {}
        if path == Route.SIGN_IN:
            return self._begin(query, event, now)
        if path == Route.CALLBACK:
            return self._end(query, event, now)
        visitor = self.visitor(event, now)
        if method == "POST":
            return self._sign_out(event, visitor)
        if visitor is None:
            return self._signed_out()
        return self._say(
            200, "Sign out?", f"You are signed in as {visitor.actor.name}.", visitor=visitor
        )

    def _begin(
        self, query: Mapping[str, str], event: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        state, nonce, verifier = (_text(self.secrets.draw()) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self.issuer.client_id,
            "redirect_uri": self._callback,
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if self.max_age is not None:
            asked["max_age"] = str(int(self.max_age.total_seconds()))
        if query.get("again"):
            asked["prompt"] = "login"
        begun = {"state": state, "nonce": nonce, "verifier": verifier, "next": _own(query)}
        until = now + TIME_TO_SIGN_IN
        sealed = seal(self.mac, "sign-in", begun, until=until)
        others = [name for name in cookies_of(event) if name.startswith(_BEGUN_COOKIE)]
        forgotten = [no_cookie(name) for name in others] if len(others) >= AT_ONCE else []
        return redirect(
            _with(self.issuer.endpoints().authorization, asked),
            *forgotten,
            cookie(_begun(state), sealed, TIME_TO_SIGN_IN),
        )

    def _end(
        self, query: Mapping[str, str], event: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        state = query.get("state", "")
        sealed = cookies_of(event).get(_begun(state), "")
        begun = unseal(self.mac, "sign-in", sealed, now=now)
        if begun is None or not is_nonce(state, begun["state"]):
            return self._say(
                403,
                "This sign-in was not begun in this browser",
                f"Or it was begun more than {html.in_words(TIME_TO_SIGN_IN)} ago, or has ended "
                "already, or the browser keeps no cookies.",
                self._begin_url(Route.INBOX),
            )
        done = no_cookie(_begun(state))
        try:
            claims = self._claims(query, begun, now)
            bearer(claims, self.by.claim)
        except Unauthenticated as error:
            return self._say(
                403,
                "Your sign-in does not say who you are",
                f"{str(error)[:1].upper()}{str(error)[1:]}.",
                self._begin_url(begun["next"], again=True),
                cookies=[done],
            )
        except id_token.TokenRefusedError as refused:
            logger.warning("a sign-in was refused: %s", refused)
            return self._say(
                403,
                "You were not signed in",
                "The sign-in was broken off, or did not end as it had begun.",
                self._begin_url(begun["next"]),
                cookies=[done],
            )
        kept = ("iss", self.by.claim, "email_verified", "auth_time", "token_use")
        session = {
            "claims": {name: claims[name] for name in kept if name in claims},
            "client_id": self.issuer.client_id,
            "secret": _text(self.secrets.draw()),
        }
        sealed = seal(self.mac, "session", session, until=now + SESSION)
        return redirect(
            self.page_url + begun["next"], done, cookie(_SESSION_COOKIE, sealed, SESSION)
        )

    def _claims(
        self, query: Mapping[str, str], begun: Mapping[str, str], now: datetime
    ) -> dict[str, Any]:
        """The claims of the token for the code that has come.

        Raises:
            TokenRefusedError: there is no code, or its token does not answer this sign-in.
        """
        code = query.get("code")
        if not code or query.get("iss", self.issuer.issuer) != self.issuer.issuer:
            raise id_token.TokenRefusedError("the issuer has sent no code")
        token = self.issuer.redeem(code, verifier=begun["verifier"], redirect_uri=self._callback)
        if token is None:
            raise id_token.TokenRefusedError("the issuer did not take the code")

        def verified(keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
            return id_token.verify(
                token,
                keys,
                issuer=self.issuer.issuer,
                client_id=self.issuer.client_id,
                nonce=begun["nonce"],
                now=now,
            )

        try:
            return verified(self.issuer.keys())
        except id_token.UnknownKeyError:
            return verified(self.issuer.keys(again=True))

    def _sign_out(self, event: Mapping[str, Any], visitor: Visitor | None) -> dict[str, Any]:
        form = html.form_of(event, page_url=self.page_url, origin_required=True)
        if visitor is None:
            return self._signed_out()
        if not is_nonce(form.get("nonce", ""), visitor.sign_out_nonce):
            raise html.RefusedError(403, "This form has grown old: please open the page again")
        return self._signed_out(leave=True)

    def _signed_out(self, *, leave: bool = False) -> dict[str, Any]:
        """You are signed out here; at the issuer, too, by a page of its own, if it has one."""
        end = self._end_session() if leave else None
        return self._say(
            200,
            "You are signed out",
            "Close the browser if others use it, too."
            if end is None
            else "Who uses this browser next could be signed in again without a password, until "
            "you have signed out there, too.",
            self._begin_url(Route.INBOX) if end is None else end,
            label="Sign in" if end is None else "Sign out there, too",
            cookies=[no_cookie(_SESSION_COOKIE)] if leave else [],
            refresh=end,
        )

    def _end_session(self) -> str | None:
        try:
            end = self.issuer.endpoints().end_session
        except Unavailable:  # signing out here must not depend on it
            return None
        if end is None:
            return None
        back = self.page_url + Route.SIGN_OUT
        host = urlsplit(self.issuer.issuer).hostname or ""
        name = "logout_uri" if host.startswith("cognito-idp.") else "post_logout_redirect_uri"
        return _with(end, {"client_id": self.issuer.client_id, name: back})

    @property
    def _callback(self) -> str:
        return self.page_url + Route.CALLBACK

    def _begin_url(self, path: str, *, again: bool = False) -> str:
        """The sign-in by the pages' own name, where its cookies are read again."""
        asked = {"next": path, **({"again": "1"} if again else {})}
        return _with(self.page_url + Route.SIGN_IN, asked)

    def _say(
        self,
        status: int,
        title: str,
        hint: str,
        link: str = "",
        *,
        label: str = "Sign in",
        visitor: Visitor | None = None,
        cookies: Sequence[str] = (),
        refresh: str | None = None,
    ) -> dict[str, Any]:
        answer = html.page(
            "sign_in.html",
            status,
            referrer=REFERRER,
            organization=self.organization,
            title=title,
            hint=hint,
            link=link,
            label=label,
            sign_out="" if visitor is None else visitor.sign_out_nonce,
        )
        if refresh is not None:
            answer["headers"] |= {"Refresh": f"0;url={refresh}"}
        return {**answer, "cookies": list(cookies)}


def own_path(value: Any) -> str:
    """A path of ours that a sign-in may lead to: the one that is asked for, or else the inbox."""
    return value if isinstance(value, str) and _OWN_PATH.fullmatch(value) else Route.INBOX


def redirect(address: str, *cookies: str) -> dict[str, Any]:
    """Lead a browser to another address, by GET."""
    return {
        "statusCode": 303,
        "headers": html.HEADERS | {"Location": address},
        "cookies": list(cookies),
        "body": "",
    }


def _own(query: Mapping[str, str]) -> str:
    return own_path(query.get("next"))


def _begun(state: str) -> str:
    """The name of a sign-in's cookie; of a state that is none of ours, too."""
    return _BEGUN_COOKIE + hashlib.sha256(state.encode()).hexdigest()[:16]


def _with(address: str, parameters: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"


def _text(secret: bytes) -> str:
    """Random bytes as PKCE takes them: 43 characters (RFC 7636, section 4.1)."""
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")
