"""The functions' environment as one frozen value, read on first use and never at import."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Self, cast, get_args

from hitl_approval.contract import (
    ATTACHED_PREFIX,
    EMAIL_CLAIM,
    FUNCTION_NAME,
    LOG_LEVELS,
    Env,
    MessageKind,
    ResumeMode,
)
from hitl_approval.domain.archive import ArchivePlace
from hitl_approval.domain.delivery import Directory
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import known_groups, validate_names
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request_values import reminder_seconds
from hitl_approval.domain.rule import Rules
from hitl_approval.domain.sender import Sender
from hitl_approval.domain.slack_settings import SlackSettings
from hitl_approval.domain.text import shown
from hitl_approval.layer_files import Made, read_layer_file
from hitl_approval.usecases.ask import Defaults


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment says to its functions.

    Attributes:
        values: the environment.
        prefix: of the names in it that are ours: none in the deployment's own functions.

    Raises:
        RuntimeError: on use of a variable that is missing or garbled, by its name.
    """

    values: Mapping[str, str]
    prefix: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """The environment of this process.

        An attached function's other variables are its own, whatever they are called.
        """
        values = dict(os.environ)
        attached = ATTACHED_PREFIX + Env.REQUEST_FUNCTION_ARN in values
        return cls(values=values, prefix=ATTACHED_PREFIX if attached else "")

    @property
    def approvals_table_name(self) -> str:
        """Name of the approvals table."""
        return self._required(Env.APPROVALS_TABLE_NAME)

    @property
    def audit_table_name(self) -> str:
        """Name of the audit table."""
        return self._required(Env.AUDIT_TABLE_NAME)

    @property
    def request_function_arn(self) -> str | None:
        """The alias by which this function asks; None: it has the rights to do so directly.

        The alias has the name of the function that asks, which Lambda tells it.
        """
        function = self._value(Env.REQUEST_FUNCTION_ARN)
        return function and f"{function}:{self.values[FUNCTION_NAME]}"

    @property
    def workflow_alias_arn(self) -> str | None:
        """What starts the packaged workflow for agents; None where none may by MCP."""
        return self._value(Env.WORKFLOW_ALIAS_ARN)

    @property
    def topic_arn(self) -> str:
        """ARN of the topic that tells the approvers."""
        return self._required(Env.SNS_TOPIC_ARN)

    @property
    def approval_timeout(self) -> timedelta:
        """Default time to decide."""
        return timedelta(seconds=self._whole(Env.APPROVAL_TIMEOUT_SECONDS))

    @property
    def max_approval_timeout(self) -> timedelta:
        """Longest time to decide that the execution timeout can hold."""
        return timedelta(seconds=self._whole(Env.MAX_APPROVAL_TIMEOUT_SECONDS))

    @property
    def policy(self) -> Policy:
        """Default policy."""
        try:
            return Policy.from_dict(self._json(Env.APPROVAL_POLICY))
        except ValueError as error:
            raise self._garbled(f"{Env.APPROVAL_POLICY}: {error}") from None

    @property
    def defaults(self) -> Defaults:
        """What this deployment says where a request does not."""
        return Defaults(
            approvers=self.default_approvers,
            groups=self.groups,
            policy=self.policy,
            reminders=self.reminders,
            page=self.page_url is not None,
            requests_name_approvers=self.requests_name_approvers,
            rules=self.rules,
        )

    @property
    def named_people(self) -> tuple[str, ...]:
        """Everybody whom this deployment names; nobody where this function does not know them."""
        return () if self._value(Env.APPROVAL_POLICY) is None else self.defaults.people

    @property
    def default_approvers(self) -> tuple[str, ...]:
        """Approvers of requests that name none."""
        try:
            return validate_names(self._json(Env.DEFAULT_APPROVERS), Env.DEFAULT_APPROVERS)
        except InvalidRequest as error:
            raise self._garbled(str(error)) from None

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The people that each group's name stands for."""
        return self._file(Env.APPROVER_GROUPS, "a file of groups", known_groups) or {}

    @property
    def rules(self) -> Rules:
        """Which requests are decided otherwise."""
        return self._file(Env.APPROVAL_RULES, "a file of rules", Rules.from_json) or Rules()

    @property
    def directory(self) -> Directory:
        """Who is reached by which channels."""
        return self._file(Env.DIRECTORY, "a file of addresses", Directory.from_dict) or Directory()

    @property
    def operators(self) -> tuple[str, ...]:
        """Who may withdraw any request, besides who asked for it."""
        if self._value(Env.OPERATORS) is None:
            return ()
        try:
            return validate_names(self._json(Env.OPERATORS), Env.OPERATORS)
        except InvalidRequest as error:
            raise self._garbled(str(error)) from None

    @property
    def requests_name_approvers(self) -> bool:
        """Whether requests may name people whom the deployment does not name."""
        return self._value(Env.REQUESTS_NAME_APPROVERS) == "true"

    @property
    def resume(self) -> ResumeMode:
        """How a waiting workflow learns of a decision."""
        mode = self._required(Env.RESUME_MODE)
        if mode not in get_args(ResumeMode):
            raise self._garbled(f"{Env.RESUME_MODE} must be callback or polling, got {shown(mode)}")
        return cast(ResumeMode, mode)

    @property
    def poll_interval(self) -> timedelta:
        """Shortest time between two polls."""
        return timedelta(seconds=self._whole(Env.POLL_INTERVAL_SECONDS))

    @property
    def retention(self) -> timedelta:
        """How long a row stays after its expiry."""
        return timedelta(days=self._whole(Env.RETENTION_DAYS))

    @property
    def signing_key_arn(self) -> str | None:
        """The KMS key that signs audit events; None where they are not signed."""
        return self._value(Env.SIGNING_KEY_ARN)

    @property
    def page_url(self) -> str | None:
        """Where personal links lead; None where there is no page."""
        return self._value(Env.PAGE_URL)

    @property
    def inbox_url(self) -> str | None:
        """Where people sign in by a browser; None where nobody can."""
        return self._value(Env.INBOX_URL)

    @property
    def stack(self) -> str | None:
        """What `hitl --stack` takes for this deployment; None where it takes it without."""
        return self._value(Env.STACK)

    @property
    def mail(self) -> Sender | None:
        """Who mails by SES are from; None where none are sent by it."""
        if self._value(Env.MAIL) is None:
            return None
        try:
            return Sender.from_dict(self._json(Env.MAIL))
        except ValueError as error:
            raise self._garbled(f"{Env.MAIL} {error}") from None

    @property
    def archive(self) -> ArchivePlace | None:
        """Where audit events are archived; None: nowhere."""
        if self._value(Env.ARCHIVE) is None:
            return None
        try:
            return ArchivePlace(**self._json(Env.ARCHIVE))
        except TypeError:
            raise self._garbled(f"{Env.ARCHIVE} must name a bucket, a key and a queue") from None

    @property
    def organization(self) -> Organization | None:
        """Whose page it is; None: nobody's in particular."""
        return self._file(Env.ORGANIZATION, "a file of one", Organization.from_dict)

    @property
    def page_challenge(self) -> bool:
        """Whether a link's page asks for the code that stands in the other channel."""
        return self._value(Env.PAGE_CHALLENGE) == "true"

    @property
    def messages_table_name(self) -> str | None:
        """Name of the messages table; None where nobody gets messages of their own."""
        return self._value(Env.MESSAGES_TABLE_NAME)

    @property
    def slack(self) -> SlackSettings | None:
        """Where people are asked in Slack; None: nowhere."""
        if self._value(Env.SLACK) is None:
            return None
        try:
            return SlackSettings(**self._json(Env.SLACK))
        except TypeError:
            raise self._garbled(f"{Env.SLACK} must name a Slack workspace") from None

    @property
    def webhooks(self) -> dict[str, str]:
        """The secret's ARN of each webhook, by its name."""
        found = {} if self._value(Env.WEBHOOKS) is None else self._json(Env.WEBHOOKS)
        if not isinstance(found, dict) or not all(isinstance(arn, str) for arn in found.values()):
            raise self._garbled(f"{Env.WEBHOOKS} must name the secret of each webhook")
        return found

    @property
    def messages_off(self) -> frozenset[MessageKind]:
        """Kinds of messages that this deployment does not send."""
        if self._value(Env.MESSAGES_OFF) is None:
            return frozenset()
        kinds = self._json(Env.MESSAGES_OFF)
        if not isinstance(kinds, list) or not set(kinds) <= set(get_args(MessageKind)):
            allowed = ", ".join(get_args(MessageKind))
            raise self._garbled(f"{Env.MESSAGES_OFF} must be a list of {allowed}")
        return frozenset(kinds)

    @property
    def reminders(self) -> tuple[timedelta, ...] | None:
        """After how long who has not answered is reminded; None: as the time to decide says."""
        if self._value(Env.REMINDERS) is None:
            return None
        try:
            return reminder_seconds(self._json(Env.REMINDERS), Env.REMINDERS)
        except InvalidRequest as error:
            raise self._garbled(str(error)) from None

    @property
    def personal_topic_arn(self) -> str | None:
        """ARN of the topic of messages for one person; None where there is no page."""
        return self._value(Env.PERSONAL_TOPIC_ARN)

    @property
    def inbox_table_name(self) -> str | None:
        """Name of the inbox table; None where there is no stream to fill it from."""
        return self._value(Env.INBOX_TABLE_NAME)

    @property
    def event_bus_name(self) -> str:
        """Name or ARN of the bus that gets every transition."""
        return self._required(Env.EVENT_BUS_NAME)

    @property
    def trust_authorizer(self) -> bool:
        """Whether the function is reached only through an authorizer, which can be believed."""
        return self._value(Env.TRUST_AUTHORIZER) == "true"

    @property
    def sign_in_claim(self) -> str:
        """The claim of a JWT that names who has signed in."""
        return self._value(Env.SIGN_IN_CLAIM) or EMAIL_CLAIM

    @property
    def sign_in_max_age(self) -> timedelta | None:
        """How old a sign-in by JWT may be that decides; None: of any age."""
        if self._value(Env.SIGN_IN_MAX_AGE_SECONDS) is None:
            return None
        return timedelta(seconds=self._whole(Env.SIGN_IN_MAX_AGE_SECONDS))

    @property
    def sign_in_issuer(self) -> str | None:
        """The issuer by which browsers sign in; None where an authorizer does it, or nobody can."""
        return self._value(Env.SIGN_IN_ISSUER)

    @property
    def sign_in_client_id(self) -> str:
        """Who this deployment is to that issuer."""
        return self._required(Env.SIGN_IN_CLIENT_ID)

    @property
    def sign_in_client_secret_arn(self) -> str | None:
        """The secret that proves it; None for a client without one."""
        return self._value(Env.SIGN_IN_CLIENT_SECRET_ARN)

    @property
    def session_key_arn(self) -> str:
        """The KMS key whose codes seal cookies."""
        return self._required(Env.SESSION_KEY_ARN)

    @property
    def aws_endpoint_url(self) -> str | None:
        """Where AWS is reached, as its own clients read it; None: under its own names."""
        return self.values.get("AWS_ENDPOINT_URL") or None

    @property
    def personal_sessions(self) -> frozenset[str]:
        """Names of the IAM roles whose sessions are people."""
        if self._value(Env.PERSONAL_SESSIONS) is None:
            return frozenset()
        roles = self._json(Env.PERSONAL_SESSIONS)
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise self._garbled(f"{Env.PERSONAL_SESSIONS} must be a list of names of roles")
        return frozenset(roles)

    @property
    def detailed_metrics(self) -> bool:
        """Whether the metrics are written that CloudWatch would charge for without need."""
        return self._value(Env.DETAILED_METRICS) == "true"

    @property
    def log_level(self) -> str:
        """Level of our own log lines."""
        level = self._value(Env.LOG_LEVEL) or "INFO"
        if level not in LOG_LEVELS:
            allowed = ", ".join(LOG_LEVELS)
            raise self._garbled(f"{Env.LOG_LEVEL} must be one of {allowed}, got {shown(level)}")
        return level

    def _value(self, name: str) -> str | None:
        return self.values.get(self.prefix + name) or None

    def _garbled(self, what: str) -> RuntimeError:
        """Of a sentence that begins with the variable's name."""
        return RuntimeError(f"environment variable {self.prefix}{what}")

    def _required(self, name: str) -> str:
        value = self._value(name)
        if not value:
            raise self._garbled(f"{name} is not set: HitlApproval sets it on its functions")
        return value

    def _whole(self, name: str) -> int:
        value = self._required(name)
        if not re.fullmatch(r"[1-9][0-9]{0,8}", value):
            raise self._garbled(f"{name} must be a whole number of at least 1, got {shown(value)}")
        return int(value)

    def _file(self, name: str, what: str, made_of: Callable[[Any], Made]) -> Made | None:
        """What a file in a layer says; None where the deployment has none."""
        file = self._value(name)
        if file is None:
            return None
        try:
            return read_layer_file(file, made_of)
        except OSError:
            raise self._garbled(f"{name} must name {what}") from None
        except (ValueError, RecursionError, InvalidRequest) as error:
            raise self._garbled(f"{name}: {error}") from None

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._required(name))
        except (ValueError, RecursionError):
            raise self._garbled(f"{name} is not JSON") from None


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings.from_environment()
