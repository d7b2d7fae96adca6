"""`ApprovalPage`: what a deployment's page is like, with the rule of each of its fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway

from hitl_approval.contract import EMAIL_CLAIM
from hitl_approval.domain.organization import Organization
from hitl_approval_cdk import readers
from hitl_approval_cdk.option import ContextKey
from hitl_approval_cdk.rules import is_a, seconds
from hitl_approval_cdk.sign_in import SignIn
from hitl_approval_cdk.tokens import is_token, shown

CONTEXT_KEYS: Final = (
    ContextKey(
        "organization",
        readers.organization,
        "a name, or an object of name and color",
        "none",
        field="organization",
        meaning="Whose page it is: the name stands at its top and ends its title, the color, as "
        "`#rrggbb`, is that of links and buttons.",
    ),
    ContextKey(
        "challenge",
        readers.switch,
        "true or false",
        "false",
        field="challenge",
        meaning="Whether the page also asks for a code, which stands in the message to everyone "
        "and in `hitl show`, never beside a link.",
    ),
    ContextKey(
        "sign_in",
        readers.sign_in,
        "`cognito`, `oidc` with an https issuer and a client's id, or an https issuer and its "
        "audiences, commas between them",
        "none",
        field="sign_in",
        meaning="How people sign in to [an inbox and a JSON API](inbox.md): with a browser, by a "
        "Cognito user pool that is made or by an OpenID Connect issuer, or by the tokens of an "
        "issuer.",
    ),
    ContextKey(
        "sign_in_max_age_seconds",
        readers.seconds,
        "a whole number of seconds",
        "any age",
        field="sign_in_max_age",
        meaning="How old a sign-in may be that decides, by its claim `auth_time`.",
    ),
    ContextKey(
        "sign_in_claim",
        readers.text,
        "the name of a claim",
        EMAIL_CLAIM,
        field="sign_in_claim",
        meaning="The one claim that names who has signed in; `email` counts only where its issuer "
        "has verified it.",
    ),
)
"""The deployable app always has the page; these set fields of it."""

_SIGN_INS = ("JWT", "IAM")
"""Authorizers that say who signs in, as API Gateway names their kinds."""
_CLAIM = re.compile(r"[!-~]{1,128}")
_ROLE = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_URL = re.compile(r"https://[^\s/?#@]+(/[^\s/?#]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPage:
    """The page where approvers decide by a personal link.

    Raises:
        ValueError: a value that cannot work.

    Attributes:
        url: where it is reached, without a slash at its end, when a domain of yours leads to the
            API. Default: the API's own address, or `domain`.
        domain: a domain of yours for the API, with its certificate: `apigateway.DomainName`. The
            mapping to it is made, and the API's own address is switched off; the DNS record that
            leads to `domain.regional_domain_name` is yours. Default: none.
        requests_per_second: what the API takes before it refuses. Default: 20.
        burst: what it takes at once. Default: 40.
        challenge: whether the page also asks for a short code, which stands in the message to
            everyone on `topic` and in `hitl show`, never beside a link. Default: False.
        sign_in: how people sign in: who does so has an inbox, the lists and the JSON API, and
            decides there under a verified identity. `SignIn.cognito()` and `SignIn.oidc(...)` sign
            in with a browser; an authorizer, by JWT (`HttpJwtAuthorizer`,
            `HttpUserPoolAuthorizer`) or IAM (`HttpIamAuthorizer`), takes programs, and browsers
            through a proxy of yours. Default: none of these exist.
        sign_in_claim: the one claim of a JWT that names who has signed in, as requests name
            approvers; a token without it is refused. Choose one that people cannot change
            themselves. It also counts where the deployment has `trust_authorizer`. Default:
            `"email"`, where the claim `email_verified` is true.
        personal_sessions: names of IAM roles of this account whose every session is a person, as
            the session's ARN names them: only roles whose trust policy fixes `sts:RoleSessionName`
            to who assumes them, since API Gateway does not tell anything else about a session. It
            also counts where the deployment has `trust_authorizer`. Default: none, and all who
            assume a role are one person, by the role's ARN.
        sign_in_max_age: how old a sign-in by JWT may be that decides, whole seconds: its claim
            `auth_time` says when the person last signed in, and one without it decides nothing.
            Reading takes any. It also counts where the deployment has `trust_authorizer`, and for
            neither IAM nor personal links. Default: of any age.
        organization: whose page it is: `Organization("Nordwind", color="#1450b4", logo=...)`.
            Default: it has no name but this library's.
    """

    url: str | None = None
    domain: apigateway.IDomainName | None = None
    requests_per_second: int = 20
    burst: int = 40
    challenge: bool = False
    sign_in: SignIn | apigateway.IHttpRouteAuthorizer | None = None
    sign_in_claim: str = EMAIL_CLAIM
    personal_sessions: Sequence[str] = ()
    sign_in_max_age: Duration | None = None
    organization: Organization | None = None

    def __post_init__(self) -> None:
        is_a("page.challenge", self.challenge, bool, "use True or False")
        _check_at_least_one("page.requests_per_second", self.requests_per_second)
        _check_at_least_one("page.burst", self.burst)
        if self.url is not None and not is_token(self.url):
            _check_url(self.url)
        if self.domain is not None:
            _check_domain(self.domain, self.url)
        if self.organization is not None:
            use = 'use Organization("Nordwind")'
            is_a("page.organization", self.organization, Organization, use)
        if isinstance(self.sign_in, SignIn):
            _check_has_no_path(self.url)
        elif self.sign_in is not None and not hasattr(self.sign_in, "bind"):
            msg = (
                f"page.sign_in must be a SignIn or an authorizer, got {shown(self.sign_in)}: use "
                f"SignIn.cognito(), say"
            )
            raise ValueError(msg)

    @property
    def address(self) -> str | None:
        """Where it is reached by a name of yours; None without one."""
        return self.url if self.domain is None else f"https://{self.domain.name}"

    @property
    def opens_in_a_browser(self) -> bool:
        """Whether people sign in to it by a browser: by itself, or through a proxy at `url`."""
        by_token = getattr(self.sign_in, "authorization_type", "") == "JWT"
        return isinstance(self.sign_in, SignIn) or (by_token and self.url is not None)

    def check_sign_in(self) -> None:
        """Check who signs people in, and how they are named.

        Raises:
            ValueError: an authorizer whose people would all be refused, or no name of a claim.
        """
        kind = getattr(self.sign_in, "authorization_type", _SIGN_INS[0])
        kind = getattr(kind, "value", kind)  # some are texts, some members of an enumeration
        if kind not in _SIGN_INS:
            msg = (
                f"page.sign_in must sign people in by JWT or IAM, got kind {kind}: "
                f"use HttpJwtAuthorizer, HttpUserPoolAuthorizer or HttpIamAuthorizer"
            )
            raise ValueError(msg)
        claim = self.sign_in_claim
        if not isinstance(claim, str) or not _CLAIM.fullmatch(claim):
            msg = (
                f"page.sign_in_claim must be the name of a claim, got {shown(claim)}: "
                f'leave it out for "{EMAIL_CLAIM}"'
            )
            raise ValueError(msg)
        if self.sign_in_max_age is not None:
            total = seconds("page.sign_in_max_age", self.sign_in_max_age)
            if total is None or total < 1:
                msg = (
                    f"page.sign_in_max_age must be at least 1 s and known at synth, got "
                    f"{shown(self.sign_in_max_age)}: use Duration.minutes(15), say"
                )
                raise ValueError(msg)
        roles = self.personal_sessions
        fit = isinstance(roles, list | tuple) and all(
            isinstance(role, str) and _ROLE.fullmatch(role) for role in roles
        )
        if not fit:
            msg = (
                f"page.personal_sessions must be a list of names of IAM roles, got "
                f"{shown(roles)}: use ['Approver'], without the path and the account"
            )
            raise ValueError(msg)


def _check_at_least_one(name: str, value: Any) -> None:
    if is_token(value):
        return
    is_a(name, value, int, "use a whole number")
    if value < 1:
        msg = f"{name} must be at least 1, got {value}: nobody could open a link"
        raise ValueError(msg)


def _check_domain(domain: Any, url: str | None) -> None:
    if not hasattr(domain, "regional_domain_name"):
        msg = (
            f"page.domain must be a domain name of API Gateway's, got {shown(domain)}: use "
            f"apigateway.DomainName(..., domain_name=..., certificate=...)"
        )
        raise ValueError(msg)
    if url is not None:
        msg = f"page.url {shown(url)} and page.domain both say where it is: leave url out"
        raise ValueError(msg)


def _check_has_no_path(url: str | None) -> None:
    """Cookies that no other host can set belong to a whole host."""
    if url is not None and not is_token(url) and urlsplit(url).path:
        msg = (
            f"page.url {shown(url)} must have no path where page.sign_in is a SignIn: give the "
            f"pages a host name of their own"
        )
        raise ValueError(msg)


def _check_url(url: str) -> None:
    is_a("page.url", url, str, "use https://approve.example.com, say")
    if not _URL.fullmatch(url):
        msg = (
            f"page.url must be like https://approve.example.com, got {shown(url)}: encrypted, "
            f"since links are secrets, and without a slash at its end"
        )
        raise ValueError(msg)
