"""The page's HTTP API, and the topic of messages for one person each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from hitl_approval.contract import ORGANIZATION_FILE, Env
from hitl_approval.routes import MCP_ROUTES, PAGE_ROUTES, SIGN_IN_ROUTES, SIGNED_IN_ROUTES, Route
from hitl_approval_cdk import nag
from hitl_approval_cdk.delivery import Delivery, by_topic, subscribe
from hitl_approval_cdk.functions import FunctionSettings, PackagedFunction
from hitl_approval_cdk.options import ResolvedOptions
from hitl_approval_cdk.page import ApprovalPage
from hitl_approval_cdk.permissions import let_invoke
from hitl_approval_cdk.sign_in import DeployedSignIn, SignIn
from hitl_approval_cdk.specifications import PAGE, SIGNED_IN, SLACK, Specification

_ACCESS_LOG = json.dumps(
    {
        name: f"$context.{name}"
        for name in ("requestId", "requestTime", "httpMethod", "routeKey", "status", "protocol")
    }
)
"""The route and never the path, in which the token stands; no addresses of people either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedPage:
    """The page of a deployment.

    Attributes:
        url: where it is reached, without a slash at its end.
        api: its HTTP API, for a firewall or a distribution of yours, say.
        topic: messages for one approver each; every subscription filters for its own.
        function: answers personal links.
        slack_function: answers Slack; None where nobody is asked there.
        signed_in_function: answers people who signed in; None where nobody can.
        sign_in: how browsers sign in; None where an authorizer does it, or nobody can.
    """

    url: str
    api: apigateway.HttpApi
    topic: sns.Topic
    function: lambda_.Function
    signed_in_function: lambda_.Function | None
    slack_function: lambda_.Function | None
    sign_in: DeployedSignIn | None


class PageApi(Construct):
    """The page's API and the topic that brings people there.

    Throttled, with an access log that never holds a token.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        page: what it is like.
        deliver_to: who gets personal links and how.
        encryption_key: of the topic and of the access log. Default: none.
        log_retention: how long its access log is kept.
        removal_policy: what happens to that log when the stack is deleted.
        mcp: whether agents have a route there. Default: they have none.

    Attributes:
        page: what it is like.
        url: where it is reached, without a slash at its end.
        api: its HTTP API.
        topic: messages for one approver each; every subscription filters for its own.
        sign_in: how browsers sign in; None where an authorizer does it, or nobody can.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        page: ApprovalPage,
        deliver_to: Sequence[Delivery],
        encryption_key: kms.IKey | None,
        log_retention: logs.RetentionDays,
        removal_policy: RemovalPolicy,
        mcp: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        page.check_sign_in()
        self._agents_routes = MCP_ROUTES if mcp else {}
        self.page: ApprovalPage = page
        self.topic: sns.Topic = sns.Topic(
            self, "PersonalTopic", enforce_ssl=True, master_key=encryption_key
        )
        subscribe(self, self.topic, deliver_to)
        self.api: apigateway.HttpApi = apigateway.HttpApi(
            self,
            "Api",
            description="hitl-approval: approvers decide by personal links",
            create_default_stage=False,
            disable_execute_api_endpoint=True if page.domain is not None else None,
        )
        self.url: str = page.address or self.api.api_endpoint
        access = logs.LogGroup(
            self,
            "AccessLogs",
            # What AWS's services write to other names counts against one policy of the account,
            # which holds 5,120 characters.
            log_group_name=f"/aws/vendedlogs/apis/{self.api.api_id}",
            retention=log_retention,
            removal_policy=removal_policy,
            encryption_key=encryption_key,
        )
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=page.requests_per_second, burst_limit=page.burst
            ),
        )
        if page.domain is not None:
            apigateway.ApiMapping(
                self, "Mapping", api=self.api, domain_name=page.domain, stage=stage
            )
        made = cast(apigateway.CfnStage, stage.node.default_child)
        made.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access.log_group_arn, format=_ACCESS_LOG
        )

        self.sign_in: DeployedSignIn | None = None
        if isinstance(page.sign_in, SignIn):
            self.sign_in = page.sign_in.make(self, url=self.url, removal_policy=removal_policy)

    @property
    def variables(self) -> dict[str, str]:
        """What functions must know of it."""
        sessions, age = list(self.page.personal_sessions), self.page.sign_in_max_age
        named = self.page.organization is not None
        return {
            **(self.sign_in.variables if self.sign_in else {}),
            **({Env.ORGANIZATION: ORGANIZATION_FILE} if named else {}),
            **({Env.PERSONAL_SESSIONS: json.dumps(sessions)} if sessions else {}),
            **({Env.SIGN_IN_MAX_AGE_SECONDS: str(age.to_seconds())} if age is not None else {}),
            **({Env.INBOX_URL: self.url} if self.page.opens_in_a_browser else {}),
            Env.PAGE_URL: self.url,
            Env.PAGE_CHALLENGE: "true" if self.page.challenge else "false",
            Env.SIGN_IN_CLAIM: self.page.sign_in_claim,
        }

    def serve(
        self,
        *,
        links: lambda_.Function,
        signed_in: lambda_.Function | None = None,
        slack: lambda_.Function | None = None,
    ) -> DeployedPage:
        """Route links to one function, what needs a sign-in and what Slack sends to others.

        Args:
            links: answers the one route that takes no sign-in.
            signed_in: answers whom the page's authorizer signed in, or who signs in with a browser.
                Default: nobody can sign in.
            slack: answers what Slack has signed. Default: nobody is asked there.
        """
        for route in self.api.add_routes(
            path=Route.LINK,
            methods=[
                apigateway.HttpMethod.GET,
                apigateway.HttpMethod.HEAD,
                apigateway.HttpMethod.POST,
            ],
            integration=HttpLambdaIntegration("Page", links),
        ):
            nag.personal_link(route)
        if signed_in is not None:
            self._route_signed_in(HttpLambdaIntegration("SignedIn", signed_in))
        if slack is not None:
            for route in self.api.add_routes(
                path=Route.SLACK,
                methods=[apigateway.HttpMethod.POST],
                integration=HttpLambdaIntegration("Slack", slack),
            ):
                nag.signed_by_slack(route)
        return DeployedPage(
            url=self.url,
            api=self.api,
            topic=self.topic,
            function=links,
            signed_in_function=signed_in,
            slack_function=slack,
            sign_in=self.sign_in,
        )

    def _route_signed_in(self, integration: HttpLambdaIntegration) -> None:
        """Every route by the authorizer, but for those from which a browser is led to a sign-in."""
        open_to_browsers: dict[str, tuple[str, ...]] = {}
        authorizer = self.page.sign_in
        if self.sign_in is not None:
            open_to_browsers, authorizer = PAGE_ROUTES | SIGN_IN_ROUTES, self.sign_in.authorizer
        for path, methods in (SIGNED_IN_ROUTES | self._agents_routes | open_to_browsers).items():
            by_browser = path in open_to_browsers
            for route in self.api.add_routes(
                path=path,
                methods=[apigateway.HttpMethod[method] for method in methods],
                integration=integration,
                authorizer=None if by_browser else cast(Any, authorizer),
            ):
                if by_browser:
                    nag.signed_in_page(route)


def page_api(scope: Construct, options: ResolvedOptions) -> PageApi | None:
    """The page's API of a deployment; None where it has no page."""
    page = options["page"]
    if page is None:
        return None
    return PageApi(
        scope,
        "Page",
        page=page,
        deliver_to=by_topic(options["deliver_to"], mail=options["mail"] is not None),
        encryption_key=options["encryption_key"],
        log_retention=options["log_retention"],
        removal_policy=options["removal_policy"],
        mcp=options["mcp"],
    )


def decision_functions(
    scope: Construct, api: PageApi, settings: FunctionSettings, live: lambda_.Alias
) -> dict[Specification, PackagedFunction]:
    """The functions that answer people on the page's API, by what they are.

    Args:
        scope: where they belong.
        api: the page's.
        settings: what they share with the other functions.
        live: of the workflow, on whose executions they act and which agents start.
    """
    page = api.page
    wanted = {PAGE: True, SIGNED_IN: page.sign_in, SLACK: settings.options["slack"]}
    made = {
        specification: PackagedFunction(
            scope,
            f"{specification.name}Function",
            specification=specification,
            settings=settings,
            workflow=cast(lambda_.Function, live.lambda_),
        )
        for specification, is_wanted in wanted.items()
        if is_wanted
    }
    if settings.options["mcp"]:
        _serve_agents(made[SIGNED_IN], live, api.variables.get(Env.INBOX_URL))
    return made


def _serve_agents(function: lambda_.Function, live: lambda_.Alias, inbox_url: str | None) -> None:
    """Let a function ask for agents: it starts the workflow, and says where people decide."""
    function.add_environment(Env.WORKFLOW_ALIAS_ARN, live.function_arn)
    if inbox_url is not None:
        function.add_environment(Env.INBOX_URL, inbox_url)
    let_invoke(live, function)
