"""The options of how a deployment is run: network, logs, tracing, alarms, size of functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypedDict

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from hitl_approval.contract import LOG_LEVELS, Env
from hitl_approval_cdk import monitoring, option, readers, rules
from hitl_approval_cdk.monitoring import Monitoring
from hitl_approval_cdk.network import Network
from hitl_approval_cdk.option import ContextKey, LeftOut, Option, Variable


class HostingOptions(TypedDict, Generic[LeftOut], total=False):
    """How a deployment is run."""

    log_retention: Annotated[
        logs.RetentionDays,
        Option(
            rules.resource(logs.RetentionDays, "logs.RetentionDays.ONE_YEAR"),
            default=logs.RetentionDays.THREE_MONTHS,
            keys=[
                ContextKey(
                    "log_retention_days",
                    readers.log_retention,
                    f"one of {', '.join(map(str, readers.LOG_RETENTIONS))}",
                    "90",
                )
            ],
        ),
    ]
    """How long the logs of the functions and of the page's API are kept. Default: three months."""

    log_level: Annotated[
        str,
        Option(
            rules.one_of(*LOG_LEVELS),
            default="INFO",
            keys=[ContextKey("log_level", readers.upper, "a level like INFO")],
            variable=Variable(Env.LOG_LEVEL, option.as_text, ("every function",)),
        ),
    ]
    """Level of this package's own log lines. Default: `"INFO"`."""

    trust_authorizer: Annotated[
        bool,
        Option(
            rules.switch,
            default=False,
            keys=[ContextKey("trust_authorizer", readers.switch, "true or false")],
            variable=Variable(Env.TRUST_AUTHORIZER, option.as_switch, ("approval function",)),
        ),
    ]
    """Whether the approval function is reached only through an API whose authorizer can be
    believed; who may invoke it directly could otherwise write any identity into the event. Who such
    an API sends and `page.sign_in_claim` does not name is refused. Default: False."""

    mcp: Annotated[
        bool,
        Option(
            rules.switch,
            default=False,
            keys=[ContextKey("mcp", readers.switch, "true or false")],
        ),
    ]
    """Whether agents may ask by the Model Context Protocol, on `POST /mcp` of the page's API: they
    ask, see how it stands and withdraw as who `page.sign_in` says they are, and can decide nothing.
    Default: False."""

    architecture: Annotated[
        lambda_.Architecture | LeftOut,
        Option(
            rules.architecture,
            default=lambda_.Architecture.ARM_64,
            keys=[ContextKey("architecture", readers.architecture, "arm64 or x86_64", "arm64")],
        ),
    ]
    """Architecture of every function. Default: `Architecture.ARM_64`."""

    memory_size: Annotated[
        int,
        Option(
            rules.memory_size,
            default=512,
            keys=[ContextKey("memory_size", readers.number, "a whole number of MB")],
        ),
    ]
    """Memory of every function, in MB. Default: 512."""

    network: Annotated[Network | None, Option(rules.instance_of(Network, "use Network(vpc=...)"))]
    """Where the functions run in a VPC of yours; they need a way to DynamoDB, Lambda, SNS, SQS,
    EventBridge, Step Functions and KMS from there. Default: outside of any VPC."""

    tracing: Annotated[
        lambda_.Tracing,
        Option(
            rules.resource(lambda_.Tracing, "lambda_.Tracing.ACTIVE"),
            default=lambda_.Tracing.DISABLED,
        ),
    ]
    """Whether AWS X-Ray traces the functions. Default: `Tracing.DISABLED`."""

    reserved_concurrent_executions: Annotated[
        int | None,
        Option(rules.concurrency),
    ]
    """Invocations of the workflow function at a time that the account keeps for it, and the most
    that there are; starts beyond it wait. Default: what the account has."""

    alarm_topic: Annotated[
        sns.ITopic | None, Option(rules.resource("topic_arn", "sns.Topic.from_topic_arn()"))
    ]
    """A topic that gets an alarm when approvers could not be notified, a decision did not resume
    its workflow, a request was not closed in time, or something reached the dead-letter queue: a
    short way to write `monitoring=Monitoring(alarm_topic=..., dashboard=False)`.
    Default: that of `monitoring`."""

    monitoring: Annotated[
        Monitoring | Mapping[str, Any] | None,
        Option(
            monitoring.monitoring,
            keys=[
                ContextKey(
                    "monitoring",
                    readers.switch_or_object,
                    'true, false or an object like {"pending_age_seconds": 86400}',
                    "false",
                )
            ],
            variable=Variable(
                Env.DETAILED_METRICS,
                lambda *_: "true",
                ("sweep function", "messenger function"),
            ),
        ),
    ]
    """A dashboard, and alarms with thresholds of yours, each with its section in the
    [runbook](runbook.md); it costs what CloudWatch takes for [metrics, alarms and
    dashboards](costs.md#what-monitoring-costs). Default: none of these, unless `alarm_topic` is
    given."""
