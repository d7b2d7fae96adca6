"""The page's API: throttled, logged without tokens, one route without a sign-in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer

from hitl_approval.contract import Env, Handler
from hitl_approval.routes import SIGNED_IN_ROUTES, Route
from hitl_approval_cdk import ApprovalPage, HitlApproval
from tests.infra.synth import any_stack, durable, functions, of_type, permissions, template, text


def test_should_answer_one_route_only(default: Any) -> None:
    routes = of_type(default, "AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"] for route in routes} == {
        "GET /a/{token+}",
        "HEAD /a/{token+}",
        "POST /a/{token+}",
    }


def test_should_sign_in_who_comes_to_any_other_route(templates: dict[str, Any]) -> None:
    resources = templates["signed_in"]["Resources"]
    routes = of_type(resources, "AWS::ApiGatewayV2::Route").values()
    signed = {f"{method} {path}" for path, all_ in SIGNED_IN_ROUTES.items() for method in all_}
    found = {route["RouteKey"]: route for route in routes}
    links = {f"{method} {Route.LINK}" for method in ("GET", "HEAD", "POST")}
    assert set(found) - signed == links
    for key, route in found.items():
        assert route["AuthorizationType"] == ("JWT" if key in signed else "NONE")
    [authorizer] = of_type(resources, "AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["JwtConfiguration"] == {
        "Audience": ["approvals"],
        "Issuer": "https://issuer.example.com",
    }


def test_should_refuse_a_page_without_what_feeds_its_messages() -> None:
    stack = any_stack()
    audit = dynamodb.Table.from_table_name(stack, "Audit", "audit")
    with pytest.raises(ValueError, match=r"audit_table must have a stream of old and new images"):
        HitlApproval(stack, "Approval", audit_table=audit, page=ApprovalPage())


def test_should_throttle_and_log_no_path(default: Any) -> None:
    [stage] = of_type(default, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 40, "ThrottlingRateLimit": 20}
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert "$context.routeKey" in logged.values()
    assert not {"$context.path", "$context.requestOverride.path.token"} & set(logged.values())
    assert not any("ath" in value for value in logged.values())


def test_should_log_where_no_policy_of_the_account_grows(default: Any) -> None:
    [group] = [
        group
        for name, group in of_type(default, "AWS::Logs::LogGroup").items()
        if "AccessLogs" in name
    ]
    assert text(group["LogGroupName"]) == "/aws/vendedlogs/apis/<ApprovalPageApi>"


def test_should_lead_where_a_domain_of_ones_own_leads() -> None:
    stack = any_stack()
    page = ApprovalPage(url="https://approve.example.com", requests_per_second=5, burst=9)
    approvals = HitlApproval(stack, "Approval", page=page)
    assert approvals.page is not None
    functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
    urls = {f["Environment"]["Variables"].get(Env.PAGE_URL) for f in functions}
    assert urls == {"https://approve.example.com", None}


def domain(stack: Stack) -> apigateway.DomainName:
    certificate = acm.Certificate(stack, "Certificate", domain_name="approve.example.com")
    return apigateway.DomainName(
        stack, "Domain", domain_name="approve.example.com", certificate=certificate
    )


def test_should_be_reached_by_a_domain_alone() -> None:
    stack = any_stack()
    approvals = HitlApproval(stack, "Approval", page=ApprovalPage(domain=domain(stack)))
    assert approvals.page is not None
    resources = template(stack)["Resources"]
    [api] = of_type(resources, "AWS::ApiGatewayV2::Api").values()
    assert api["DisableExecuteApiEndpoint"] is True
    [mapping] = of_type(resources, "AWS::ApiGatewayV2::ApiMapping").values()
    assert text(mapping["ApiId"]) == text(stack.resolve(approvals.page.api.api_id))
    assert text(mapping["DomainName"]) == "<Domain>"
    functions = of_type(resources, "AWS::Lambda::Function").values()
    urls = [f["Environment"]["Variables"].get(Env.PAGE_URL) for f in functions]
    assert {text(url) for url in urls if url} == {"https://<Domain>"}


def test_should_refuse_a_domain_that_is_none_or_an_address_besides() -> None:
    with pytest.raises(ValueError, match=r"^page.domain must be a domain name of API Gateway's"):
        ApprovalPage(domain="approve.example.com")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^page.url 'https://a.example' and page.domain both say"):
        ApprovalPage(domain=domain(any_stack()), url="https://a.example")


def test_should_let_the_page_resume_attached_functions() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", page=ApprovalPage()).attach(durable(stack))
    found = permissions(template(stack)["Resources"])
    complete = ("lambda:SendDurableExecutionCallbackSuccess", "<Refund.Arn>:*")
    read = ("lambda:GetDurableExecution", "<Refund.Arn>:*")
    assert {complete, read} <= found["ApprovalPageRole"]
    assert ("sns:Publish", "<ApprovalPagePersonalTopic>") not in found["RefundRole"]


def test_should_have_no_page_unless_asked() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval")
    assert not of_type(template(stack)["Resources"], "AWS::ApiGatewayV2::Api")


class TestAgents:
    def test_should_have_a_route_only_where_they_are_wanted(
        self, templates: dict[str, Any]
    ) -> None:
        for name, found in templates.items():
            routes = of_type(found["Resources"], "AWS::ApiGatewayV2::Route").values()
            [*agents] = [route for route in routes if route["RouteKey"].endswith(Route.MCP)]
            assert len(agents) == (name == "asked_by_agents"), name
            for route in agents:
                assert route["RouteKey"] == "POST /mcp"
                assert route["AuthorizationType"] == "JWT"
                assert route["AuthorizerId"]

    def test_should_give_one_right_more_and_no_more(self, templates: dict[str, Any]) -> None:
        with_agents = permissions(templates["asked_by_agents"]["Resources"])
        without = permissions(templates["signed_in_by_cognito"]["Resources"])
        [role] = [name for name in with_agents if "SignedInRole" in name]
        [before] = [name for name in without if "SignedInRole" in name]
        more = {action for action, _ in with_agents[role]} - {a for a, _ in without[before]}
        assert more == {"lambda:InvokeFunction"}
        [resource] = [r for action, r in with_agents[role] if action == "lambda:InvokeFunction"]
        assert "LiveAlias" in resource
        assert "*" not in resource

    @pytest.mark.parametrize("page", [None, ApprovalPage()])
    def test_should_refuse_agents_whom_nobody_signs_in(self, page: Any) -> None:
        with pytest.raises(ValueError, match="mcp needs a page whose sign_in"):
            HitlApproval(any_stack(), "Approval", page=page, mcp=True)

    def test_should_take_agents_of_an_authorizer_that_is_brought(self) -> None:
        stack = any_stack()
        HitlApproval(stack, "Approval", page=ApprovalPage(sign_in=HttpIamAuthorizer()), mcp=True)
        found = functions(template(stack)["Resources"])[Handler.SIGNED_IN]
        variables = found["Environment"]["Variables"]
        assert Env.WORKFLOW_ALIAS_ARN in variables
        assert Env.INBOX_URL not in variables
