"""What is asked: an `ApprovalRequest`, valid from the moment it exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, cast

from hitl_approval.domain import text
from hitl_approval.domain.business_hours import BusinessHours
from hitl_approval.domain.edit import MAX_EDITABLE, check_asked
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.field import Field, Rule, declared, with_attributes
from hitl_approval.domain.files import MAX_FILES, FileDigest, validate_files
from hitl_approval.domain.form import Form
from hitl_approval.domain.form_schema import MAX_FORM_FIELDS
from hitl_approval.domain.form_source import FormSource, accept_form
from hitl_approval.domain.masking import leads_nowhere
from hitl_approval.domain.naming import MAX_APPROVERS, validate_names
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_values import (
    MAX_CONTEXT_BYTES,
    MAX_PATHS_BYTES,
    MAX_REMINDERS,
    MAX_SENSITIVE,
    accept_approval_id,
    accept_context,
    accept_paths,
    accept_quorum,
    accept_reminders,
    accept_some_names,
    accept_timeout,
    accept_traceparent,
    context_json,
    reminder_seconds,
    seconds,
)
from hitl_approval.domain.stage import (
    MAX_ESCALATION,
    MAX_STAGES,
    Escalate,
    Stage,
    accept_escalation,
    accept_stages,
    escalation_from_json,
    names_of,
    stages_from_json,
)

REMINDED_FROM = timedelta(hours=1)
"""Shortest time to decide of a request that reminds by default."""
REMIND_AT = (0.5, 0.9)
"""When it does: at half time and near the end, as parts of the time to decide."""


def _text(
    doc: str, *, rule: Rule = text.line, maximum: int = text.MAX_LINE, label: str = ""
) -> Field:
    return Field(
        doc=doc,
        rule=rule,
        longest=f"{maximum:,} characters",
        label=label,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The texts of a request that its record, messages, views and events repeat as they are.

    A text that is declared here is in all of them, in the content digest where it is set, and in
    the event that starts the packaged workflow.
    """

    subject: Annotated[str, _text("one line that says what is asked", label="What")]
    document_id: Annotated[
        str | None,
        _text("the caller's own id of what is decided, if it has one", label="Document"),
    ] = None
    requester: Annotated[str, _text("who asks", rule=text.name, maximum=text.MAX_PERSON)]
    supersedes: Annotated[
        str | None,
        Field(
            doc="id of a pending approval that the same requester has asked for by the same "
            "function: this one replaces it, and it ends as withdrawn",
            rule=accept_approval_id,
            label="Replaces",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest(Content):
    """A question for people.

    Raises:
        InvalidRequest: a field breaks its rule.
    """

    approvers: Annotated[
        Sequence[str],
        Field(
            doc="who may decide: people, or groups that the deployment knows; where it names any, "
            "only those (default: the deployment's approvers, else anyone)",
            rule=validate_names,
            longest=f"{MAX_APPROVERS} people in all",
            event_rule=accept_some_names,
        ),
    ] = ()
    quorum: Annotated[
        Quorum | None,
        Field(
            doc="how many must approve (default: the deployment's quorum)",
            rule=accept_quorum,
            event=None,
        ),
    ] = None
    stages: Annotated[
        Sequence[Stage],
        Field(
            doc="who is asked one after the other, instead of `approvers` and `quorum`: each stage "
            "once the one before has approved",
            rule=accept_stages,
            longest=f"{MAX_STAGES}",
            event_rule=stages_from_json,
        ),
    ] = ()
    escalation: Annotated[
        Sequence[Escalate] | None,
        Field(
            doc="who is asked when a stage takes too long, step by step "
            "(default: the deployment's)",
            rule=accept_escalation,
            longest=f"{MAX_ESCALATION} steps",
            event_rule=escalation_from_json,
        ),
    ] = None
    timeout: Annotated[
        timedelta | BusinessHours | None,
        Field(
            doc="time to decide, of each stage that has none of its own, whole seconds, at least "
            "1 s (default: the deployment's)",
            rule=accept_timeout,
            event="timeout_seconds",
            event_rule=seconds,
        ),
    ] = None
    reminders: Annotated[
        Sequence[timedelta] | None,
        Field(
            doc="after how long, whole seconds each, who has not answered is sent a reminder "
            "(default: the deployment's, else at half time and at nine tenths of an hour or more)",
            rule=accept_reminders,
            longest=f"{MAX_REMINDERS}",
            event="reminder_seconds",
            event_rule=reminder_seconds,
        ),
    ] = None
    context: Annotated[
        Mapping[str, Any],
        Field(
            doc="JSON values that the approver sees",
            rule=accept_context,
            longest=f"{MAX_CONTEXT_BYTES:,} bytes",
        ),
    ] = field(default_factory=dict)
    sensitive: Annotated[
        Sequence[str],
        Field(
            doc="fields of the context, as `card` or `customer.iban`, or of the form, that only "
            "the page and `hitl show` show: messages have them masked",
            rule=accept_paths,
            longest=f"{MAX_SENSITIVE}, {MAX_PATHS_BYTES:,} bytes together",
        ),
    ] = ()
    files: Annotated[
        Sequence[FileDigest],
        Field(
            doc="files that the request is about, each as `file_digest` says it: `name`, `sha256` "
            "and `size`; the approval is for exactly these bytes",
            rule=validate_files,
            longest=f"{MAX_FILES}",
        ),
    ] = ()
    form: Annotated[
        FormSource | None,
        Field(
            doc="what an approver fills in to approve: a dataclass, a pydantic model or a flat "
            "JSON Schema (default: nothing)",
            rule=accept_form,
            longest=f"{MAX_FORM_FIELDS} fields",
            event_rule=Form.of,
        ),
    ] = None
    editable: Annotated[
        Sequence[str],
        Field(
            doc="values of the context, as `amount` or `customer.limit`, that an approver may "
            "change when approving",
            rule=accept_paths,
            longest=f"{MAX_EDITABLE}, {MAX_PATHS_BYTES:,} bytes together",
        ),
    ] = ()
    traceparent: Annotated[
        str | None,
        Field(
            doc="the trace that the request belongs to, as W3C's header `traceparent` has it: on "
            "record, in events and in logs, never in messages to people (default: none)",
            rule=accept_traceparent,
            label="Trace",
        ),
    ] = None

    def __post_init__(self) -> None:
        for name, declaration in FIELDS.items():  # the dataclass is frozen for everyone else
            object.__setattr__(self, name, declaration.accept(getattr(self, name)))
        grouped = self.quorum is not None and self.quorum.groups
        if self.stages and (self.approvers or self.quorum):
            raise InvalidRequest("stages", "say who is asked: leave approvers and quorum out")
        if grouped and self.approvers:
            raise InvalidRequest("quorum", "names the groups that are asked: leave approvers out")
        form = form_of(self)
        if form is not None or self.editable:
            check_asked(form, self.editable, self.context, context_json(self.context))
        filled_in = () if form is None else form.names
        for path in self.sensitive:
            if path not in filled_in and leads_nowhere(self.context, path):
                raise InvalidRequest(
                    "sensitive", f"names {text.shown(path)}, which is no field of the context"
                )

    def named(self, default: Sequence[str]) -> tuple[str, ...]:
        """Every name of this request, people and groups, each once.

        Args:
            default: the deployment's approvers.
        """
        steps = self.escalation or ()
        later = [name for stage in self.stages[1:] for name in names_of(stage)]
        named = [*self.first_named(default), *later, *(name for step in steps for name in step.to)]
        return tuple(dict.fromkeys(named))

    def first_named(self, default: Sequence[str]) -> tuple[str, ...]:
        """The people and groups that are asked first; none: anyone may answer.

        Args:
            default: the deployment's approvers.
        """
        if self.stages:
            return names_of(self.stages[0])
        groups = self.quorum.groups if self.quorum else ()
        return tuple(group.name for group in groups) or (*self.approvers,) or (*default,)

    def longest(self, timeout: timedelta) -> timedelta:
        """How long the request may be pending: through all stages.

        Args:
            timeout: of each stage that has none of its own.
        """
        times = [stage.timeout or timeout for stage in self.stages] or [timeout]
        return sum(times, timedelta(0))

    def timeout_or(self, default: timedelta, *, maximum: timedelta) -> timedelta:
        """The time to decide under a deployment's default and limit.

        Raises:
            InvalidRequest: longer than the deployment can hold.
        """
        timeout = self.timeout or default
        if isinstance(timeout, BusinessHours):
            raise InvalidRequest("timeout", "is counted by wait_for_approval: ask by that")
        longest = self.longest(timeout)
        if longest > maximum:
            raise InvalidRequest(
                "timeout_seconds",
                f"must be at most {int(maximum.total_seconds())}, which this deployment's "
                f"execution timeout can hold, got {int(longest.total_seconds())}",
            )
        return timeout

    def reminders_or(
        self, default: Sequence[timedelta] | None, timeout: timedelta
    ) -> tuple[timedelta, ...]:
        """After how long who has not answered is reminded, under a deployment's default.

        Args:
            default: the deployment's; None: it leaves that to the time to decide.
            timeout: the time to decide.

        Raises:
            InvalidRequest: one that this request brings comes after its end.
        """
        if self.reminders is not None:
            for delay in self.reminders:
                if delay >= timeout:
                    raise InvalidRequest(
                        "reminders",
                        f"must come before the time to decide is over, {timeout}, got {delay}",
                    )
            return tuple(self.reminders)
        if default is not None:
            return tuple(delay for delay in default if delay < timeout)
        if timeout < REMINDED_FROM:
            return ()
        return tuple(timedelta(seconds=int(part * timeout.total_seconds())) for part in REMIND_AT)


CONTENT = declared(Content)
"""The fields of `Content`, by name."""
FIELDS = declared(ApprovalRequest)
"""The fields of `ApprovalRequest`, by name."""
ApprovalRequest.__doc__ = with_attributes(ApprovalRequest.__doc__, FIELDS)


def form_of(request: ApprovalRequest) -> Form | None:
    """The form of a request, whatever it was made of."""
    return cast("Form | None", request.form)


def content_of(content: Content) -> dict[str, Any]:
    """The texts that are set, by name."""
    values = {name: getattr(content, name) for name in CONTENT}
    return {name: value for name, value in values.items() if value is not None}


def repeated_content(content: Content) -> dict[str, Any]:
    """The texts that are set as rows and views have them: a document's subject is its name too."""
    repeated = {}
    for name, value in content_of(content).items():
        repeated[name] = value
        if name == "document_id":
            repeated["document_name"] = content.subject
    return repeated
