"""The approval page: an HTTP API in front of the page function, and messages for one person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from aws_cdk import RemovalPolicy, Token
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from hitl_approval.contract import (
    APPROVER_ATTRIBUTE,
    EMAIL_CLAIM,
    SIGNED_IN_ROUTES,
    Env,
    Route,
)
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request import people
from hitl_approval.domain.text import person
from hitl_approval_cdk import nag, validation

_ACCESS_LOG = json.dumps(
    {
        name: f"$context.{name}"
        for name in ("requestId", "requestTime", "httpMethod", "routeKey", "status", "protocol")
    }
)
"""The route and never the path, in which the token stands; no addresses of people either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPage:
    """The page where approvers decide by a personal link.

    Attributes:
        url: where it is reached, without a slash at its end, when a domain of yours leads to the
            API. Default: the API's own address.
        requests_per_second: what the API takes before it refuses. Default: 20.
        burst: what it takes at once. Default: 40.
        challenge: whether the page also asks for a short code, which stands in the message to
            everyone on `topic` and in `hitl show`, never beside a link. Default: False.
        sign_in: the authorizer that signs people in, by JWT (`HttpJwtAuthorizer`,
            `HttpUserPoolAuthorizer`) or IAM (`HttpIamAuthorizer`): who does so has an inbox, the
            lists and the JSON API, and decides there under a verified identity. Default: none of
            these exist.
        sign_in_claim: the one claim of a JWT that names who has signed in, as requests name
            approvers; a token without it is refused. Choose one that people cannot change
            themselves. It also counts where the deployment has `trust_authorizer`. Default:
            `"email"`, where the claim `email_verified` is true.
    """

    url: str | None = None
    requests_per_second: int = 20
    burst: int = 40
    challenge: bool = False
    sign_in: apigateway.IHttpRouteAuthorizer | None = None
    sign_in_claim: str = EMAIL_CLAIM


@dataclass(frozen=True, slots=True)
class EmailApprover:
    """An approver whose personal links come by e-mail.

    Attributes:
        address: confirmed once, by the mail that AWS sends.
        name: as requests name this approver. Default: the address.
    """

    address: str
    name: str | None = None

    @property
    def approver(self) -> str:
        """The name by which requests mean this person."""
        return self.name or self.address

    def subscribe(self, scope: Construct, topic: sns.ITopic) -> None:
        """Let only this approver's messages go to the address."""
        _subscribe(scope, topic, self.approver, sns.SubscriptionProtocol.EMAIL, self.address)


@dataclass(frozen=True, slots=True)
class SqsApprover:
    """An approver whose personal links are put into a queue, for a chat bot of yours, say.

    Attributes:
        name: as requests name this approver.
        queue: allowed to be sent to.
    """

    name: str
    queue: sqs.IQueue

    @property
    def approver(self) -> str:
        """The name by which requests mean this person."""
        return self.name

    def subscribe(self, scope: Construct, topic: sns.ITopic) -> None:
        """Let only this approver's messages go into the queue."""
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        _subscribe(scope, topic, self.name, sns.SubscriptionProtocol.SQS, self.queue.queue_arn)


Delivery = EmailApprover | SqsApprover
"""How one approver is told."""


def deliveries(to: Sequence[Delivery], *, page: bool) -> tuple[Delivery, ...]:
    """Check who is told how.

    Raises:
        ValueError: an approver twice, a malformed name or address, or no page to lead to.
    """
    if to and not page:
        msg = "deliver_to needs a page that personal links lead to: pass page=ApprovalPage()"
        raise ValueError(msg)
    names = [each.approver for each in to if not Token.is_unresolved(each.approver)]
    try:
        people(names, "deliver_to")
    except InvalidRequest as error:
        msg = f"{error}: name each approver once, in one line"
        raise ValueError(msg) from error
    validation.emails(
        [each.address for each in to if isinstance(each, EmailApprover)], name="deliver_to"
    )
    return tuple(to)


class PageApi(Construct):
    """The page's API and the topic that brings people there.

    One route for personal links, and more behind a sign-in if there is one; throttled, with an
    access log that never holds a token.

    Attributes:
        url: where it is reached, without a slash at its end.
        topic: messages for one approver each; every subscription filters for its own.
        sign_in: the authorizer that signs people in; None where nobody can.
        sign_in_claim: of a JWT, which names who has signed in.
        function: answers links; None until `serve`.
        signed_in_function: answers signed-in people; None without a sign-in.
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
    ) -> None:
        super().__init__(scope, construct_id)
        validation.sign_in(page.sign_in, page.sign_in_claim)
        self.function: lambda_.Function | None = None
        self.signed_in_function: lambda_.Function | None = None
        self.sign_in: apigateway.IHttpRouteAuthorizer | None = page.sign_in
        self.sign_in_claim: str = page.sign_in_claim
        self._challenge = page.challenge
        self.topic: sns.Topic = sns.Topic(
            self, "PersonalTopic", enforce_ssl=True, master_key=encryption_key
        )
        for each in deliver_to:
            each.subscribe(self, self.topic)
        self._api = apigateway.HttpApi(
            self,
            "Api",
            description="hitl-approval: approvers decide by personal links",
            create_default_stage=False,
        )
        self.url: str = page.url or self._api.api_endpoint
        access = logs.LogGroup(
            self, "AccessLogs", retention=log_retention, removal_policy=removal_policy
        )
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self._api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=page.requests_per_second, burst_limit=page.burst
            ),
        )
        made = cast(apigateway.CfnStage, stage.node.default_child)
        made.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access.log_group_arn, format=_ACCESS_LOG
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the functions that ask must know of it."""
        return {
            Env.PAGE_URL: self.url,
            Env.PERSONAL_TOPIC_ARN: self.topic.topic_arn,
            Env.PAGE_CHALLENGE: "true" if self._challenge else "false",
        }

    def serve(self, function: lambda_.Function) -> None:
        """Let this function answer personal links."""
        self.function = function
        for route in self._api.add_routes(
            path=Route.LINK,
            methods=[
                apigateway.HttpMethod.GET,
                apigateway.HttpMethod.HEAD,
                apigateway.HttpMethod.POST,
            ],
            integration=HttpLambdaIntegration("Page", function),
        ):
            nag.personal_link(route)

    def serve_signed_in(self, function: lambda_.Function) -> None:
        """Let this function answer who has signed in, and nobody else."""
        self.signed_in_function = function
        for path, methods in SIGNED_IN_ROUTES.items():
            self._api.add_routes(
                path=path,
                methods=[apigateway.HttpMethod[method] for method in methods],
                integration=HttpLambdaIntegration("SignedIn", function),
                authorizer=self.sign_in,
            )


def _subscribe(
    scope: Construct,
    topic: sns.ITopic,
    approver: str,
    protocol: sns.SubscriptionProtocol,
    endpoint: str,
) -> None:
    sns.Subscription(
        scope,
        f"Personal-{approver}",
        topic=topic,
        protocol=protocol,
        endpoint=endpoint,
        filter_policy={
            APPROVER_ATTRIBUTE: sns.SubscriptionFilter.string_filter(allowlist=[person(approver)])
        },
    )
