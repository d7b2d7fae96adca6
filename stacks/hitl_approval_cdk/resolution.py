"""Options as a caller gave them -> all options, checked alone and together, defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from math import ceil
from types import MappingProxyType
from typing import Any, Final, cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_sns as sns

from hitl_approval import contract
from hitl_approval.contract import Env
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.rule import RULES_FILE
from hitl_approval.domain.schedule import poll_delay
from hitl_approval.domain.stage import Escalate
from hitl_approval.domain.text import cut
from hitl_approval_cdk import option
from hitl_approval_cdk.declaration import DECLARED
from hitl_approval_cdk.delivery import check_delivery
from hitl_approval_cdk.monitoring import Monitoring
from hitl_approval_cdk.option import Readers
from hitl_approval_cdk.options import HitlApprovalOptions, ResolvedOptions
from hitl_approval_cdk.people import READ_PEOPLE, directory_of, says_anything
from hitl_approval_cdk.rules import DAY, seconds
from hitl_approval_cdk.ruling import READ_RULES, check_rules
from hitl_approval_cdk.turn_check import check_turns

SHORTEST_EXECUTION_DEFAULT: Final = 7 * DAY
"""A single request may ask for up to a week, unless the deployment's own default is longer."""
OPERATIONS_RESERVE: Final = 200
"""Operations that a polling workflow keeps for its steps and all their retries (about 140)."""


def resolve(given: HitlApprovalOptions) -> ResolvedOptions:
    """Fill in the defaults and check every option, alone and with the others.

    Raises:
        ValueError: a value that cannot work, or two that cannot work together.
        TypeError: an option that does not exist.
    """
    unknown = next((name for name in given if name not in DECLARED), None)
    if unknown is not None:
        near = get_close_matches(unknown, DECLARED, n=1)
        hint = f"did you mean {near[0]}?" if near else "help(HitlApproval) lists all"
        msg = f"{cut(unknown)} is no option of HitlApproval: {hint}"
        raise TypeError(msg)
    values: dict[str, Any] = {}
    for name, declared in DECLARED.items():
        value = given.get(name, declared.option.default)
        if value is None and declared.takes_none:
            value = declared.option.default
        left_out = value is None and declared.takes_none
        values[name] = None if left_out else declared.option.rule(name, value)
    options = cast(ResolvedOptions, values)
    if values["execution_timeout"] is None:
        options["execution_timeout"] = _default_execution_timeout(options["approval_timeout"])
    options["monitoring"], options["alarm_topic"] = _monitoring(options)
    _check_times(options)
    check_turns(options, policy(options))
    check_rules(options, policy(options))
    _check_resources(options)
    return cast(ResolvedOptions, MappingProxyType(values))


def policy(options: ResolvedOptions) -> Policy:
    """The rules of requests that bring none of their own."""
    return Policy(
        quorum=options["quorum"],
        escalation=tuple(cast(Sequence[Escalate], options["escalation"])),
        rejections_needed=options["rejections_needed"],
        on_timeout=options["on_timeout"],
        allow_self_approval=options["allow_self_approval"],
        require_verified_identity=options["require_verified_identity"],
        require_comment_on_rejection=options["require_comment_on_rejection"],
    )


def environment(options: ResolvedOptions, stack: Stack, *, of: Readers) -> dict[str, str]:
    """The variables by which these functions read options, besides those that all of them have."""
    values = cast(Mapping[str, Any], options)
    variables = {
        variable.name: variable.write(stack, values[name])
        for name, declared in DECLARED.items()
        if (variable := declared.option.variable)
        and of in variable.readers
        and values[name] is not None
    }
    approvers = option.as_json(stack, list(options["approvers"] or ()))
    if of == "functions that wait":
        timeout = options["approval_timeout"].to_seconds()
        longest = _longest(options)
        variables[Env.MAX_APPROVAL_TIMEOUT_SECONDS] = option.as_number(
            timeout if longest is None else longest
        )
        # Who waits asks `members` for them.
        variables[Env.DEFAULT_APPROVERS] = approvers
    if of in READ_PEOPLE:
        rules = option.as_json(stack, policy(options).to_dict())
        variables |= {Env.APPROVAL_POLICY: rules, Env.DEFAULT_APPROVERS: approvers}
        if options["groups"]:
            variables[Env.APPROVER_GROUPS] = contract.GROUPS_FILE
    if of in READ_RULES and options["rules"]:
        variables[Env.APPROVAL_RULES] = RULES_FILE
    if of == "messenger function" and says_anything(directory_of(options)):
        variables[Env.DIRECTORY] = contract.DIRECTORY_FILE
    return variables


def polls(interval: int, longest: int, *, limit: int) -> int:
    """Polls of an undisturbed wait, by the runtime's own schedule; counts no further than limit."""
    waited, count = 0, 0
    while waited < longest and count < limit:
        delay = poll_delay(
            timedelta(seconds=interval),
            timedelta(seconds=waited),
            timedelta(seconds=longest - waited),
        )
        waited += max(1, ceil(delay.total_seconds()))
        count += 1
    return count


def _default_execution_timeout(approval_timeout: Duration) -> Duration:
    """An execution timeout that leaves room for requests which ask for longer than the default."""
    approval = seconds("approval_timeout", approval_timeout)
    if approval is None:
        return Duration.seconds(contract.MAX_EXECUTION_SECONDS)
    generous = max(ceil(approval / DAY) * DAY + DAY, SHORTEST_EXECUTION_DEFAULT)
    return Duration.seconds(min(generous, contract.MAX_EXECUTION_SECONDS))


def _longest(options: ResolvedOptions) -> int | None:
    """Longest time to decide that a request may ask for, in seconds; None if a token decides."""
    total = seconds("execution_timeout", options["execution_timeout"])
    return None if total is None else total - contract.EXECUTION_MARGIN_SECONDS


def _monitoring(options: ResolvedOptions) -> tuple[Monitoring | None, sns.ITopic | None]:
    """What is monitored, and the topic of its alarms, whichever option names it.

    Raises:
        ValueError: both do.
    """
    chosen, topic = cast("Monitoring | None", options["monitoring"]), options["alarm_topic"]
    if chosen is None:
        made = None if topic is None else Monitoring(alarm_topic=topic, dashboard=False)
        return made, topic
    if topic is not None:
        msg = "alarm_topic has no effect beside monitoring: use Monitoring(alarm_topic=...)"
        raise ValueError(msg)
    return chosen, chosen.alarm_topic


def _check_times(options: ResolvedOptions) -> None:
    """An execution holds a request's time to decide, and the polls in it.

    Raises:
        ValueError: it does not.
    """
    longest = _longest(options)
    if longest is None:
        return
    margin = contract.EXECUTION_MARGIN_SECONDS
    approval = seconds("approval_timeout", options["approval_timeout"])
    needed = approval or contract.MIN_DEFAULT_TIMEOUT_SECONDS
    if longest < needed:
        msg = (
            f"execution_timeout must be at least approval_timeout plus {margin} s, got "
            f"{longest + margin} s for an approval_timeout of {needed} s: use "
            f"Duration.seconds({needed + margin}) or more, or leave it out"
        )
        raise ValueError(msg)
    interval = seconds("poll_interval", options["poll_interval"])
    if options["resume"] != "polling" or interval is None:
        return
    allowed = contract.MAX_OPERATIONS - OPERATIONS_RESERVE
    if polls(interval, longest, limit=allowed) >= allowed:
        msg = (
            f"poll_interval of {interval} s needs {allowed} polls or more in {longest} s, but an "
            f"execution has {contract.MAX_OPERATIONS} operations: poll less often, shorten "
            f"execution_timeout, or use resume='callback'"
        )
        raise ValueError(msg)


def _check_resources(options: ResolvedOptions) -> None:
    """Options that only make sense with others.

    Raises:
        ValueError: without them, or against them.
    """
    for option_name in ("deliver_to", "mail", "reminders", "slack", "webhooks"):
        if cast(Mapping[str, Any], options)[option_name] and options["page"] is None:
            msg = f"{option_name} needs a page that links lead to: pass page=ApprovalPage()"
            raise ValueError(msg)
    page = options["page"]
    if options["mcp"] and (page is None or page.sign_in is None):
        msg = (
            "mcp needs a page whose sign_in says who an agent is: pass "
            "page=ApprovalPage(sign_in=SignIn.cognito()), say"
        )
        raise ValueError(msg)
    check_delivery(options["deliver_to"], mail=bool(options["mail"]))
    audit_table = options["audit_table"]
    if options["page"] and audit_table is not None and audit_table.table_stream_arn is None:
        msg = (
            "audit_table must have a stream of old and new images, which feeds the messages that "
            "bring people to the page: make it with stream=StreamViewType.NEW_AND_OLD_IMAGES"
        )
        raise ValueError(msg)
    if options["archive"] and audit_table is not None and audit_table.table_stream_arn is None:
        msg = (
            "archive needs an audit_table with a stream of old and new images, which brings it the "
            "events: make it with stream=StreamViewType.NEW_AND_OLD_IMAGES"
        )
        raise ValueError(msg)
    if options["removal_policy"] == RemovalPolicy.DESTROY and options["deletion_protection"]:
        msg = (
            "removal_policy is DESTROY but deletion_protection is on, so that deleting the stack "
            "would fail half-way: use RemovalPolicy.RETAIN or deletion_protection=False"
        )
        raise ValueError(msg)
    name = options["table_name"]
    if options["table"] is not None and name is not None:
        msg = f"table_name {name!r} has no effect on a table brought along: leave it out"
        raise ValueError(msg)
    audit_table = options["audit_table"]
    if audit_table is None or audit_table.table_stream_arn is not None:
        return
    if options["event_bus"] is not None:
        msg = (
            "nothing would ever be published on event_bus, because audit_table has no stream: give "
            "that table stream=StreamViewType.NEW_AND_OLD_IMAGES, or leave event_bus out"
        )
        raise ValueError(msg)
