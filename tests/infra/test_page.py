"""`ApprovalPage`: who signs in, and by which claim."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2 import HttpNoneAuthorizer
from aws_cdk.aws_apigatewayv2_authorizers import (
    HttpIamAuthorizer,
    HttpJwtAuthorizer,
    HttpLambdaAuthorizer,
)

from hitl_approval.contract import Env, Handler
from hitl_approval_cdk import ApprovalPage, HitlApproval, SignIn
from tests.infra.synth import any_stack, of_type, template, warnings_of


def test_should_take_iam_as_a_sign_in() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", page=ApprovalPage(sign_in=HttpIamAuthorizer()))
    routes = of_type(template(stack)["Resources"], "AWS::ApiGatewayV2::Route").values()
    kinds = {route["RouteKey"]: route["AuthorizationType"] for route in routes}
    assert kinds["GET /inbox"] == "AWS_IAM"
    assert kinds["GET /a/{token+}"] == "NONE"


def test_should_name_who_signs_in_by_the_claim_that_it_is_given() -> None:
    for page, claim in (
        (None, "email"),
        (ApprovalPage(sign_in=HttpIamAuthorizer()), "email"),
        (ApprovalPage(sign_in=HttpIamAuthorizer(), sign_in_claim="upn"), "upn"),
    ):
        stack = any_stack()
        HitlApproval(stack, "Approval", page=page, trust_authorizer=True)
        functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
        named_by = {
            f["Handler"]: f["Environment"]["Variables"].get(Env.SIGN_IN_CLAIM) for f in functions
        }
        named = {Handler.APPROVAL_API, *([Handler.SIGNED_IN] if page else [])}
        assert {handler for handler, name in named_by.items() if name == claim} == named
        assert set(named_by.values()) == {claim, None}


def test_should_refuse_a_sign_in_that_signs_nobody_in() -> None:
    function = lambda_.Function.from_function_name(any_stack(), "Authorizer", "authorizer")
    for authorizer in (HttpLambdaAuthorizer("SignIn", function), HttpNoneAuthorizer()):
        with pytest.raises(ValueError, match=r"page\.sign_in must sign people in by JWT or IAM"):
            HitlApproval(any_stack(), "Approval", page=ApprovalPage(sign_in=authorizer))


@pytest.mark.parametrize("claim", ["", "e mail", "x" * 129, None])
def test_should_refuse_what_is_no_claim(claim: Any) -> None:
    page = ApprovalPage(sign_in_claim=claim)
    with pytest.raises(ValueError, match=r"page\.sign_in_claim must be the name of a claim"):
        HitlApproval(any_stack(), "Approval", page=page)


def test_should_take_sessions_for_people_only_of_roles_that_are_named() -> None:
    for roles in ((), ["Approver", "Lead"]):
        stack = any_stack()
        page = ApprovalPage(sign_in=HttpIamAuthorizer(), personal_sessions=roles)
        HitlApproval(stack, "Approval", page=page, trust_authorizer=True)
        functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
        known = {
            f["Handler"]: f["Environment"]["Variables"].get(Env.PERSONAL_SESSIONS)
            for f in functions
        }
        named = {Handler.APPROVAL_API, Handler.SIGNED_IN} if roles else set()
        assert {handler for handler, value in known.items() if value} == named
        assert set(known.values()) <= {'["Approver", "Lead"]', None}
        assert warnings_of(stack).count("sts:RoleSessionName") == len(roles)


@pytest.mark.parametrize("roles", ["Approver", ["arn:aws:iam::1:role/a"], [""], [1], {"a": 1}])
def test_should_refuse_what_is_no_name_of_a_role(roles: Any) -> None:
    page = ApprovalPage(personal_sessions=roles)
    with pytest.raises(ValueError, match=r"page\.personal_sessions must be a list of names of IAM"):
        HitlApproval(any_stack(), "Approval", page=page)


def test_should_say_who_operates_to_the_functions_that_withdraw() -> None:
    stack = any_stack()
    page = ApprovalPage(sign_in=HttpIamAuthorizer())
    HitlApproval(stack, "Approval", page=page, operators=["olga@x.org"])
    known = {
        function["Handler"]
        for function in of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
        if function["Environment"]["Variables"].get(Env.OPERATORS) == '["olga@x.org"]'
    }
    assert known == {Handler.APPROVAL_API, Handler.SIGNED_IN}


def test_should_say_how_old_a_sign_in_may_be_to_the_functions_that_decide_by_one() -> None:
    stack = any_stack()
    page = ApprovalPage(sign_in=HttpIamAuthorizer(), sign_in_max_age=Duration.minutes(15))
    HitlApproval(stack, "Approval", page=page)
    limited = {
        function["Handler"]
        for function in of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
        if function["Environment"]["Variables"].get(Env.SIGN_IN_MAX_AGE_SECONDS) == "900"
    }
    assert limited == {Handler.APPROVAL_API, Handler.SIGNED_IN}


@pytest.mark.parametrize("age", [Duration.seconds(0), 900, Duration.millis(1500)])
def test_should_refuse_what_is_no_age(age: Any) -> None:
    page = ApprovalPage(sign_in_max_age=age)
    with pytest.raises(ValueError, match=r"page\.sign_in_max_age must be"):
        HitlApproval(any_stack(), "Approval", page=page)


def test_should_know_where_people_sign_in_with_a_browser() -> None:
    token = HttpJwtAuthorizer("Issuer", "https://issuer.example.com", jwt_audience=["a"])
    behind_a_proxy = ApprovalPage(sign_in=token, url="https://approve.example.com")
    assert behind_a_proxy.opens_in_a_browser
    assert ApprovalPage(sign_in=SignIn.cognito()).opens_in_a_browser
    for page in (
        ApprovalPage(),
        ApprovalPage(sign_in=token),
        ApprovalPage(sign_in=HttpIamAuthorizer(), url="https://approve.example.com"),
    ):
        assert not page.opens_in_a_browser
