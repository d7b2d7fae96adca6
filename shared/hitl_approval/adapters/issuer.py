"""An OpenID Connect issuer over its back channel: https only, no redirects, bounded in all."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hitl_approval.domain.errors import Unavailable

TIMEOUT = 5.0
"""Seconds until an issuer that does not answer is given up: an API Gateway request ends after 30,
and one sign-in asks the issuer at most three times."""
MAX_ANSWER = 262_144
"""Bytes of the longest answer that is read; those of common issuers have about 10,000."""

_OF_AWS = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[A-Za-z0-9_-]+")
_OK = 200
_ERROR = 400
_SERVERS = 500


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an issuer answers, as it says itself.

    Attributes:
        authorization: where a browser signs in.
        token: where a code is redeemed.
        keys: where its public keys are.
        end_session: where a browser signs out; None where it does not say.
    """

    authorization: str
    token: str
    keys: str
    end_session: str | None


@dataclass(slots=True)
class OpenIdIssuer:
    """An issuer, asked on behalf of one client of it.

    Attributes:
        issuer: its name, from which its address follows.
        client_id: who we are there.
        client_secret: gives what proves it. Default: nothing does but the code's own verifier.
        endpoint_url: where AWS is reached, as `AWS_ENDPOINT_URL` says to AWS's own clients; only
            issuers of AWS are asked there. Default: under their own names.
    """

    issuer: str
    client_id: str
    client_secret: Callable[[], str] | None = None
    endpoint_url: str | None = None
    _known: Endpoints | None = field(default=None, init=False)
    _basic: bool = field(default=True, init=False)
    _keys: list[Mapping[str, Any]] | None = field(default=None, init=False)

    def endpoints(self) -> Endpoints:
        """Where it answers; asked once in the life of a process.

        Raises:
            Unavailable: it does not answer, or not as an issuer of this name.
        """
        if self._known is None:
            about = self._json("GET", f"{self._base()}/.well-known/openid-configuration")
            if about.get("issuer") != self.issuer:
                raise Unavailable("the sign-in's issuer has another name than the deployment says")
            methods = about.get("token_endpoint_auth_methods_supported")
            self._basic = not isinstance(methods, list) or "client_secret_basic" in methods
            end = about.get("end_session_endpoint")
            self._known = Endpoints(
                authorization=self._checked(about.get("authorization_endpoint")),
                token=self._checked(about.get("token_endpoint")),
                keys=self._checked(about.get("jwks_uri")),
                end_session=None if end is None else self._checked(end),
            )
        return self._known

    def keys(self, *, again: bool = False) -> list[Mapping[str, Any]]:
        """Its public keys; asked once in the life of a process, or again.

        Raises:
            Unavailable: it does not answer.
        """
        if self._keys is None or again:
            found = self._json("GET", self.endpoints().keys).get("keys")
            listed = found if isinstance(found, list) else []
            self._keys = [key for key in listed if isinstance(key, dict)]
        return self._keys

    def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> str | None:
        """The ID token for a code; None if the issuer does not take the code.

        Raises:
            Unavailable: it does not answer, or does not take this client.
        """
        token = self.endpoints().token
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self.client_secret is not None and self._basic:
            pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret(), safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self.client_id
            if self.client_secret is not None:
                form["client_secret"] = self.client_secret()
        status, answer = self._ask("POST", token, urlencode(form), headers)
        if status in range(_ERROR, _SERVERS) and answer.get("error") == "invalid_grant":
            return None
        if status != _OK:
            raise Unavailable("the sign-in's issuer did not redeem the code", reason=str(status))
        found = answer.get("id_token")
        return found if isinstance(found, str) else None

    def _base(self) -> str:
        """Where its documents are."""
        name = self.issuer.rstrip("/")
        if self.endpoint_url is not None and _OF_AWS.fullmatch(name):
            return f"{self.endpoint_url.rstrip('/')}{urlsplit(name).path}"
        return name

    def _checked(self, url: Any) -> str:
        """An address that it has named: encrypted, or where AWS is reached.

        Raises:
            Unavailable: neither.
        """
        found = urlsplit(url) if isinstance(url, str) else urlsplit("")
        plain = urlsplit(self.endpoint_url or "")
        local = bool(plain.netloc) and found[:2] == plain[:2] and _OF_AWS.fullmatch(self.issuer)
        if not found.hostname or "@" in found.netloc or not (found.scheme == "https" or local):
            raise Unavailable("the sign-in's issuer names an address that is not https")
        return str(url)

    def _json(self, method: str, url: str) -> Mapping[str, Any]:
        status, answer = self._ask(method, url)
        if status != _OK:
            raise Unavailable("the sign-in's issuer did not answer", reason=str(status))
        return answer

    def _ask(
        self,
        method: str,
        url: str,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON object of an answer; no redirect is followed."""
        address = urlsplit(self._checked(url))
        make = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = make(address.netloc, timeout=TIMEOUT)
        target = address._replace(scheme="", netloc="", fragment="").geturl() or "/"
        sent = {"Accept": "application/json", "Connection": "close", **(headers or {})}
        try:
            connection.request(method, target, body, sent)
            answer = connection.getresponse()
            read = answer.read(MAX_ANSWER + 1)
        except (OSError, HTTPException) as error:
            raise Unavailable(
                "the sign-in's issuer did not answer", reason=type(error).__name__
            ) from None
        finally:
            connection.close()
        if len(read) > MAX_ANSWER:
            raise Unavailable("the sign-in's issuer answered too much")
        try:
            found = json.loads(read)
        except (ValueError, RecursionError):
            found = {}
        return answer.status, found if isinstance(found, dict) else {}
