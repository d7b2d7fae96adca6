"""A browser that signs in to the function for signed-in people, with an issuer of the tests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from hitl_approval.adapters.issuer import Endpoints
from hitl_approval.adapters.system import SystemSecrets
from hitl_approval.http.identity import SignIn
from hitl_approval.http.sign_in import BrowserSignIn
from hitl_approval.http.signed_in import handle
from hitl_approval.testing import World
from tests.signing import CLIENT, ISSUER, claims_of, encoded, public_key, token

PUBLIC = "https://approve.example.com"
APPROVAL = "/approvals/{approval_id}"


@dataclass(frozen=True)
class LocalMac:
    """A key in this process."""

    key: bytes = b"this deployment's"

    def make(self, message: bytes) -> bytes:
        return hmac.digest(self.key, message, "sha256")

    def verify(self, message: bytes, mac: bytes) -> bool:
        return hmac.compare_digest(self.make(message), mac)


@dataclass
class FakeIssuer:
    """Redeems each code once, for the verifier whose challenge it was given with."""

    world: World
    issuer: str = ISSUER
    client_id: str = CLIENT
    published: list[dict[str, Any]] = field(default_factory=lambda: [public_key()])
    new_keys: list[dict[str, Any]] = field(default_factory=list)
    end_session: str | None = f"{ISSUER}/bye?a=b"
    codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    redeemed: list[str] = field(default_factory=list)

    def endpoints(self) -> Endpoints:
        return Endpoints(f"{ISSUER}/in?x=y", f"{ISSUER}/token", f"{ISSUER}/keys", self.end_session)

    def keys(self, *, again: bool = False) -> Sequence[Mapping[str, Any]]:
        if again:
            self.published += self.new_keys
        return list(self.published)

    def authorize(self, address: str, **how: Any) -> str:
        """Where a browser is sent that has signed in there; `how` changes the token's claims."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{ISSUER}/in?x=y&")
        assert (asked["client_id"], asked["response_type"]) == (self.client_id, "code")
        assert (asked["code_challenge_method"], asked["scope"].split()[0]) == ("S256", "openid")
        key, header = how.pop("key", "ours"), how.pop("header", {})
        claims = claims_of(self.world.clock.now(), **{"nonce": asked["nonce"], **how})
        code = f"code-{len(self.codes)}"
        made = token(claims, key=key, **header)
        self.codes[code] = (asked["code_challenge"], asked["redirect_uri"], made)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> str | None:
        challenge, redirect, made = self.codes.get(code, ("", "", ""))
        self.redeemed.append(code)
        given = encoded(hashlib.sha256(verifier.encode()).digest())
        if (challenge, redirect) != (given, redirect_uri):
            return None
        del self.codes[code]
        return made


@dataclass
class Browser:
    """Keeps cookies, and follows no redirect by itself."""

    world: World
    issuer: FakeIssuer
    mac: LocalMac = LocalMac()
    cookies: dict[str, str] = field(default_factory=dict)
    claim: str = "email"
    max_age: timedelta | None = None

    def open(
        self, address: str, method: str = "GET", form: Mapping[str, str] | None = None, **more: str
    ) -> Any:
        """The answer to a request of one of our addresses."""
        url = urlsplit(address.removeprefix(PUBLIC))
        path, _, rest = url.path.partition("/approvals/")
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "sec-fetch-site": "same-origin",
        }
        decisions = replace(self.world.decisions, sign_in_max_age=self.max_age)
        event = {
            "version": "2.0",
            "routeKey": f"{method} {APPROVAL if rest else path}",
            "requestContext": {"domainName": "api.example", "http": {"method": method}},
            "pathParameters": {"approval_id": rest} if rest else None,
            "rawQueryString": url.query,
            "queryStringParameters": dict(parse_qsl(url.query)) or None,
            "cookies": [f"{name}={value}" for name, value in self.cookies.items()],
            "headers": headers | {name.replace("_", "-"): value for name, value in more.items()},
            "body": urlencode(form) if form is not None else None,
        }
        answer = handle(
            event,
            lambda: decisions,
            sign_in=SignIn(self.claim),
            page_url=PUBLIC,
            browser=BrowserSignIn(
                issuer=self.issuer,
                mac=self.mac,
                secrets=SystemSecrets(),
                page_url=PUBLIC,
                by=SignIn(self.claim),
                max_age=self.max_age,
            ),
        )
        assert answer["headers"]["Cache-Control"] == "no-store"
        for each in answer.get("cookies", ()):
            assert each.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
            assert each.startswith("__Host-")
            name, _, value = each.partition(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return answer

    def led(self, answer: Any) -> str:
        """Where a browser is led."""
        assert answer["statusCode"] == 303, answer["body"]
        return str(answer["headers"]["Location"])

    def begin(self, address: str = "/inbox") -> str:
        """Open an address without a session; returns the issuer's."""
        return self.led(self.open(self.led(self.open(address))))

    def sign_in(self, address: str = "/inbox", **how: Any) -> Any:
        """The answer of the sign-in's last step."""
        return self.open(self.issuer.authorize(self.begin(address), **how))
