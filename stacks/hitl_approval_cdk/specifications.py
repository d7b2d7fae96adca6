"""What each function of a deployment is and may do: one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_iam as iam

from hitl_approval.contract import Env, Handler
from hitl_approval_cdk.option import Readers
from hitl_approval_cdk.permissions import COMPLETE_CALLBACK, GET_EXECUTION, Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """What one function is and may do.

    Attributes:
        name: of its parts: `<name>Function`, `<name>Role`, `<name>Logs`, `<name>OwnPolicy`.
        handler: its entry point in the bundle.
        description: shown in the Lambda console.
        role: shown with its role in the IAM console.
        rights: grants what it does with the deployment's resources.
        executions: what it does with executions that wait. Default: nothing.
        reads: variables that it has besides those of every function, where this deployment has
            them. Default: none.
        options: whose option variables it has too. Default: only those of every function.
        seconds: time of one invocation. Default: 30.
    """

    name: str
    handler: str
    description: str
    role: str
    rights: Callable[[Resources, iam.IGrantable], None]
    executions: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    options: Sequence[Readers] = ()
    seconds: int = 30


_SIGN_IN: Final = (Env.SIGN_IN_CLAIM, Env.PERSONAL_SESSIONS, Env.SIGN_IN_MAX_AGE_SECONDS)

WORKFLOW: Final = Specification(
    name="Workflow",
    handler=Handler.WORKFLOW,
    description="Asks people for approval and waits for their decision",
    role="Asks and waits: writes approvals, publishes to the topic",
    rights=Resources.request,
    executions=(COMPLETE_CALLBACK,),  # of requests that another replaces
    reads=(Env.SNS_TOPIC_ARN, Env.PAGE_URL, Env.PAGE_CHALLENGE, Env.INBOX_URL, Env.STACK),
    options=("functions that wait", "functions that write requests"),
    seconds=60,  # of an invocation: a few writes, then it suspends
)
REQUEST: Final = Specification(
    name="Request",
    handler=Handler.REQUEST_API,
    description="Writes the requests of attached functions and answers how they stand",
    role="Asks for attached functions: writes approvals, publishes to the topic",
    rights=Resources.request,
    executions=(COMPLETE_CALLBACK,),  # of requests that another replaces
    reads=(Env.SNS_TOPIC_ARN, Env.PAGE_URL, Env.PAGE_CHALLENGE, Env.INBOX_URL, Env.STACK),
    options=("functions that write requests",),
)
APPROVAL: Final = Specification(
    name="Approval",
    handler=Handler.APPROVAL_API,
    description="Takes people's decisions",
    role="Decides: reads and updates approvals, resumes the workflow",
    rights=Resources.operate,
    executions=(GET_EXECUTION, COMPLETE_CALLBACK),
    reads=(Env.INBOX_TABLE_NAME, Env.MESSAGES_TABLE_NAME, *_SIGN_IN),
    options=("approval function",),
)
SWEEP: Final = Specification(
    name="Sweep",
    handler=Handler.SWEEP,
    description="Repairs what was left behind",
    role="Repairs: closes what is overdue, resumes workflows again",
    rights=Resources.repair,
    executions=(GET_EXECUTION, COMPLETE_CALLBACK),
    options=("sweep function",),
    seconds=240,  # takes up thousands of records, and ends before the next sweep
)
PAGE: Final = Specification(
    name="Page",
    handler=Handler.PAGE,
    description="Shows approvers what is asked and takes their decisions",
    role="Decides by personal links: reads, votes, resumes the workflow",
    rights=Resources.vote,
    executions=(GET_EXECUTION, COMPLETE_CALLBACK),
    reads=(Env.MESSAGES_TABLE_NAME, Env.PAGE_URL, Env.ORGANIZATION),
)
SIGNED_IN: Final = Specification(
    name="SignedIn",
    handler=Handler.SIGNED_IN,
    description="Shows signed-in people their inbox and takes their decisions",
    role="Decides for signed-in people, shows their inbox",
    rights=Resources.serve,
    executions=(GET_EXECUTION, COMPLETE_CALLBACK),
    reads=(
        Env.INBOX_TABLE_NAME,
        Env.MESSAGES_TABLE_NAME,
        Env.PAGE_URL,
        Env.SIGN_IN_ISSUER,
        Env.SIGN_IN_CLIENT_ID,
        Env.SIGN_IN_CLIENT_SECRET_ARN,
        Env.SESSION_KEY_ARN,
        Env.ORGANIZATION,
        *_SIGN_IN,
    ),
    options=("signed-in function",),
)
PUBLISHER: Final = Specification(
    name="Publisher",
    handler=Handler.PUBLISHER,
    description="Publishes every transition to the event bus, fills the inboxes",
    role="Publishes: reads the audit's stream, puts events",
    rights=Resources.publish,
    reads=(Env.INBOX_TABLE_NAME, Env.EVENT_BUS_NAME, Env.ARCHIVE),
)
MESSENGER: Final = Specification(
    name="Messenger",
    handler=Handler.MESSENGER,
    description="Sends each person their messages: requests, reminders, outcomes",
    role="Sends: reads the audit's stream, publishes to the topic of personal messages",
    rights=Resources.deliver,
    reads=(
        *(Env.MESSAGES_TABLE_NAME, Env.PERSONAL_TOPIC_ARN, Env.PAGE_URL),
        *(Env.INBOX_URL, Env.MAIL, Env.STACK),
    ),
    options=("messenger function",),
    seconds=60,  # less than the lease of a message, so that nobody else has begun to send it
)
SLACK: Final = Specification(
    name="Slack",
    handler=Handler.SLACK_API,
    description="Takes what people click and send in Slack",
    role="Decides for people in Slack: reads, votes, resumes the workflow",
    rights=Resources.answer_slack,
    executions=(GET_EXECUTION, COMPLETE_CALLBACK),
    options=("Slack function",),
)
FUNCTIONS: Final = (
    WORKFLOW,
    REQUEST,
    APPROVAL,
    SWEEP,
    PAGE,
    SIGNED_IN,
    PUBLISHER,
    MESSENGER,
    SLACK,
)
"""All of them."""
