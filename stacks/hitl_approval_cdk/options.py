"""Every option of `HitlApproval`, declared once.

A line of `Options`, here, in `messaging` or in `hosting`, is all that an option is: its name, its
type, what `Option` says of it, and the text below it with its default. From here follow the
keywords of `HitlApproval` and `HitlApprovalStack` and what `help` shows of them, the checks at
synth, the context keys of the deployable app, the functions' environment, and the tables in
`docs/construct.md` and `docs/deploy.md` (`make docs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Never, TypeAlias, TypedDict, get_args

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from hitl_approval.contract import Env, ResumeMode
from hitl_approval.domain.policy import OnTimeout
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.rule import Rule
from hitl_approval.domain.stage import Escalate
from hitl_approval_cdk import archive, option, page, readers, rule_option, rules, turn_option
from hitl_approval_cdk.archive import Archive
from hitl_approval_cdk.hosting import HostingOptions
from hitl_approval_cdk.messaging import MessagingOptions
from hitl_approval_cdk.option import ContextKey, LeftOut, Option, Variable
from hitl_approval_cdk.page import ApprovalPage

_SECONDS = "a whole number of seconds"
_DAYS = "a whole number of days"
_ADDRESSES = "addresses with commas between them"
_SWITCH = "true or false"


def _switch(key: str) -> Option:
    """On or off, off by default; in the app by a context key of this name."""
    keys = [ContextKey(key, readers.switch, _SWITCH)]
    return Option(rules.switch, default=False, keys=keys)


class DecisionOptions(TypedDict, Generic[LeftOut], total=False):
    """How decisions are made and kept."""

    approval_timeout: Annotated[
        Duration | LeftOut,
        Option(
            rules.approval_timeout,
            default=Duration.hours(1),
            keys=[
                ContextKey(
                    "approval_timeout_seconds", readers.seconds, _SECONDS, "300", differs=True
                )
            ],
            variable=Variable(
                Env.APPROVAL_TIMEOUT_SECONDS, option.in_seconds, ("functions that wait",)
            ),
        ),
    ]
    """Time to decide of requests that bring none; whole seconds, at least 60 s.
    Default: 1 hour."""

    approvers: Annotated[
        Sequence[str] | None,
        Option(
            rules.approvers,
            keys=[ContextKey("approvers", readers.names, "names with commas between them")],
        ),
    ]
    """Who may decide requests that name nobody: people or `groups`; at most 500 people.
    Default: anyone who may call the approval function."""

    groups: Annotated[
        Mapping[str, Sequence[str]] | LeftOut,
        Option(
            rules.groups,
            default={},
            keys=[ContextKey("groups", readers.groups, 'like {"leads": ["ann", "bob"]}')],
        ),
    ]
    """The people that a name in `approvers`, here or in a request, stands for: any number of groups
    of at most 500 people, known at synth.
    Default: none, every name is a person's own."""

    operators: Annotated[
        Sequence[str] | None,
        Option(
            rules.operators,
            keys=[ContextKey("operators", readers.names, "names with commas between them")],
            variable=Variable(
                Env.OPERATORS, option.as_json, ("approval function", "signed-in function")
            ),
        ),
    ]
    """Who may withdraw any request, named as they sign in; they may decide nothing by that. At most
    20. Default: nobody, besides who asked for it and the workflow."""

    requests_name_approvers: Annotated[
        bool,
        Option(
            rules.switch,
            default=False,
            keys=[ContextKey("requests_name_approvers", readers.switch, _SWITCH)],
            variable=Variable(
                Env.REQUESTS_NAME_APPROVERS,
                option.as_switch,
                ("functions that write requests", "approval function", "signed-in function"),
            ),
        ),
    ]
    """Whether requests may name people who are neither in `approvers` nor in `groups`, where
    there are any, and a smaller quorum: who asks then chooses who decides. Default: False, they
    choose among those."""

    rules: Annotated[
        Sequence[Rule | Mapping[str, Any]] | LeftOut,
        Option(
            rule_option.rules,
            default=(),
            keys=[
                ContextKey(
                    "rules",
                    readers.json_list,
                    'a list like [{"id": "big", "when": {"field": "amount", ">=": 10000}, '
                    '"approvers": ["cfo"]}]',
                )
            ],
        ),
    ]
    """Which requests are decided otherwise, by what they say: the first `Rule` that matches says
    who decides and how many must approve, or ends the request at once. At most 50, known at synth;
    as `Rule`, or as the JSON of `hitl policy test`. Default: none."""

    quorum: Annotated[
        Quorum | LeftOut,
        Option(
            rules.quorum,
            default=Quorum.any_one(),
            keys=[
                ContextKey(
                    "quorum",
                    readers.quorum,
                    "any_one, everyone or a number of at least 1",
                    "any_one",
                )
            ],
        ),
    ]
    """How many must approve; `Quorum.of({"finance": 1})` also says who is asked, so many of each of
    `groups`, and then `approvers` are left out. Default: any one."""

    escalation: Annotated[
        Sequence[Escalate | Mapping[str, Any]] | LeftOut,
        Option(
            turn_option.escalation,
            default=(),
            keys=[
                ContextKey(
                    "escalation",
                    readers.json_list,
                    'a list like [{"after_seconds": 28800, "to": ["leads"]}]',
                )
            ],
        ),
    ]
    """Who is asked when a stage of a request takes so long, step by step: people or `groups`,
    besides who was asked or in their place. At most 10 steps. Default: nobody else."""

    rejections_needed: Annotated[
        int,
        Option(
            rules.rejections_needed,
            default=1,
            keys=[ContextKey("rejections_needed", readers.number, "a whole number")],
        ),
    ]
    """How many must reject for a rejection. Default: 1, a veto for each."""

    on_timeout: Annotated[
        OnTimeout | LeftOut,
        Option(
            rules.instance_of(OnTimeout, "use OnTimeout.reject(), say"),
            default=OnTimeout.timeout(),
            keys=[
                ContextKey(
                    "on_timeout",
                    readers.on_timeout,
                    "timeout or reject: silence never approves",
                    "timeout",
                )
            ],
        ),
    ]
    """What silence means: a timeout or a rejection, never an approval.
    Default: `OnTimeout.timeout()`."""

    page: Annotated[
        ApprovalPage | None,
        Option(rules.instance_of(ApprovalPage, "use ApprovalPage()"), keys=page.CONTEXT_KEYS),
    ]
    """The page where approvers decide by personal links, one for each named approver of a request.
    Default: none."""

    resume: Annotated[
        ResumeMode,
        Option(
            rules.one_of(*get_args(ResumeMode)),
            default="callback",
            keys=[ContextKey("resume", readers.resume, "callback or polling")],
            variable=Variable(Env.RESUME_MODE, option.as_text, ("functions that wait",)),
        ),
    ]
    """How a waiting workflow learns of a decision: `"callback"` resumes it at once; `"polling"`
    reads the record every so often, for accounts that may not call Lambda's callback API.
    Default: `"callback"`."""

    poll_interval: Annotated[
        Duration | LeftOut,
        Option(
            rules.poll_interval,
            default=Duration.seconds(5),
            keys=[ContextKey("poll_interval_seconds", readers.seconds, _SECONDS, "5")],
            variable=Variable(
                Env.POLL_INTERVAL_SECONDS, option.in_seconds, ("functions that wait",)
            ),
        ),
    ]
    """Shortest time between two polls, stretched to 0.5 % of the time waited; whole seconds, at
    least 1 s. Only for polling. Default: 5 seconds."""

    removal_policy: Annotated[
        RemovalPolicy,
        Option(
            rules.removal_policy,
            default=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            keys=[
                ContextKey("removal_policy", readers.removal_policy, "retain or destroy", "retain")
            ],
        ),
    ]
    """What happens to the approvals table, the audit table and the logs when the stack is deleted;
    the inbox table, a view of the others, is always deleted. A retained table with a `table_name`
    has to be removed or imported before that name is deployed again.
    Default: `RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE`: kept, unless the deployment that made them
    is rolled back."""

    deletion_protection: Annotated[bool, _switch("deletion_protection")]
    """Whether DynamoDB refuses to delete the approvals table and the audit table.
    Default: False."""

    encryption_key: Annotated[
        kms.IKey | None, Option(rules.resource("key_arn", "kms.Key.from_key_arn()"))
    ]
    """Key for all that is stored, except in what is brought along: tables, topics, dead-letter
    queue, logs, the functions' variables, and what the workflow's durable executions keep.
    Default: keys that AWS owns and manages."""

    signing_key: Annotated[
        kms.IKey | None,
        Option(rules.signing_key),
    ]
    """An asymmetric key (`ECC_NIST_P256`, `SIGN_VERIFY`) that signs each audit event, and by its
    hash all events before it: who may write the audit table and not sign with the key cannot forge
    a trail unseen. An event that cannot be signed is not written.
    Default: events are not signed."""

    archive: Annotated[
        Archive | None,
        Option(rules.instance_of(Archive, "use Archive()"), keys=archive.CONTEXT_KEYS),
    ]
    """A bucket with Object Lock that gets the signed hash of each audit event: `hitl audit verify`
    then names a trail that was cut, written anew or removed as a whole. `Archive()` makes one.
    Default: no archive."""

    allow_self_approval: Annotated[bool, _switch("allow_self_approval")]
    """Whether requesters may decide their own requests. Default: False."""

    require_verified_identity: Annotated[bool, _switch("require_verified_identity")]
    """Whether people whose name was only typed in may not decide. Default: False."""

    require_comment_on_rejection: Annotated[bool, _switch("require_comment_on_rejection")]
    """Whether a rejection must say why. Default: False."""

    execution_timeout: Annotated[
        Duration | LeftOut,
        Option(
            rules.execution_timeout,
            keys=[ContextKey("execution_timeout_days", readers.days, _DAYS)],
        ),
    ]
    """Longest life of one workflow execution, at most 366 days. A request may ask for this long
    less 900 s; with a token, for no more than `approval_timeout`.
    Default: whole days, at least one more than `approval_timeout` and at least 7 days."""

    execution_retention: Annotated[
        Duration | LeftOut,
        Option(
            rules.whole_days(
                maximum=rules.MAX_EXECUTION_RETENTION_DAYS, why="Lambda keeps no longer"
            ),
            default=Duration.days(14),
            keys=[ContextKey("execution_retention_days", readers.days, _DAYS, "14")],
        ),
    ]
    """How long Lambda keeps a finished execution's history; 1 to 90 days. Default: 14 days."""

    sweep_interval: Annotated[
        Duration | LeftOut,
        Option(
            rules.whole_minutes,
            default=Duration.minutes(5),
            keys=[ContextKey("sweep_interval_seconds", readers.seconds, _SECONDS, "300")],
        ),
    ]
    """How often the sweep searches for what was left behind; whole minutes, at least 1.
    Default: 5 minutes."""

    retention: Annotated[
        Duration | LeftOut,
        Option(
            rules.whole_days(maximum=rules.MAX_RETENTION_DAYS, why="use Duration.days(3650), say"),
            default=Duration.days(30),
            keys=[ContextKey("retention_days", readers.days, _DAYS, "30")],
            variable=Variable(
                Env.RETENTION_DAYS,
                option.in_days,
                ("functions that write requests", "messenger function"),
            ),
        ),
    ]
    """How long an approval's row stays after its expiry, in whole days. The audit table keeps its
    events for good. Default: 30 days."""

    table: Annotated[
        dynamodb.ITable | None,
        Option(rules.resource("table_arn", "dynamodb.Table.from_table_arn()")),
    ]
    """An approvals table of this account and region to use, with the keys and the indexes of
    `ApprovalsTable`. Default: a new one."""

    audit_table: Annotated[
        dynamodb.ITable | None,
        Option(rules.resource("table_arn", "dynamodb.Table.from_table_attributes()")),
    ]
    """An audit table of this account and region to use, with the keys of `AuditTable`; with a
    stream of old and new images if events are wanted. Default: a new one."""

    table_name: Annotated[
        str | None, Option(rules.instance_of(str, "leave it out for a generated one"))
    ]
    """Physical name of the approvals table. Default: a generated one."""

    topic: Annotated[
        sns.ITopic | None, Option(rules.resource("topic_arn", "sns.Topic.from_topic_arn()"))
    ]
    """A topic of this account and region to publish to; of an imported one name its key too, by
    `sns.Topic.from_topic_attributes(key_arn=...)`.
    Default: a new one that refuses unencrypted connections."""

    event_bus: Annotated[
        events.IEventBus | None,
        Option(rules.resource("event_bus_arn", "events.EventBus.from_event_bus_name()")),
    ]
    """The bus of this region to which every transition is published; a bus of another account must
    allow it by its policy, and has its rules there. Default: the account's default bus."""


class Options(DecisionOptions[LeftOut], MessagingOptions[LeftOut], HostingOptions[LeftOut]):
    """Keywords of `HitlApproval`. None stands for the default where the type allows it."""


HitlApprovalOptions: TypeAlias = Options[None]
"""Options as a caller gives them."""
ResolvedOptions: TypeAlias = Options[Never]
"""All options, checked and with their defaults filled in: what `resolve` returns."""
