"""Browsers that sign in: what is made for it, and nothing that says who somebody is but a token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from hitl_approval.contract import Env, Handler
from hitl_approval.routes import CLI_REDIRECT_URI, PAGE_ROUTES, SIGN_IN_ROUTES, SIGNED_IN_ROUTES
from hitl_approval_cdk import ApprovalPage, HitlApproval, SignIn
from tests.infra.synth import any_stack, functions, of_type, permissions, template, text

ISSUER = "https://issuer.example.com"
LINK = {f"{method} /a/{{token+}}" for method in ("GET", "HEAD", "POST")}


def keys(routes: dict[str, tuple[str, ...]]) -> set[str]:
    return {f"{method} {path}" for path, methods in routes.items() for method in methods}


def deployed(stack: Stack, sign_in: SignIn, **options: Any) -> dict[str, Any]:
    page = ApprovalPage(sign_in=sign_in, **options)
    approvals = HitlApproval(stack, "Approval", page=page)
    assert approvals.page is not None
    assert approvals.page.sign_in is not None
    return dict(template(stack)["Resources"])


def test_should_have_the_issuers_token_for_programs_and_a_session_for_pages(
    templates: dict[str, Any],
) -> None:
    for name in ("signed_in_by_cognito", "signed_in_by_an_issuer"):
        routes = of_type(templates[name]["Resources"], "AWS::ApiGatewayV2::Route").values()
        found = {route["RouteKey"]: route["AuthorizationType"] for route in routes}
        open_to_browsers = keys(PAGE_ROUTES) | keys(SIGN_IN_ROUTES) | LINK
        assert {key for key, kind in found.items() if kind == "NONE"} == open_to_browsers
        tokens = {key for key, kind in found.items() if kind == "JWT"}
        assert tokens == keys(SIGNED_IN_ROUTES) - keys(PAGE_ROUTES)
        assert all(" /v1/" in key for key in tokens)


def test_should_take_the_tokens_of_the_issuer_for_this_client_alone(
    templates: dict[str, Any],
) -> None:
    [authorizer] = of_type(
        templates["signed_in_by_cognito"]["Resources"], "AWS::ApiGatewayV2::Authorizer"
    ).values()
    issuer, [audience] = (authorizer["JwtConfiguration"][name] for name in ("Issuer", "Audience"))
    assert text(issuer) == "https://<ApprovalPagePeople.ProviderName>"
    assert text(audience) == "<ApprovalPageClient>"


def test_should_seal_cookies_by_a_key_of_its_own(templates: dict[str, Any]) -> None:
    for name in ("signed_in_by_cognito", "signed_in_by_an_issuer"):
        resources = templates[name]["Resources"]
        [key] = of_type(resources, "AWS::KMS::Key").values()
        assert (key["KeySpec"], key["KeyUsage"]) == ("HMAC_256", "GENERATE_VERIFY_MAC")
        users = {
            role: {
                action for action, resource in rights if resource == "<ApprovalPageSessionKey.Arn>"
            }
            for role, rights in permissions(resources).items()
        }
        assert {role: actions for role, actions in users.items() if actions} == {
            "ApprovalSignedInRole": {"kms:GenerateMac", "kms:VerifyMac"}
        }


def test_should_make_a_pool_in_which_nobody_signs_up(templates: dict[str, Any]) -> None:
    resources = templates["signed_in_by_cognito"]["Resources"]
    [pool] = of_type(resources, "AWS::Cognito::UserPool").values()
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["UserAttributeUpdateSettings"] == {
        "AttributesRequireVerificationBeforeUpdate": ["email"]
    }
    [kept] = [r for r in resources.values() if r["Type"] == "AWS::Cognito::UserPool"]
    assert kept["DeletionPolicy"] == "RetainExceptOnCreate"


def test_should_make_a_client_for_the_code_flow_alone(templates: dict[str, Any]) -> None:
    resources = templates["signed_in_by_cognito"]["Resources"]
    [client] = of_type(resources, "AWS::Cognito::UserPoolClient").values()
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthScopes"] == ["openid", "email", "profile"]
    assert [text(url) for url in client["CallbackURLs"]] == [
        "<ApprovalPageApi.ApiEndpoint>/sign-in/callback",
        CLI_REDIRECT_URI,
    ]
    assert [text(url) for url in client["LogoutURLs"]] == ["<ApprovalPageApi.ApiEndpoint>/sign-out"]
    assert client["GenerateSecret"] is False


def test_should_find_a_domain_of_its_own_for_each_deployment() -> None:
    stack = any_stack()
    for name in ("One", "Two"):
        HitlApproval(stack, name, page=ApprovalPage(sign_in=SignIn.cognito()))
    domains = of_type(template(stack)["Resources"], "AWS::Cognito::UserPoolDomain").values()
    assert len({json.dumps(domain["Domain"]) for domain in domains}) == 2


def test_should_take_a_pool_that_is_brought_along() -> None:
    stack = any_stack()
    pool = cognito.UserPool.from_user_pool_id(stack, "Pool", "eu-central-1_abc")
    resources = deployed(stack, SignIn.cognito(pool))
    assert not of_type(resources, "AWS::Cognito::UserPool")
    assert not of_type(resources, "AWS::Cognito::UserPoolDomain")
    [client] = of_type(resources, "AWS::Cognito::UserPoolClient").values()
    assert client["UserPoolId"] == "eu-central-1_abc"


def test_should_delete_the_people_only_where_all_is_deleted() -> None:
    stack = any_stack()
    page = ApprovalPage(sign_in=SignIn.cognito())
    HitlApproval(stack, "Approval", page=page, removal_policy=RemovalPolicy.DESTROY)
    resources = template(stack)["Resources"].values()
    [pool] = [each for each in resources if each["Type"] == "AWS::Cognito::UserPool"]
    assert pool["DeletionPolicy"] == "Delete"


def test_should_read_the_secret_of_its_client_and_write_it_nowhere(
    templates: dict[str, Any],
) -> None:
    resources = templates["signed_in_by_an_issuer"]["Resources"]
    variables = functions(resources)[Handler.SIGNED_IN]["Environment"]["Variables"]
    assert variables[Env.SIGN_IN_ISSUER] == ISSUER
    assert variables[Env.SIGN_IN_CLIENT_ID] == "approvals"
    arn = text(variables[Env.SIGN_IN_CLIENT_SECRET_ARN])
    assert arn.endswith(":secret:approvals-client")
    readers = {
        role: resource
        for role, rights in permissions(resources).items()
        for action, resource in rights
        if action.startswith("secretsmanager:")
    }
    assert readers == {"ApprovalSignedInRole": f"{arn}-??????"}
    assert not of_type(resources, "AWS::SecretsManager::Secret")


def test_should_read_an_encrypted_secret_by_its_own_name() -> None:
    stack = any_stack()
    secret = secretsmanager.Secret(stack, "Secret", encryption_key=kms.Key(stack, "Key"))
    resources = deployed(stack, SignIn.oidc(ISSUER, client_id="a", client_secret=secret))
    rights = permissions(resources)["ApprovalSignedInRole"]
    assert {
        ("secretsmanager:GetSecretValue", "<Secret>"),
        ("kms:Decrypt", "<Key.Arn>"),
    } <= rights


def test_should_need_no_secret() -> None:
    resources = deployed(any_stack(), SignIn.oidc(ISSUER, client_id="approvals"))
    variables = functions(resources)[Handler.SIGNED_IN]["Environment"]["Variables"]
    assert Env.SIGN_IN_CLIENT_SECRET_ARN not in variables


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (lambda: SignIn.cognito("pool"), "takes a user pool, got 'pool'"),  # type: ignore[arg-type]
        (lambda: SignIn.oidc("http://a.example", client_id="a"), "takes an issuer like https://"),
        (lambda: SignIn.oidc("https://a@b.example", client_id="a"), "takes an issuer like https"),
        (lambda: SignIn.oidc(f"{ISSUER}?a=b", client_id="a"), "takes an issuer like https://"),
        (lambda: SignIn.oidc(ISSUER, client_id=""), "client_id must be the id of a client"),
        (lambda: SignIn.oidc(ISSUER, client_id=None), "client_id must be the"),  # type: ignore[arg-type]
        (
            lambda: SignIn.oidc(ISSUER, client_id="a", client_secret="s3cr3t"),  # type: ignore[arg-type]
            "client_secret must be a secret in Secrets Manager",
        ),
        (
            lambda: ApprovalPage(sign_in=SignIn.cognito(), url="https://a.example/approvals"),
            "page.url 'https://a.example/approvals' must have no path",
        ),
    ],
)  # fmt: skip
def test_should_refuse_what_cannot_work(how: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        how()
    assert "s3cr3t" not in str(raised.value)


def test_should_take_a_page_with_a_path_behind_an_authorizer_of_ones_own() -> None:
    assert ApprovalPage(url="https://a.example/approvals").url
