"""Asks a deployment that this process belongs to, with the deployment's own rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hitl_approval.domain.approval import Approval, Status
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import Members, check_choice, expand, members_of
from hitl_approval.domain.outcome import Snapshot, snapshot_of
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.domain.rule import Rule, Rules, Ruling
from hitl_approval.domain.stage import Escalate, Stage, names_of
from hitl_approval.domain.text import person_key, shown, spelling
from hitl_approval.ports.requests import Found, Submission
from hitl_approval.usecases.request import RequestService, ResolvedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a deployment says where a request does not.

    Attributes:
        approvers: who may decide.
        groups: the people that each group's name stands for.
        policy: the rules.
        reminders: after how long who has not answered is reminded; None: as the time to decide
            says.
        page: whether there is one, without which nobody is reminded.
        requests_name_approvers: whether requests may name others than these.
        rules: which requests are decided otherwise.
        rule: by which of them these are what the deployment says; None: by none.
    """

    approvers: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    reminders: Sequence[timedelta] | None = None
    page: bool = False
    requests_name_approvers: bool = False
    rules: Rules = field(default_factory=Rules)
    rule: Rule | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who is named here, groups as their people, each once."""
        members, policy = members_of(self.groups), self.policy
        named = [
            *self.approvers,
            *self.groups,
            *(name for step in policy.escalation for name in step.to),
            *(name for rule in self.rules.rules for name in rule.approvers),
        ]
        found: dict[str, str] = {}
        for name in named:
            for person in members(name) or (name,):
                found.setdefault(spelling(person), person)
        return tuple(found.values())

    def resolve(
        self, request: ApprovalRequest, timeout: timedelta, members: Found | None = None
    ) -> ResolvedRequest:
        """The request as this deployment will hold it.

        Raises:
            InvalidRequest: it cannot hold it.
        """
        ruling = self.rules.rule_on(request) if self.rules else None
        under = self.under(ruling.rule) if ruling and ruling.rule else self
        return under.hold(request, timeout, members, ruling)

    def resolve_submission(self, submission: Submission) -> ResolvedRequest:
        """The request of a wait as this deployment will hold it.

        Raises:
            InvalidRequest: it cannot hold it.
        """
        request, counted = submission.request, submission.counted
        resolved = self.resolve(request, submission.timeout, submission.members)
        if counted is None:
            return resolved
        if counted.timeout != submission.timeout or request.stages:
            raise InvalidRequest("timeout", "was counted for another request")
        by_default = self.reminders is None and request.reminders is None
        if resolved.reminders and by_default:
            resolved = replace(resolved, reminders=counted.reminders)
        return replace(resolved, expires_at=counted.expires_at)

    def under(self, rule: Rule) -> Defaults:
        """What the deployment says of the requests that a rule matches.

        The people of its groups are the deployment's, whatever a request's own `members` says.

        Raises:
            InvalidRequest: its groups or its quorum are not as they were at synth.
        """
        if rule.approvers and rule.quorum is None and self.policy.quorum.groups:
            raise InvalidRequest("approvers", f"rule {rule.id} needs a quorum of its own")
        people = expand(rule.approvers, members_of(self.groups), "approvers")
        policy = replace(self.policy, quorum=rule.quorum) if rule.quorum else self.policy
        return replace(self, approvers=people or self.approvers, policy=policy, rule=rule)

    def hold(
        self,
        request: ApprovalRequest,
        timeout: timedelta,
        members: Found | None = None,
        ruling: Ruling | None = None,
    ) -> ResolvedRequest:
        """The request as it is held under these defaults, a rule's where one has matched.

        Raises:
            InvalidRequest: it cannot be held.
        """
        ends = ruling is not None and ruling.end is not None
        found = self._members(members or {})
        stages = self._stages(request, found, timeout)
        if request.escalation and not stages:
            raise InvalidRequest("escalation", "needs approvers: anyone may answer this request")
        asked = tuple(stages[0].approvers) if stages else ()
        rules = replace(
            self.policy,
            quorum=stages[0].quorum if stages else request.quorum or self.policy.quorum,
            stages=tuple(stages[1:]),
            escalation=self._escalation(request, found) if asked else (),
        )
        if not self.requests_name_approvers:
            self._check_people(request, stages, rules)
        return ResolvedRequest(
            request=request,
            approvers=asked,
            policy=rules,
            timeout=(stages[0].timeout if stages else None) or timeout,
            reminders=() if ends else self._reminders(request, timeout),
            ruling=ruling,
        )

    def _members(self, known: Found) -> Members:
        """Says who a group's members are: as the request found them, else as deployed."""
        deployed = members_of(self.groups)
        return lambda name: known[name] if name in known else deployed(name)

    def _stages(self, request: ApprovalRequest, found: Members, timeout: timedelta) -> list[Stage]:
        """The stages with their people; none: anyone may answer.

        Who is named in several stages is asked in the last of them: one person answers once.
        """
        if request.stages:
            asked = request.stages
        elif request.quorum is not None and request.quorum.groups:
            asked = (Stage((), request.quorum),)
        elif self.policy.quorum.groups and request.quorum is None:
            if request.approvers:
                raise InvalidRequest(
                    "approvers", "are those of this deployment's quorum: name none"
                )
            asked = (Stage((), self.policy.quorum),)
        elif named := request.first_named(self.approvers):
            asked = (Stage(named, request.quorum or self.policy.quorum),)
        else:
            return []
        field_name = "stages" if request.stages else "approvers"
        later: set[str] = set()
        resolved = []
        for stage in reversed(asked):
            names = expand(names_of(stage), found, field_name)
            people = tuple(name for name in names if person_key(name) not in later)
            if not people:
                raise InvalidRequest(field_name, "ask nobody who is not asked in a later stage")
            later |= set(map(person_key, people))
            quorum = stage.quorum.with_people(lambda name: _group(found, name))
            resolved.append(Stage(people, quorum, stage.timeout or timeout))
        return resolved[::-1]

    def _escalation(self, request: ApprovalRequest, found: Members) -> tuple[Escalate, ...]:
        """The steps of the escalation with their people."""
        steps = self.policy.escalation if request.escalation is None else request.escalation
        return tuple(replace(step, to=expand(step.to, found, "escalation")) for step in steps)

    def _check_people(
        self, request: ApprovalRequest, stages: Sequence[Stage], rules: Policy
    ) -> None:
        """Where the deployment says who decides, requests choose among those, and as many."""
        asked = tuple(name for stage in stages for name in stage.approvers)
        brought = request.escalation or ()
        steps = rules.escalation if brought else ()
        more = tuple(name for step in steps for name in step.to)
        people = [("stages" if request.stages else "approvers", asked)]
        by_rule = self.rule is not None and bool(self.rule.approvers)
        for field_name, names in [*people, *([("escalation", more)] if more else [])]:
            check_choice(
                names,
                approvers=self.approvers,
                groups={} if by_rule else self.groups,
                field_name=field_name,
                whose=f"rule {self.rule.id}" if self.rule and by_rule else "this deployment",
            )
        if self.rule is None:
            self._check_quorum(request, stages)
        else:
            self._check_rule(self.rule, request, stages)

    def _check_rule(self, rule: Rule, request: ApprovalRequest, stages: Sequence[Stage]) -> None:
        """Where a rule says how many must approve, no request leaves fewer."""
        field_name = "stages" if request.stages else "quorum" if request.quorum else "approvers"
        if self.policy.quorum.groups and field_name != "approvers":
            raise InvalidRequest(
                field_name, f"cannot be chosen under rule {rule.id}, whose quorum is of groups"
            )
        quorum, requester = self.policy.quorum, request.requester
        asked = [self.policy.deciders(stage.approvers, requester) for stage in stages]
        of_all = self.approvers if rule.approvers else [name for names in asked for name in names]
        least = quorum.fewest(self.policy.deciders(of_all, requester))
        wanted = sum(stage.quorum.fewest(names) for stage, names in zip(stages, asked, strict=True))
        if not stages:
            wanted = (request.quorum or quorum).fewest(())
        if wanted < least:
            raise InvalidRequest(
                field_name,
                f"must leave at least the {least} approvals that rule {rule.id} needs, got "
                f"{wanted}: leave it out, or deploy with requests_name_approvers=True",
            )

    def _check_quorum(self, request: ApprovalRequest, stages: Sequence[Stage]) -> None:
        """Where the deployment says who decides, it also says how many at least, in all stages."""
        if not (request.quorum or request.stages) or not (self.approvers or self.groups):
            return
        by_stage = [self.policy.deciders(stage.approvers, request.requester) for stage in stages]
        least = self.policy.quorum.fewest([name for names in by_stage for name in names])
        wanted = sum(
            stage.quorum.fewest(names) for stage, names in zip(stages, by_stage, strict=True)
        )
        if wanted < least:
            raise InvalidRequest(
                "stages" if request.stages else "quorum",
                f"must be at least the deployment's, {least}, got {wanted}: leave it out, or "
                f"deploy with requests_name_approvers=True",
            )

    def _reminders(self, request: ApprovalRequest, timeout: timedelta) -> tuple[timedelta, ...]:
        if not self.page:
            if request.reminders:
                raise InvalidRequest("reminders", "need a deployment with a page")
            return ()
        return request.reminders_or(self.reminders, timeout)


@dataclass(slots=True)
class DirectRequests:
    """See `ports.Requests`. One for each wait: it remembers what it has just written.

    Attributes:
        service: of the deployment.
        defaults: the deployment's.
    """

    service: RequestService
    defaults: Defaults
    _written: Approval | None = None

    def check(self, request: ApprovalRequest, timeout: timedelta, members: Found | None) -> None:
        """See `ports.Requests.check`."""
        self.defaults.resolve(request, timeout, members)

    def now(self) -> datetime:
        """See `ports.Requests.now`."""
        return self.service.clock.now()

    def submit(self, key: RequestKey, submission: Submission) -> Snapshot:
        """See `ports.Requests.submit`."""
        self._written = self.service.submit(
            self.defaults.resolve_submission(submission),
            approval_id=key.approval_id,
            execution_arn=key.execution_arn,
            creation_token=submission.creation_token,
            callback_id=submission.callback_id,
        )
        return self._snapshot(self._written)

    def notify(self, key: RequestKey) -> None:
        """See `ports.Requests.notify`: what was written just now is not read again."""
        written, self._written = self._written, None
        self.service.notify(key.approval_id, written)

    def note_notification_failed(self, key: RequestKey, reason: str) -> None:
        """See `ports.Requests.note_notification_failed`."""
        self.service.note_notification_failed(key.approval_id, reason)

    def register_callback(self, key: RequestKey, callback_id: str) -> Snapshot:
        """See `ports.Requests.register_callback`."""
        return self._snapshot(self.service.register_callback(key.approval_id, callback_id))

    def check_status(self, key: RequestKey) -> Snapshot:
        """See `ports.Requests.check_status`."""
        return self._snapshot(self.service.check_status(key.approval_id))

    def read_context(self, key: RequestKey) -> str:
        """See `ports.Requests.read_context`."""
        return self.service.check_status(key.approval_id).context

    def abandon(self, key: RequestKey, creation_token: str) -> None:
        """See `ports.Requests.abandon`."""
        self.service.abandon(key.approval_id, creation_token)

    def withdraw(self, execution_arn: str, approval: str, reason: str) -> Status | None:
        """See `ports.Requests.withdraw`."""
        return self.service.withdraw(approval, execution_arn=execution_arn, reason=reason)

    def _snapshot(self, approval: Approval) -> Snapshot:
        return snapshot_of(approval, now=self.service.clock.now())


def _group(found: Members, name: str) -> Sequence[str]:
    people = found(name)
    if people is None:
        raise InvalidRequest("quorum", f"names {shown(name)}, which is no group of this deployment")
    return expand((name,), found, "quorum")
