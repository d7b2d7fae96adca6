"""Names and numbers that infrastructure and runtime must agree on. Standard library only.

A string that a construct writes and a function reads is typed here once, and nowhere else.
"""

from __future__ import annotations

from typing import Final, Literal

LIBRARY_VERSION: Final = "0.1.0"
"""Of this library; pyproject.toml reads it here."""

ResumeMode = Literal["callback", "polling"]
"""How a workflow learns of a decision: its callback is completed, or it polls the record."""


MessageKind = Literal[
    "requested", "changed", "reminder", "released", "question", "answer",
    "outcome", "expired", "withdrawn",
]  # fmt: skip
"""What a message to one person says: see `domain.message`."""

Channel = Literal["sns", "ses", "slack", "webhook"]
"""What carries messages: see `domain.delivery`."""

AwsService = Literal[
    "dynamodb", "events", "kms", "lambda", "s3", "secretsmanager", "sesv2", "sns", "sqs",
    "stepfunctions",
]  # fmt: skip
"""What the functions call, as botocore names it: their bundle knows no other service."""


class Env:
    """Environment variables of the deployed functions."""

    APPROVALS_TABLE_NAME: Final = "APPROVALS_TABLE_NAME"
    AUDIT_TABLE_NAME: Final = "AUDIT_TABLE_NAME"
    SNS_TOPIC_ARN: Final = "SNS_TOPIC_ARN"
    APPROVAL_TIMEOUT_SECONDS: Final = "APPROVAL_TIMEOUT_SECONDS"
    """Default time to decide, in seconds."""
    MAX_APPROVAL_TIMEOUT_SECONDS: Final = "MAX_APPROVAL_TIMEOUT_SECONDS"
    """Longest time to decide that the durable execution can hold, in seconds."""
    APPROVAL_POLICY: Final = "APPROVAL_POLICY"
    """JSON of `Policy.to_dict()`: the deployment's default policy."""
    DEFAULT_APPROVERS: Final = "DEFAULT_APPROVERS"
    """JSON list of names: the approvers of requests that name none."""
    APPROVER_GROUPS: Final = "APPROVER_GROUPS"
    """A file of groups, by its name where Python finds modules; not set where there are none."""
    APPROVAL_RULES: Final = "APPROVAL_RULES"
    """A file of rules, by its name where Python finds modules; not set where there are none."""
    DIRECTORY: Final = "DIRECTORY"
    """A file that says who is reached how, by its name where Python finds modules; not set where
    all are reached by the topic of messages for one person."""
    REQUESTS_NAME_APPROVERS: Final = "REQUESTS_NAME_APPROVERS"
    """"true" where requests may name people whom the deployment does not name."""
    OPERATORS: Final = "OPERATORS"
    """JSON list of names: who may withdraw any request; not set: nobody, besides its requester."""
    RESUME_MODE: Final = "RESUME_MODE"
    POLL_INTERVAL_SECONDS: Final = "POLL_INTERVAL_SECONDS"
    RETENTION_DAYS: Final = "RETENTION_DAYS"
    """Days that a row stays after its expiry, before DynamoDB's TTL removes it."""
    TRUST_AUTHORIZER: Final = "TRUST_AUTHORIZER"
    """"true" where the approval function is reached only through an authorizer."""
    SIGN_IN_CLAIM: Final = "SIGN_IN_CLAIM"
    """The claim of a JWT that names who has signed in."""
    SIGN_IN_MAX_AGE_SECONDS: Final = "SIGN_IN_MAX_AGE_SECONDS"
    """How old a sign-in by JWT may be that decides, in seconds; not set: of any age."""
    PERSONAL_SESSIONS: Final = "PERSONAL_SESSIONS"
    """JSON list of the IAM roles whose sessions are people; not set: each role is one person."""
    SIGN_IN_ISSUER: Final = "SIGN_IN_ISSUER"
    """The issuer by which browsers sign in; not set where an authorizer of API Gateway does it."""
    SIGN_IN_CLIENT_ID: Final = "SIGN_IN_CLIENT_ID"
    SIGN_IN_CLIENT_SECRET_ARN: Final = "SIGN_IN_CLIENT_SECRET_ARN"  # noqa: S105  an ARN's name
    """The secret in Secrets Manager; not set for a client without one."""
    SESSION_KEY_ARN: Final = "SESSION_KEY_ARN"
    """The KMS key whose codes seal the cookies of browsers that have signed in."""
    SIGNING_KEY_ARN: Final = "SIGNING_KEY_ARN"
    """The KMS key that signs audit events; not set where they are not signed."""
    PERSONAL_TOPIC_ARN: Final = "PERSONAL_TOPIC_ARN"
    """The topic of messages for one person; not set where there is no page."""
    PAGE_URL: Final = "PAGE_URL"
    """Where personal links lead, without a slash at its end; not set where there is no page."""
    MAIL: Final = "MAIL"
    """JSON object: who mails by SES are from; not set where none are sent by it."""
    INBOX_URL: Final = "INBOX_URL"
    """Where people sign in by a browser, without a slash at its end; not set where nobody can."""
    STACK: Final = "STACK"
    """What `hitl --stack` takes for this deployment; not set where it takes it without."""
    INBOX_TABLE_NAME: Final = "INBOX_TABLE_NAME"
    """Name of the inbox table; not set where there is no stream to fill it from."""
    MESSAGES_TABLE_NAME: Final = "MESSAGES_TABLE_NAME"
    """Name of the messages table; not set where there is no page that links could lead to."""
    MESSAGES_OFF: Final = "MESSAGES_OFF"
    """JSON list of the kinds of messages that this deployment does not send."""
    REMINDERS: Final = "REMINDERS"
    """JSON list of seconds after which who has not answered is reminded; not set: the default."""
    ORGANIZATION: Final = "ORGANIZATION"
    """A file that says whose page it is, by its name where Python finds modules; not set where
    nobody's in particular."""
    PAGE_CHALLENGE: Final = "PAGE_CHALLENGE"
    """"true" where a link's page asks for the code that stands in the other channel."""
    REQUEST_FUNCTION_ARN: Final = "REQUEST_FUNCTION_ARN"
    """What an attached function asks through, by an alias of its own name; only there."""
    WORKFLOW_ALIAS_ARN: Final = "WORKFLOW_ALIAS_ARN"
    """What agents start by MCP; only in the signed-in function, and not set where they cannot."""
    SLACK: Final = "SLACK"
    """JSON object: the Slack workspace where people are asked; not set: in none."""
    WEBHOOKS: Final = "WEBHOOKS"
    """JSON object: the secret's ARN of each webhook by its name; not set: there are none."""
    EVENT_BUS_NAME: Final = "EVENT_BUS_NAME"
    """Name or ARN of the bus that gets every transition."""
    ARCHIVE: Final = "ARCHIVE"
    """JSON object: the bucket, key and queue of the archive; not set: there is none."""
    DETAILED_METRICS: Final = "DETAILED_METRICS"
    """"true" where the metrics of `Metrics.DETAILED` are written; not set: they are not."""
    LOG_LEVEL: Final = "LOG_LEVEL"


FUNCTION_NAME: Final = "AWS_LAMBDA_FUNCTION_NAME"
"""The variable by which Lambda tells a function its own name."""

ATTACHED_PREFIX: Final = "HITL_"
"""Before each of these names in an attached function, which may have such variables of its own."""


class Table:
    """Keys and indexes of the approvals table."""

    PARTITION_KEY: Final = "approval_id"
    STATUS_INDEX: Final = "StatusIndex"
    STATUS: Final = "status"
    CREATED_AT: Final = "created_at"
    TTL: Final = "ttl"
    ATTENTION_INDEX: Final = "AttentionIndex"
    """Sparse: rows that still need something, and since when. The sweep reads nothing else."""
    ATTENTION: Final = "attention"
    """`pending` until decided, `decided` until the workflow has resumed, then absent; `postponed`
    when the sweep could not repair it."""
    ATTENTION_AT: Final = "attention_at"
    """The expiry of a pending row, the decision's time of a decided one, of a postponed one when
    the sweep tries again."""
    ATTENTION_TRIES: Final = "attention_tries"
    """How often the sweep has tried in vain to repair a postponed row."""
    ATTENTION_REASON: Final = "attention_reason"
    """Why a postponed row is not repaired; absent where nothing is amiss."""
    ATTENTION_ATTRIBUTES: Final = (STATUS, ATTENTION_TRIES, ATTENTION_REASON)
    """What that index projects beside its keys."""
    LIST_ATTRIBUTES: Final = (
        "subject",
        "document_id",
        "document_name",
        "requester",
        "approvers",
        "expires_at",
        "decision",
        "decided_by",
        "decided_at",
    )
    """What a list shows, and so all that the index projects: no callback ids, no context."""


class Audit:
    """Keys of the audit table."""

    PARTITION_KEY: Final = "approval_id"
    SORT_KEY: Final = "sequence"
    HASH: Final = "hash"
    SIGNATURE: Final = "signature"
    """Beside the event, and like its hash no part of what is hashed."""
    SALTS: Final = "salts"
    """Beside it too: the salt of each personal value that is there."""
    DIGESTS: Final = "digests"
    """The digest of each personal value that is erased; part of what is hashed."""
    ERASED_AT: Final = "erased_at"
    """Beside the event: when the last of them was erased."""


class Inbox:
    """Keys of the inbox table: what awaits each approver, filled from the audit's stream."""

    PARTITION_KEY: Final = "approver"
    """Written as `domain.text.spelling` does."""
    SORT_KEY: Final = "due"
    """The expiry and then the id: what is most urgent comes first."""
    TTL: Final = "ttl"


class Messages:
    """Keys of the messages table: what each person is sent of each approval."""

    PARTITION_KEY: Final = "approval_id"
    SORT_KEY: Final = "message"
    """Written as `domain.message.message_key` does."""
    DUE_INDEX: Final = "DueIndex"
    """Sparse: messages that are still to be sent, and when they are tried next."""
    SHARD: Final = "due_shard"
    """Spreads the index's writes: DynamoDB takes 1,000 a second in one partition of it."""
    SHARDS: Final = 4
    DUE: Final = "due"
    KIND: Final = "kind"
    TTL: Final = "ttl"


class Output:
    """CloudFormation outputs of a deployment.

    Of a stack that is one deployment by these names; of one embedded in a stack with the path of
    its construct before the name and CDK's hash after it.
    """

    WORKFLOW_FUNCTION_NAME: Final = "WorkflowFunctionName"
    WORKFLOW_FUNCTION_ARN: Final = "WorkflowFunctionArn"
    WORKFLOW_VERSION: Final = "WorkflowVersion"
    APPROVAL_API_FUNCTION_NAME: Final = "ApprovalApiFunctionName"
    SWEEP_FUNCTION_NAME: Final = "SweepFunctionName"
    APPROVALS_TABLE_NAME: Final = "ApprovalsTableName"
    AUDIT_TABLE_NAME: Final = "AuditTableName"
    INBOX_TABLE_NAME: Final = "InboxTableName"
    """Only where there is a publisher function."""
    MESSAGES_TABLE_NAME: Final = "MessagesTableName"
    """Only where there is a page."""
    SNS_TOPIC_ARN: Final = "SnsTopicArn"
    SIGNING_KEY_ARN: Final = "SigningKeyArn"
    """Only where audit events are signed."""
    PAGE_URL: Final = "PageUrl"
    PERSONAL_TOPIC_ARN: Final = "PersonalTopicArn"
    """Both only where there is a page."""
    ARCHIVE_BUCKET_NAME: Final = "ArchiveBucketName"
    ARCHIVE_KEY_ARN: Final = "ArchiveKeyArn"
    """Both only where there is an archive."""
    MAIL_SENDER: Final = "MailSender"
    """Only where mails are sent by SES."""
    SIGN_IN_ISSUER: Final = "SignInIssuer"
    SIGN_IN_CLIENT_ID: Final = "SignInClientId"
    """Both only where browsers sign in to the deployment itself."""
    VERSION: Final = "HitlApprovalVersion"
    """Of this library, when it was deployed."""


OUTPUTS: Final[tuple[str, ...]] = tuple(v for k, v in vars(Output).items() if k.isupper())
"""Every name in `Output`."""


class Handler:
    """Entry points inside the one Lambda bundle."""

    WORKFLOW: Final = "workflow.handler.handler"
    APPROVAL_API: Final = "approval_api.handler.handler"
    REQUEST_API: Final = "request_api.handler.handler"
    SWEEP: Final = "sweep.handler.handler"
    PUBLISHER: Final = "publisher.handler.handler"
    PAGE: Final = "page.handler.handler"
    SIGNED_IN: Final = "signed_in.handler.handler"
    MESSENGER: Final = "messenger.handler.handler"
    SLACK_API: Final = "slack_api.handler.handler"


class Metrics:
    """CloudWatch metrics, written through the log (embedded metric format)."""

    NAMESPACE: Final = "HitlApproval"
    DEPLOYMENT: Final = "Deployment"
    """The dimension of all: the name of the deployment's approvals table."""
    NOTIFICATION_FAILED: Final = "NotificationFailed"
    RESUME_FAILED: Final = "ResumeFailed"
    DECIDED_NOT_RESUMED: Final = "DecidedNotResumed"
    """Decisions that a sweep found with their workflow asleep or gone. 0 when all is well."""
    PENDING_PAST_EXPIRY: Final = "PendingPastExpiry"
    """Requests that a sweep had to close because their workflow did not. 0 when all is well."""
    PASSED_OVER: Final = "PassedOver"
    """Records that a sweep, and events that the publisher could not take for what they are; a sweep
    counts one more when its time was up before it had seen all. 0 when all is well."""
    ALTERED_RECORD: Final = "AlteredRecord"
    """Ends that no workflow acted on: the row is not what its audit trail says."""
    ALTERED_TRAIL: Final = "AlteredTrail"
    """Audit events that somebody has changed or removed, which no part of a deployment does."""
    ERASED_VALUES: Final = "ErasedValues"
    """Personal values that somebody has erased from audit events, which `hitl audit erase` does."""
    ARCHIVE_FAILED: Final = "ArchiveFailed"
    """Audit events that could not be archived, at each try: they are tried again. 0 when all is
    well."""
    PENDING: Final = "Pending"
    """Requests that await a decision, as the last sweep counted; 100,000 are so many or more."""
    REQUESTED: Final = "Requested"
    APPROVED: Final = "Approved"
    REJECTED: Final = "Rejected"
    TIMED_OUT: Final = "TimedOut"
    CANCELLED: Final = "Cancelled"
    TIME_TO_DECISION: Final = "TimeToDecision"
    """Seconds from a request to people's approval or rejection."""
    PENDING_AGE: Final = "PendingAge"
    """Seconds since the request of which 95 % of the pending ones are younger was made."""
    SWEEP_LAG: Final = "SweepLag"
    """Seconds that the oldest record which a sweep has not come to waits for it, its grace not
    counted. 0 when all is well."""
    REMINDERS_SENT: Final = "RemindersSent"
    SEND_FAILED: Final = "SendFailed"
    """Tries that did not send a message, by `CHANNEL`. Each is repeated."""
    CHANNEL: Final = "Channel"
    """A dimension beside the deployment, of `SEND_FAILED` only: one of `Channel`."""
    DETAILED: Final = (PENDING_AGE, SWEEP_LAG, REMINDERS_SENT, SEND_FAILED)
    """Written only where the deployment is monitored: CloudWatch charges for each metric."""


METRICS: Final[tuple[str, ...]] = tuple(
    value
    for name, value in vars(Metrics).items()
    if name.isupper() and name not in {"NAMESPACE", "DEPLOYMENT", "CHANNEL", "DETAILED"}
)
"""Every metric in `Metrics`."""


class Events:
    """Events on EventBridge; `docs/events.md` describes them for those who listen."""

    SOURCE: Final = "hitl-approval"
    VERSION: Final = "1"
    """Of the detail's shape: raised when a field goes or changes its meaning, not for new ones."""
    REQUESTED: Final = "Approval Requested"
    VOTED: Final = "Approval Voted"
    RETRACTED: Final = "Approval Vote Retracted"
    STAGE_OPENED: Final = "Approval Stage Opened"
    ESCALATED: Final = "Approval Escalated"
    REASSIGNED: Final = "Approval Reassigned"
    DECIDED: Final = "Approval Decided"
    TIMED_OUT: Final = "Approval Timed Out"
    CANCELLED: Final = "Approval Cancelled"
    NOTIFICATION_FAILED: Final = "Approval Notification Failed"
    REMINDED: Final = "Approval Reminded"
    COMMENTED: Final = "Approval Commented"


SLACK_API: Final = "https://slack.com/api"
"""Where Slack's Web API is."""


EMAIL_CLAIM: Final = "email"
"""Names who has signed in by default, and only where the claim `email_verified` is true."""

GROUPS_FILE: Final = "hitl_approval_groups.json"
"""In a layer's `python` folder. JSON object: the people that each group's name stands for."""

DIRECTORY_FILE: Final = "hitl_approval_directory.json"
"""In a layer's `python` folder. JSON object, as `domain.delivery.Directory.to_dict` writes it."""

ORGANIZATION_FILE: Final = "hitl_approval_organization.json"
"""In a layer's `python` folder, as `domain.organization.Organization.to_dict` writes it."""

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""What `LOG_LEVEL` may be."""

SES_EVENTS: Final = "aws.ses"
"""Source of SES's events on EventBridge."""
SES_EVENT_TYPES: Final = ("Bounce", "Complaint", "Reject")
"""Of these the ones that say that a mail did not reach its reader, or was unwanted."""

APPROVER_ATTRIBUTE: Final = "approver"
"""Message attribute that personal subscriptions filter by, as `domain.text.spelling` has it."""

DOCUMENT_APPROVAL: Final = "document"
"""Name of the packaged workflow's approval: callers derive its id from the execution's ARN."""

TASK_TOKEN: Final = "task_token"  # noqa: S105  a field's name
"""Field of the packaged workflow's event: the Step Functions task that waits for the outcome."""

DEFAULT_STACK_NAME: Final = "hitl-approval"
"""Name of the deployable app's stack, unless its context says otherwise."""

ALIAS: Final = "live"
"""Alias of the workflow function that callers start."""

EXECUTION_ENDED: Final = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED", "DELETING"})
"""Statuses of a durable execution that never goes on, as Lambda's GetDurableExecution names them.

Every other is alive, also one that is not known yet: to take the living for dead would lose it."""
EXECUTION_PAUSED: Final = frozenset({"PAUSING", "PAUSED"})
"""Statuses of one that goes on when somebody resumes it in Lambda."""

MIN_DEFAULT_TIMEOUT_SECONDS: Final = 60
"""Shortest default time to decide (the pattern's `MinValue`). A single request may ask for 1 s."""

MAX_EXECUTION_SECONDS: Final = 366 * 24 * 3600
"""Longest durable execution, Lambda's quota."""

EXECUTION_MARGIN_SECONDS: Final = 900
"""Time an execution keeps beside the wait itself: start, retries of a step, clocks apart."""

MAX_OPERATIONS: Final = 3_000
"""Durable operations per execution, Lambda's quota; not raisable."""
