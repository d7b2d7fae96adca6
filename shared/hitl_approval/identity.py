"""Who is calling, and how we know. A name in a payload never outranks a verified identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.audit import Actor, Identity
from hitl_approval.domain.errors import InvalidRequest


def identify(
    event: Mapping[str, Any], payload: Mapping[str, Any], *, trust_authorizer: bool
) -> Actor | None:
    """The caller: as the authorizer says, else as declared in the payload, else nobody.

    Anyone who may invoke the function directly can write what an authorizer would have written,
    so that part of the event counts only where the deployment says it can be believed.

    Raises:
        InvalidRequest: the declared names are malformed, differ from each other, or differ from
            the verified identity.
    """
    declared = _declared(payload)
    verified = _verified(event) if trust_authorizer else None
    if verified is None:
        return Actor(declared, "declared") if declared is not None else None
    if declared is not None and text.person(declared) != text.person(verified.name):
        raise InvalidRequest("approver", f"must be left out: you are signed in as {verified.name}")
    return verified


def _declared(payload: Mapping[str, Any]) -> str | None:
    """`approver`, or `decided_by` as some callers of the public pattern write it."""
    names = [
        text.name(payload[field], field)
        for field in ("approver", "decided_by")
        if payload.get(field) is not None
    ]
    if len(names) > 1 and text.person(names[0]) != text.person(names[1]):
        raise InvalidRequest("decided_by", "differs from approver: send one of them")
    return names[0] if names else None


def _verified(event: Mapping[str, Any]) -> Actor | None:
    """The identity that API Gateway's IAM or JWT authorizer established (HTTP API, payload 2.0)."""
    authorizer = _object(_object(event, "requestContext"), "authorizer")
    arn = _object(authorizer, "iam").get("userArn")
    if isinstance(arn, str) and arn:
        return _actor(arn, "iam")
    claims = _object(_object(authorizer, "jwt"), "claims")
    # An address counts only where its issuer has verified it; the subject always does.
    email = claims.get("email") if claims.get("email_verified") in {True, "true"} else None
    name = email or claims.get("sub")
    return _actor(name, "jwt") if isinstance(name, str) and name else None


def _actor(name: str, identity: Identity) -> Actor:
    return Actor(text.name(name, "identity"), identity)


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}
