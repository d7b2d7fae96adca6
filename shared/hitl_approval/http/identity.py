"""Who is calling, and how we know. A name in a payload never outranks a verified identity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hitl_approval.contract import EMAIL_CLAIM
from hitl_approval.domain import text
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import InvalidRequest, Unauthenticated

_SUBJECT_CLAIM = "sub"
_SECONDS = re.compile(r"[0-9]{1,11}")
_SESSION = re.compile(r"(?P<role>arn:[^:]*:sts::[0-9]*:assumed-role/(?P<name>[^/:]+))/[^/]+")
_IAM_PERSON = re.compile(r"arn:[^:]*:iam::[0-9]*:(user/.+|root)")


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a deployment knows who has signed in.

    Attributes:
        claim: of a JWT, which names who signs in; `email` only where its issuer has verified it.
        personal_sessions: names of IAM roles whose sessions are people: only there has nobody
            chosen the name of the session.
    """

    claim: str = EMAIL_CLAIM
    personal_sessions: frozenset[str] = frozenset()


BY_EMAIL = SignIn()
"""Who signs in is an address that a token's issuer has verified, an IAM user, or an IAM role."""


def identify(
    event: Mapping[str, Any],
    payload: Mapping[str, Any],
    *,
    trust_authorizer: bool,
    sign_in: SignIn = BY_EMAIL,
) -> Actor | None:
    """The caller: as the authorizer says, or as declared in the payload, or nobody.

    Anyone who may invoke the function directly can write what an authorizer would have written,
    so that part of the event counts only where the deployment says it can be believed. There, who
    comes through an API is who the authorizer says, or is refused.

    Raises:
        InvalidRequest: the declared names are malformed, differ from each other, or differ from
            the verified identity.
        Unauthenticated: the authorizer is believed and names nobody.
    """
    if not (trust_authorizer and is_http(event)):
        declared = _declared(payload)
        return Actor(declared, "declared") if declared is not None else None
    verified = signed_in(event, sign_in)
    declared = _declared(payload)
    if declared is not None and text.spelling(declared) != text.spelling(verified.name):
        raise InvalidRequest("approver", f"must be left out: you are signed in as {verified.name}")
    return verified


def is_http(event: Mapping[str, Any]) -> bool:
    """Whether an API has sent this event, not somebody who invokes the function."""
    return any(name in event for name in ("body", "requestContext", "httpMethod"))


def signed_in(event: Mapping[str, Any], sign_in: SignIn) -> Actor:
    """Whom API Gateway's IAM or JWT authorizer has signed in (HTTP API, payload 2.0).

    Args:
        event: of an API whose authorizer can be believed.
        sign_in: how this deployment knows who it is.

    Raises:
        Unauthenticated: there is no such authorizer, or its token does not name anybody so.
    """
    authorizer = _object(_object(event, "requestContext"), "authorizer")
    arn = _object(authorizer, "iam").get("userArn")
    if isinstance(arn, str) and arn:
        return _iam(arn, sign_in.personal_sessions)
    claims = _object(_object(authorizer, "jwt"), "claims")
    if not claims:
        raise Unauthenticated("nobody has signed in by a JWT or by IAM")
    return bearer(claims, sign_in.claim)


def _iam(arn: str, personal_sessions: frozenset[str]) -> Actor:
    """A user is a person, a role is one person: who assumes it chooses the session's name.

    What else STS knows of a session, its SourceIdentity say, API Gateway does not pass on.
    """
    session = _SESSION.fullmatch(arn)
    if session is None:
        if not _IAM_PERSON.fullmatch(arn):
            raise Unauthenticated("only IAM users and sessions of IAM roles are known here")
        return Actor(_name(arn, "the ARN"), "iam")
    if session["name"] in personal_sessions:
        return Actor(_name(arn, "the ARN"), "iam")
    return Actor(_name(session["role"], "the ARN"), "iam", session=arn)


def bearer(claims: Mapping[str, Any], claim: str) -> Actor:
    """Whom the verified claims of an ID token name.

    By one claim and no other: two tokens of one person must not be two people.

    Args:
        claims: of a token that whoever calls has verified.
        claim: which names who signs in.

    Raises:
        Unauthenticated: they name nobody so.
    """
    if claims.get("token_use", "id") != "id":  # Cognito's word for what a token is for
        raise Unauthenticated("this is an access token: send the ID token")
    name = claims.get(claim)
    if claim == EMAIL_CLAIM and str(claims.get("email_verified")).lower() != "true":
        name = None
    if not isinstance(name, str):
        raise Unauthenticated(f"the token has no {_meaning(claim)}")
    name = _name(name, f"claim {claim}")
    if claim == _SUBJECT_CLAIM and "@" in text.person_key(name):
        raise Unauthenticated("the token's subject looks like an address that nobody has verified")
    issuer = claims.get("iss")
    return Actor(
        name,
        "jwt",
        issuer if isinstance(issuer, str) else None,
        signed_in_at=_time_of(claims.get("auth_time")),
    )


def _time_of(auth_time: Any) -> datetime | None:
    """The claim `auth_time`: seconds since 1970 (OpenID Connect), as API Gateway has it a text."""
    if not _SECONDS.fullmatch(str(auth_time)):
        return None
    return datetime.fromtimestamp(int(auth_time), UTC)


def _meaning(claim: str) -> str:
    if claim == EMAIL_CLAIM:
        return "e-mail address that its issuer has verified (email, email_verified)"
    return f"claim {claim}, which names people here"


def _name(value: str, what: str) -> str:
    try:
        return text.name(value, what)
    except InvalidRequest as error:
        raise Unauthenticated(f"the sign-in names nobody: {error}") from None


def _declared(payload: Mapping[str, Any]) -> str | None:
    """`approver`, or `decided_by` as some callers of the public pattern write it."""
    names = [
        text.name(payload[field], field)
        for field in ("approver", "decided_by")
        if payload.get(field) is not None
    ]
    if len(names) > 1 and text.spelling(names[0]) != text.spelling(names[1]):
        raise InvalidRequest("decided_by", "differs from approver: send one of them")
    return names[0] if names else None


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}
