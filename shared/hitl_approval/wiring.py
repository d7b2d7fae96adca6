"""Puts the adapters behind the ports, once per process, on first use."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache, partial

from hitl_approval.adapters.archive import S3Archive, SqsUnarchived
from hitl_approval.adapters.aws import client, sender
from hitl_approval.adapters.callbacks import LambdaCallbackClient, LambdaExecutions
from hitl_approval.adapters.delegations import DynamoDbDelegations
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.eventbridge import EventBridgePublisher
from hitl_approval.adapters.gauges import DynamoDbGauges
from hitl_approval.adapters.inbox import DynamoDbInbox
from hitl_approval.adapters.issuer import OpenIdIssuer
from hitl_approval.adapters.kms import KmsMac, KmsSigner
from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.adapters.metered import MeteredNotifier
from hitl_approval.adapters.requests import RequestFunctionClient
from hitl_approval.adapters.secrets_manager import SecretsManagerSecret
from hitl_approval.adapters.slack import SlackNotifier, SlackWorkspace
from hitl_approval.adapters.sns import SnsNotifier
from hitl_approval.adapters.starting import WorkflowStarter
from hitl_approval.adapters.system import EmbeddedMetrics, SystemClock, SystemSecrets
from hitl_approval.adapters.tasks import StepFunctionsTasks
from hitl_approval.adapters.webhook import WebhookNotifier
from hitl_approval.contract import Channel
from hitl_approval.ports.messages import Notifier
from hitl_approval.ports.outside import Completed
from hitl_approval.settings import settings
from hitl_approval.usecases.archive import ArchiveService
from hitl_approval.usecases.ask import DirectRequests
from hitl_approval.usecases.decide import DecisionService
from hitl_approval.usecases.deliver import DeliveryService
from hitl_approval.usecases.publish import PublishService
from hitl_approval.usecases.request import RequestService
from hitl_approval.usecases.returned import ReturnedService
from hitl_approval.usecases.sweep import SweepService

_CLIENT_SECRET = "client_secret"  # noqa: S105  a field's name
"""Field of the secret that proves who a client of an issuer is."""


@cache
def request_service() -> RequestService:
    """The requesting side of the deployment that this process belongs to."""
    return RequestService(
        store=_store(retention=settings().retention),
        clock=SystemClock(),
        meter=_meter(),
        signer=_signer(),
        notifier=SnsNotifier(client=client("sns"), topic_arn=settings().topic_arn),
        inbox_url=settings().inbox_url,
        stack=settings().stack,
        secrets=SystemSecrets() if settings().page_challenge else None,
        callbacks=_Callbacks(),
    )


class _Callbacks:
    """Makes its client for the first callback: few requests replace another."""

    def complete(self, callback_id: str) -> Completed:
        """See `ports.CallbackClient.complete`."""
        return LambdaCallbackClient(client=client("lambda")).complete(callback_id)


def direct_requests() -> DirectRequests:
    """What one wait, or one message of an attached function, asks of this deployment."""
    return DirectRequests(request_service(), settings().defaults)


def requests_through(function: str) -> RequestFunctionClient:
    """What one wait asks of a deployment through its request function.

    Args:
        function: the alias of it by which this function asks.
    """
    logging.getLogger("hitl_approval").setLevel(settings().log_level)
    return RequestFunctionClient(
        client=client("lambda"), sender=sender("lambda"), function=function
    )


@cache
def decision_service() -> DecisionService:
    """The deciding side of the deployment that this process belongs to."""
    return DecisionService(
        store=_store(),
        clock=SystemClock(),
        meter=_meter(),
        signer=_signer(),
        callbacks=LambdaCallbackClient(client=client("lambda")),
        executions=LambdaExecutions(client=client("lambda")),
        inbox=_inbox(),
        messages=_messages(),
        delegations=DynamoDbDelegations(
            client=client("dynamodb"), approvals_table=settings().approvals_table_name
        ),
        operators=settings().operators,
        requests_name_approvers=settings().requests_name_approvers,
        sign_in_max_age=settings().sign_in_max_age,
        rules=settings().rules,
        people=settings().named_people,
        groups=tuple(settings().groups),
    )


@cache
def delivery_service() -> DeliveryService:
    """The messenger of the deployment that this process belongs to."""
    messages = _messages(retention=settings().retention)
    url, topic = settings().page_url, settings().personal_topic_arn
    if messages is None or url is None or topic is None:
        msg = "the messenger function needs a page, a messages table and a topic of its own"
        raise RuntimeError(msg)
    return DeliveryService(
        store=_store(),
        clock=SystemClock(),
        meter=_meter(),
        signer=_signer(),
        messages=messages,
        notifiers=_notifiers(topic),
        directory=settings().directory,
        page_url=url,
        inbox_url=settings().inbox_url,
        stack=settings().stack,
        secrets=SystemSecrets(),
        without=settings().messages_off,
    )


@cache
def returned_service() -> ReturnedService:
    """What notes, in the messenger, which messages came back."""
    messages = _messages(retention=settings().retention)
    if messages is None:
        msg = "the messenger function needs a messages table"
        raise RuntimeError(msg)
    return ReturnedService(
        store=_store(), clock=SystemClock(), meter=_meter(), signer=_signer(), messages=messages
    )


@cache
def sweep_service() -> SweepService:
    """The sweep of the deployment that this process belongs to."""
    return SweepService(
        store=_store(),
        clock=SystemClock(),
        meter=_meter(),
        signer=_signer(),
        callbacks=LambdaCallbackClient(client=client("lambda")),
        executions=LambdaExecutions(client=client("lambda")),
        gauges=_gauges(),
    )


@cache
def publish_service() -> PublishService:
    """The publisher of the deployment that this process belongs to."""
    return PublishService(
        store=_store(),
        clock=SystemClock(),
        meter=_meter(),
        publisher=EventBridgePublisher(
            client=client("events"), event_bus_name=settings().event_bus_name
        ),
        deployment=settings().approvals_table_name,
        inbox=_inbox(),
        archiving=None if settings().archive is None else archive_service(),
    )


@cache
def archive_service() -> ArchiveService:
    """What archives the audit events of the deployment that this process belongs to."""
    place, deployment = settings().archive, settings().approvals_table_name
    if place is None:
        msg = "this function needs an archive"
        raise RuntimeError(msg)
    return ArchiveService(
        archive=S3Archive(client=client("s3"), bucket=place.bucket, deployment=deployment),
        unarchived=SqsUnarchived(client=client("sqs"), queue_url=place.queue_url),
        signer=KmsSigner(client=client("kms"), key_arn=place.key_arn),
        clock=SystemClock(),
        meter=_meter(),
        deployment=deployment,
    )


@cache
def sign_in_issuer() -> OpenIdIssuer | None:
    """The issuer by which browsers sign in to this deployment; None where they do otherwise."""
    issuer, secret = settings().sign_in_issuer, settings().sign_in_client_secret_arn
    if issuer is None:
        return None
    return OpenIdIssuer(
        issuer,
        settings().sign_in_client_id,
        partial(_secret(secret).get, _CLIENT_SECRET) if secret else None,
        settings().aws_endpoint_url,
    )


def session_mac() -> KmsMac:
    """What seals the cookies of browsers that have signed in to this deployment."""
    return KmsMac(client=client("kms"), key_arn=settings().session_key_arn)


@cache
def workflow_starter() -> WorkflowStarter | None:
    """What starts the packaged workflow for agents; None where none may by MCP."""
    alias = settings().workflow_alias_arn
    if alias is None:
        return None
    return WorkflowStarter(client=client("lambda"), sender=sender("lambda"), workflow=alias)


@cache
def workspace() -> SlackWorkspace:
    """The Slack workspace where this deployment asks people."""
    slack = settings().slack
    if slack is None:
        msg = "this function needs a Slack workspace"
        raise RuntimeError(msg)
    return SlackWorkspace(team_id=slack.team_id, secret=_secret(slack.secret_arn), api=slack.api)


@cache
def tasks() -> StepFunctionsTasks:
    """The state machines that wait for this deployment's approvals."""
    return StepFunctionsTasks(client=client("stepfunctions"))


def _notifiers(topic: str) -> dict[Channel, Notifier]:
    """What carries messages, by channel: those that this deployment has."""
    found: dict[Channel, Notifier] = {
        "sns": SnsNotifier(client=sender("sns"), topic_arn=topic, personal=True)
    }
    if (mail := settings().mail) is not None:
        # Its templates need jinja2, which functions that ask by the layer or a wheel do without.
        from hitl_approval.adapters.ses import SesNotifier

        found["ses"] = SesNotifier(client=sender("sesv2"), sender=mail)
    if settings().slack is not None:
        found["slack"] = SlackNotifier(workspace=workspace())
    secrets = {name: _secret(arn) for name, arn in settings().webhooks.items()}
    if secrets:
        found["webhook"] = WebhookNotifier(secrets=secrets, clock=SystemClock())
    if not settings().detailed_metrics:
        return found
    return {
        channel: MeteredNotifier(notifier=notifier, channel=channel, meter=_meter())
        for channel, notifier in found.items()
    }


def _secret(arn: str) -> SecretsManagerSecret:
    return SecretsManagerSecret(client=client("secretsmanager"), arn=arn, clock=SystemClock())


def _inbox() -> DynamoDbInbox | None:
    table = settings().inbox_table_name
    return DynamoDbInbox(client=client("dynamodb"), table=table) if table else None


def _messages(**options: timedelta) -> DynamoDbMessages | None:
    table = settings().messages_table_name
    return DynamoDbMessages(client=client("dynamodb"), table=table, **options) if table else None


def _gauges() -> DynamoDbGauges | None:
    if not settings().detailed_metrics:
        return None
    table = settings().approvals_table_name
    return DynamoDbGauges(client=client("dynamodb"), approvals_table=table)


def _meter() -> EmbeddedMetrics:
    return EmbeddedMetrics(deployment=settings().approvals_table_name)


def _signer() -> KmsSigner | None:
    key = settings().signing_key_arn
    return KmsSigner(client=client("kms"), key_arn=key) if key else None


def _store(**options: timedelta) -> DynamoDbStore:
    logging.getLogger("hitl_approval").setLevel(settings().log_level)
    return DynamoDbStore(
        client=client("dynamodb"),
        approvals_table=settings().approvals_table_name,
        audit_table=settings().audit_table_name,
        **options,
    )
