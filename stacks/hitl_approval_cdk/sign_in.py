"""`SignIn`: how browsers sign in to the inbox without an authorizer or a proxy of yours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from aws_cdk import Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer
from constructs import Construct

from hitl_approval.contract import Env
from hitl_approval.routes import CLI_REDIRECT_URI, Route
from hitl_approval_cdk import nag
from hitl_approval_cdk.tokens import is_token, shown

_ISSUER: Final = re.compile(r"https://[^\s/?#@]+(/[^\s?#]*)?")
_CLIENT: Final = re.compile(r"[!-~]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedSignIn:
    """The sign-in of a deployment.

    Attributes:
        issuer: by whom people sign in.
        client_id: who the deployment is to that issuer.
        client_secret: proves it; None for a client without a secret.
        session_key: seals cookies.
        user_pool: in which the people are; None with an issuer of another kind.
    """

    issuer: str
    client_id: str
    client_secret: secretsmanager.ISecret | None
    session_key: kms.IKey
    user_pool: cognito.IUserPool | None

    @property
    def authorizer(self) -> apigateway.IHttpRouteAuthorizer:
        """Signs in programs, by the same issuer's ID tokens for the same client."""
        return HttpJwtAuthorizer("SignIn", self.issuer, jwt_audience=[self.client_id])

    @property
    def variables(self) -> dict[str, str]:
        """What the signed-in function must know of it."""
        found = {
            Env.SIGN_IN_ISSUER: self.issuer,
            Env.SIGN_IN_CLIENT_ID: self.client_id,
            Env.SESSION_KEY_ARN: self.session_key.key_arn,
        }
        if self.client_secret is not None:
            found[Env.SIGN_IN_CLIENT_SECRET_ARN] = self.client_secret.secret_arn
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Browsers sign in by OpenID Connect: authorization code with PKCE, and a session of 8 hours.

    Made by `cognito` or `oidc`.
    """

    _issuer: str | None = None
    _client_id: str | None = None
    _client_secret: secretsmanager.ISecret | None = None
    _user_pool: cognito.IUserPool | None = None

    @classmethod
    def cognito(cls, user_pool: cognito.IUserPool | None = None) -> Self:
        """By a Cognito user pool; the client for it is made.

        Args:
            user_pool: one of yours, which has a domain. Default: one is made with a domain, in
                which administrators create people, and each may add a second factor.

        Raises:
            ValueError: no user pool.
        """
        if user_pool is not None and not hasattr(user_pool, "user_pool_provider_name"):
            msg = (
                f"SignIn.cognito takes a user pool, got {shown(user_pool)}: use "
                "cognito.UserPool(...), or nothing, and one is made"
            )
            raise ValueError(msg)
        return cls(_user_pool=user_pool)

    @classmethod
    def oidc(
        cls,
        issuer: str,
        *,
        client_id: str,
        client_secret: secretsmanager.ISecret | None = None,
    ) -> Self:
        """By any issuer of OpenID Connect that signs ID tokens with RS256.

        Register `<PageUrl>/sign-in/callback` there as the client's redirect URI, and
        `<PageUrl>/sign-out` as where to go after signing out. For `hitl login`, which takes a
        client without a secret, register `http://localhost:47285/callback` too.

        Args:
            issuer: as its discovery document and its tokens have it.
            client_id: of the client that is registered there.
            client_secret: a secret in Secrets Manager, `{"client_secret": "..."}`. Default: a
                client without one, which PKCE alone protects.

        Raises:
            ValueError: no https address, no client's id, or no secret.
        """
        if not is_token(issuer) and not (isinstance(issuer, str) and _ISSUER.fullmatch(issuer)):
            msg = (
                f"SignIn.oidc takes an issuer like https://issuer.example.com, got {shown(issuer)}"
            )
            raise ValueError(msg)
        if not (
            isinstance(client_id, str) and (is_token(client_id) or _CLIENT.fullmatch(client_id))
        ):
            msg = f"client_id must be the id of a client at {issuer}, got {shown(client_id)}"
            raise ValueError(msg)
        if client_secret is not None and not hasattr(client_secret, "secret_arn"):
            msg = (
                "client_secret must be a secret in Secrets Manager: use "
                "secretsmanager.Secret.from_secret_name_v2(...), say, never the text itself"
            )
            raise ValueError(msg)
        return cls(_issuer=issuer, _client_id=client_id, _client_secret=client_secret)

    def make(self, scope: Construct, *, url: str, removal_policy: RemovalPolicy) -> DeployedSignIn:
        """Make what a deployment needs of it.

        Args:
            scope: where it belongs.
            url: where the pages are reached, without a slash at its end.
            removal_policy: what happens to the people of a user pool when the stack is deleted.
        """
        key = kms.Key(
            scope,
            "SessionKey",
            description="hitl-approval: seals the cookies of browsers that have signed in",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            # Sessions end with it, and nothing else is lost.
            removal_policy=RemovalPolicy.DESTROY,
            pending_window=Duration.days(7),
        )
        nag.session_key(key)
        if self._issuer is not None and self._client_id is not None:
            return DeployedSignIn(
                issuer=self._issuer,
                client_id=self._client_id,
                client_secret=self._client_secret,
                session_key=key,
                user_pool=None,
            )
        pool = self._user_pool or _user_pool(scope, removal_policy)
        client = cognito.UserPoolClient(
            scope,
            "Client",
            user_pool=pool,
            generate_secret=False,
            auth_flows=cognito.AuthFlow(),
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[
                    cognito.OAuthScope.OPENID,
                    cognito.OAuthScope.EMAIL,
                    cognito.OAuthScope.PROFILE,
                ],
                callback_urls=[url + Route.CALLBACK, CLI_REDIRECT_URI],
                logout_urls=[url + Route.SIGN_OUT],
            ),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
        )
        return DeployedSignIn(
            issuer=f"https://{pool.user_pool_provider_name}",
            client_id=client.user_pool_client_id,
            client_secret=None,
            session_key=key,
            user_pool=pool,
        )


def _user_pool(scope: Construct, removal_policy: RemovalPolicy) -> cognito.UserPool:
    """A pool whose people are created by administrators and named by a verified address."""
    pool = cognito.UserPool(
        scope,
        "People",
        self_sign_up_enabled=False,
        sign_in_aliases=cognito.SignInAliases(email=True),
        sign_in_case_sensitive=False,
        auto_verify=cognito.AutoVerifiedAttrs(email=True),
        # A new address counts only when it is verified.
        keep_original=cognito.KeepOriginalAttrs(email=True),
        standard_attributes=cognito.StandardAttributes(
            email=cognito.StandardAttribute(required=True, mutable=True)
        ),
        password_policy=cognito.PasswordPolicy(
            min_length=12,
            require_digits=True,
            require_lowercase=True,
            require_symbols=True,
            require_uppercase=True,
        ),
        mfa=cognito.Mfa.OPTIONAL,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
        removal_policy=removal_policy,
    )
    nag.user_pool(pool)
    # A domain's name is one in the whole region: the stack's own id, and the construct's address.
    stack_id = Fn.select(2, Fn.split("/", Stack.of(scope).stack_id))
    prefix = f"hitl-{Fn.select(4, Fn.split('-', stack_id))}-{scope.node.addr[2:10]}"
    cognito.UserPoolDomain(
        scope,
        "Domain",
        user_pool=pool,
        cognito_domain=cognito.CognitoDomainOptions(domain_prefix=prefix),
    )
    return pool
