"""The approval page: an HTTP API in front of the page function, and messages for one person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from aws_cdk import Annotations, Names, RemovalPolicy, Stack, Token
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
from hitl_approval.domain.text import person_key, shown
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

    Raises:
        ValueError: a value that cannot work.

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

    def __post_init__(self) -> None:
        validation.page(
            url=self.url,
            requests_per_second=self.requests_per_second,
            burst=self.burst,
            challenge=self.challenge,
        )
        if self.sign_in is not None and not hasattr(self.sign_in, "bind"):
            msg = (
                f"page.sign_in must be an authorizer, got {shown(self.sign_in)}: use "
                f"HttpJwtAuthorizer, say"
            )
            raise ValueError(msg)


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

    @property
    def endpoint(self) -> str:
        """Where messages go."""
        return self.address

    def subscribe(self, scope: Construct, topic: sns.ITopic, approvers: Sequence[str]) -> None:
        """Let only messages for these approvers go to the address."""
        sns.Subscription(
            scope,
            f"Personal-{self.approver}",
            topic=topic,
            protocol=sns.SubscriptionProtocol.EMAIL,
            endpoint=self.endpoint,
            filter_policy=_only(approvers),
        )


@dataclass(frozen=True, slots=True)
class SqsApprover:
    """An approver whose personal links are put into a queue, for a chat bot of yours, say.

    Attributes:
        name: as requests name this approver.
        queue: a standard queue of this account and region; allowed to be sent to, and its key to
            be used for that. Several approvers may share it: the message attribute `approver` says
            who is meant. One of another stack makes that stack depend on this one.
    """

    name: str
    queue: sqs.IQueue

    @property
    def approver(self) -> str:
        """The name by which requests mean this person."""
        return self.name

    @property
    def endpoint(self) -> str:
        """Where messages go."""
        return self.queue.queue_arn

    def subscribe(self, scope: Construct, topic: sns.ITopic, approvers: Sequence[str]) -> None:
        """Let only messages for these approvers go into the queue, as CDK's own subscription does.

        Raises:
            ValueError: a queue that this topic can never deliver to.
        """
        _check_queue(self.queue, topic)
        sender = iam.ServicePrincipal("sns.amazonaws.com")
        allowed = self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[sender],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        key = self.queue.encryption_master_key
        used = key is None or (
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[sender],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],  # in a key's policy: this key
                    conditions={"ArnLike": {"aws:SourceArn": _sender_of(key, self.queue, topic)}},
                )
            ).statement_added
        )
        if not (allowed.statement_added and used):
            Annotations.of(scope).add_warning_v2(
                f"hitl-approval:queueNotOurs-{self.queue.node.path}",
                f"the policies of {self.queue.node.path} and of its key are not made in this app: "
                f"they must allow sns.amazonaws.com sqs:SendMessage, and kms:Decrypt and "
                f"kms:GenerateDataKey, or links are lost",
            )
        # Beside the queue: the other way round, two stacks would depend on each other.
        subscription = sns.Subscription(
            cast(Construct, self.queue),
            f"Personal-{Names.node_unique_id(topic.node)}",
            topic=topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=self.endpoint,
            filter_policy=_only(approvers),
        )
        if allowed.policy_dependable is not None:
            subscription.node.add_dependency(allowed.policy_dependable)


def _check_queue(queue: sqs.IQueue, topic: sns.ITopic) -> None:
    path = queue.node.path
    if queue.encryption_type == sqs.QueueEncryption.KMS_MANAGED:
        msg = (
            f"deliver_to: {path} is encrypted with the key that AWS manages for SQS, which SNS can "
            f"never use: use QueueEncryption.SQS_MANAGED, or KMS with a key of yours"
        )
        raise ValueError(msg)
    if queue.fifo:
        msg = f"deliver_to: {path} is a FIFO queue, which takes no links: use a standard queue"
        raise ValueError(msg)
    for what, theirs, ours in (
        ("account", queue.env.account, topic.env.account),
        ("region", queue.env.region, topic.env.region),
    ):
        if theirs != ours and not (Token.is_unresolved(theirs) or Token.is_unresolved(ours)):
            msg = f"deliver_to: {path} is in {what} {theirs}, the page in {ours}: use a queue there"
            raise ValueError(msg)


def _sender_of(key: kms.IKey, queue: sqs.IQueue, topic: sns.ITopic) -> str:
    """Who may use a queue's key: the topic, or any of its account where naming it is a circle."""
    stack = Stack.of(topic)
    own = topic.master_key is not None and topic.master_key.key_arn == key.key_arn
    if own or Stack.of(key) not in {stack, Stack.of(queue)}:
        return stack.format_arn(service="sns", resource="*")
    return topic.topic_arn


def _only(approvers: Sequence[str]) -> dict[str, sns.SubscriptionFilter]:
    names = [person_key(approver) for approver in approvers]
    return {APPROVER_ATTRIBUTE: sns.SubscriptionFilter.string_filter(allowlist=names)}


Delivery = EmailApprover | SqsApprover
"""How one approver is told."""


def deliveries(to: Sequence[Delivery], *, page: ApprovalPage | None) -> tuple[Delivery, ...]:
    """Check who is told how.

    Raises:
        ValueError: something else, an approver twice, a malformed name or address, or no page to
            lead to.
    """
    if page is not None:
        validation.is_a("page", page, ApprovalPage, "use ApprovalPage()")
    if not isinstance(to, list | tuple) or not all(isinstance(each, Delivery) for each in to):
        msg = (
            f"deliver_to must be a list of EmailApprover and SqsApprover, got {shown(to)}: use "
            f'[EmailApprover("ann@example.com")], say'
        )
        raise ValueError(msg)
    if to and page is None:
        msg = "deliver_to needs a page that personal links lead to: pass page=ApprovalPage()"
        raise ValueError(msg)
    if any(Token.is_unresolved(each.approver) for each in to):
        msg = (
            "deliver_to must name approvers at synth, or their links could not be kept apart, got "
            'a token: use EmailApprover(address, name="ann"), with the name that requests say'
        )
        raise ValueError(msg)
    validation.names("deliver_to", [each.approver for each in to], "each approver")
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
        # SNS takes one subscription of an address or a queue.
        told: dict[str, list[Delivery]] = {}
        for each in deliver_to:
            told.setdefault(each.endpoint, []).append(each)
        for first, *more in told.values():
            first.subscribe(self, self.topic, [each.approver for each in (first, *more)])
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
