"""What a deployment refuses at synth. Each message names the property, its value and the fix.

Tokens, whose values only CloudFormation knows, pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Final, cast, get_args

from aws_cdk import Duration, RemovalPolicy, Token
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_kms as kms

from hitl_approval import contract
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.policy import OnTimeout, Policy, Quorum
from hitl_approval.domain.request import expand, members_of, validate_names
from hitl_approval.domain.schedule import poll_delay
from hitl_approval.domain.text import MAX_PERSON, line, person_key, shown

MINUTE: Final = 60
DAY: Final = 24 * 3600
LONGEST_APPROVAL: Final = contract.MAX_EXECUTION_SECONDS - contract.EXECUTION_MARGIN_SECONDS
SHORTEST_EXECUTION_DEFAULT: Final = 7 * DAY
"""A single request may ask for up to a week, unless the deployment's own default is longer."""
OPERATIONS_RESERVE: Final = 200
"""Operations that a polling workflow keeps for its steps and all their retries (about 140)."""
MAX_APPROVERS_BYTES: Final = 2_500
"""Lambda holds 4,096 bytes of environment in all; this leaves room for everything else."""
MAX_EXECUTION_RETENTION_DAYS: Final = 90
"""Lambda keeps no longer."""
MAX_RETENTION_DAYS: Final = 36_500
"""A hundred years; a date beyond the year 9999 is none."""

_SIGNING_SPEC = kms.KeySpec.ECC_NIST_P256
_SIGNING_USAGE = kms.KeyUsage.SIGN_VERIFY
_SIGN_INS = ("JWT", "IAM")
"""Authorizers that say who signs in, as API Gateway names their kinds."""
_CLAIM = re.compile(r"[!-~]{1,128}")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>.]+(\.[^@\s<>.]+)+")
_PAGE_URL = re.compile(r"https://[^\s/?#@]+(/[^\s/?#]+)*")


def seconds(name: str, value: Duration) -> int | None:
    """Whole seconds of a duration; None for a token.

    Raises:
        ValueError: no duration, or a part of a second is left over.
    """
    is_a(name, value, Duration, "use Duration.seconds() and the like")
    if value.is_unresolved():
        return None
    milliseconds = value.to_milliseconds()
    if milliseconds % 1000:
        msg = f"{name} must be whole seconds, got {milliseconds / 1000:g} s: use Duration.seconds()"
        raise ValueError(msg)
    return int(milliseconds // 1000)


def days(name: str, value: Duration, *, maximum: int, why: str) -> int | None:
    """Whole days of a duration, at least 1; None for a token.

    Raises:
        ValueError: not whole days, less than one, or more than the maximum.
    """
    total = seconds(name, value)
    if total is None:
        return None
    if total < DAY or total % DAY:
        msg = f"{name} must be whole days, at least 1, got {total} s: use Duration.days()"
        raise ValueError(msg)
    if total > maximum * DAY:
        msg = f"{name} must be at most {maximum} days, got {total // DAY}: {why}"
        raise ValueError(msg)
    return total // DAY


def approval_seconds(value: Duration) -> int | None:
    """The default time to decide.

    Raises:
        ValueError: shorter than the pattern's minimum, or longer than an execution can hold.
    """
    total = seconds("approval_timeout", value)
    if total is None:
        return None
    if total < contract.MIN_DEFAULT_TIMEOUT_SECONDS:
        msg = (
            f"approval_timeout must be at least {contract.MIN_DEFAULT_TIMEOUT_SECONDS} s, got "
            f"{total} s: people need time; a single request may ask for less"
        )
        raise ValueError(msg)
    if total > LONGEST_APPROVAL:
        msg = (
            f"approval_timeout must be at most {LONGEST_APPROVAL} s, got {total} s: a durable "
            f"execution lasts at most 366 days and keeps {contract.EXECUTION_MARGIN_SECONDS} s "
            f"of margin"
        )
        raise ValueError(msg)
    return total


def default_execution_timeout(approval: int | None) -> Duration:
    """An execution timeout that leaves room for requests which ask for longer than the default."""
    if approval is None:
        return Duration.seconds(contract.MAX_EXECUTION_SECONDS)
    generous = max(ceil(approval / DAY) * DAY + DAY, SHORTEST_EXECUTION_DEFAULT)
    return Duration.seconds(min(generous, contract.MAX_EXECUTION_SECONDS))


def execution_seconds(value: Duration, approval: int | None) -> int | None:
    """The execution timeout.

    Raises:
        ValueError: it cannot hold the approval timeout, or is longer than Lambda allows.
    """
    total = seconds("execution_timeout", value)
    if total is None:
        return None
    if total > contract.MAX_EXECUTION_SECONDS:
        msg = (
            f"execution_timeout must be at most {contract.MAX_EXECUTION_SECONDS} s (366 days), "
            f"got {total} s: Lambda allows no longer"
        )
        raise ValueError(msg)
    margin = contract.EXECUTION_MARGIN_SECONDS
    needed = (approval or contract.MIN_DEFAULT_TIMEOUT_SECONDS) + margin
    if total < needed:
        msg = (
            f"execution_timeout must be at least approval_timeout plus {margin} s, got "
            f"{total} s for an approval_timeout of {needed - margin} s: use "
            f"Duration.seconds({needed}) or more, or leave it out"
        )
        raise ValueError(msg)
    return total


def poll_seconds(
    value: Duration, *, longest: int | None, resume: contract.ResumeMode
) -> int | None:
    """The poll interval.

    Args:
        value: as given.
        longest: longest wait that a request may ask for, in seconds; None if unknown.
        resume: only polling spends an operation per poll.

    Raises:
        ValueError: less than a second, or so short that a wait passes Lambda's operations.
    """
    total = seconds("poll_interval", value)
    if total is None:
        return None
    if total < 1:
        msg = "poll_interval must be at least 1 s, got 0 s: 5 s is the default"
        raise ValueError(msg)
    if resume == "polling" and longest is not None:
        allowed = contract.MAX_OPERATIONS - OPERATIONS_RESERVE
        if polls(total, longest, limit=allowed) >= allowed:
            msg = (
                f"poll_interval of {total} s needs {allowed} polls or more in {longest} s, but an "
                f"execution has {contract.MAX_OPERATIONS} operations: poll less often, shorten "
                f"execution_timeout, or use resume='callback'"
            )
            raise ValueError(msg)
    return total


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


def sweep_minutes(interval: Duration) -> None:
    """How often to sweep.

    Raises:
        ValueError: not whole minutes, at least 1.
    """
    total = seconds("sweep_interval", interval)
    if total is not None and (total < MINUTE or total % MINUTE):
        msg = (
            f"sweep_interval must be whole minutes, at least 1, got {total} s: use "
            f"Duration.minutes()"
        )
        raise ValueError(msg)


def names(field: str, given: Sequence[str], what: str) -> None:
    """Names of people or groups, as many as there are.

    Raises:
        ValueError: a malformed name, or one twice.
    """
    fix = f"name {what} once, in one line"
    seen: set[str] = set()
    for name in given:
        try:
            same = person_key(line(name, field, maximum=MAX_PERSON))
        except InvalidRequest as error:
            msg = f"{error}: {fix}"
            raise ValueError(msg) from error
        if same in seen:
            msg = f"{field}: names {shown(name)} twice: {fix}"
            raise ValueError(msg)
        seen.add(same)


def groups(named: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Groups of approvers.

    Raises:
        ValueError: a group without members, or a malformed or repeated name.
    """
    if not isinstance(named, Mapping):
        msg = f"groups must be names with a list of members each, got {shown(named)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    names("groups", tuple(named), "each group")
    accepted: dict[str, list[str]] = {}
    try:
        for name, members in named.items():
            accepted[name] = list(validate_names(members, f"groups[{name!r}]"))
            if not accepted[name]:
                msg = f"groups[{name!r}] has no members: name somebody, or leave the group out"
                raise ValueError(msg)
    except InvalidRequest as error:
        msg = f"{error}: name each member once, in one line"
        raise ValueError(msg) from error
    return accepted


def approvers(
    names: Sequence[str] | None, policy: Policy, groups: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The default approvers, and a policy that they and the groups among them can satisfy.

    Raises:
        ValueError: an empty list, a malformed or repeated name, too many or too few names.
    """
    if policy.quorum.kind == "at_least":
        Quorum.at_least(policy.quorum.count)
    if names is None:
        Policy(rejections_needed=policy.rejections_needed).check(())
        return ()
    if Token.is_unresolved(names) or any(Token.is_unresolved(name) for name in names):
        return tuple(names)
    if isinstance(names, str) or not names:
        msg = (
            f"approvers must be a list of at least one name, got {shown(names)}: name somebody, or "
            f"leave it out so that anyone who may call the approval function decides"
        )
        raise ValueError(msg)
    try:
        accepted = validate_names(names, "approvers")
    except InvalidRequest as error:
        msg = f"{error} (got {shown(list(names))}): name each approver once, in one line"
        raise ValueError(msg) from error
    try:
        policy.check(expand(accepted, members_of(groups), "approvers"))
    except InvalidRequest as error:
        msg = f"{error} (got {shown(list(names))}): name fewer"
        raise ValueError(msg) from error
    return accepted


def environment(approvers: Sequence[str], groups: Mapping[str, Sequence[str]]) -> None:
    """Room for the approvers and the groups in a function's environment, tokens not counted.

    Raises:
        ValueError: they take too much.
    """
    known = [name for name in approvers if not Token.is_unresolved(name)]
    size = len(json.dumps([known, dict(groups)]).encode())
    if size > MAX_APPROVERS_BYTES:
        msg = (
            f"approvers and groups take {size} bytes of the functions' environment, at most "
            f"{MAX_APPROVERS_BYTES} fit: name people in the requests, or look groups up with "
            f"wait_for_approval(members=...)"
        )
        raise ValueError(msg)


def emails(addresses: Sequence[str], *, name: str = "notify_emails") -> tuple[str, ...]:
    """Addresses to notify.

    Raises:
        ValueError: not an address, or one twice.
    """
    if isinstance(addresses, str):
        got = shown(addresses)
        msg = f"{name} must be a list of addresses, got {got}: use [{got}]"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    if Token.is_unresolved(list(addresses)):
        msg = (
            f"{name} must be a list that is known at synth, got a token: name each address, of "
            f"which each may be one"
        )
        raise ValueError(msg)
    seen: set[str] = set()
    for address in addresses:
        if Token.is_unresolved(address):
            continue
        if not isinstance(address, str) or not _EMAIL.fullmatch(address):
            msg = (
                f"{name} must be addresses like ann@example.com, got {shown(address)}: "
                f"one @, no spaces or line breaks"
            )
            raise ValueError(msg)
        if address.casefold() in seen:
            msg = f"{name} has {shown(address)} twice: name each address once"
            raise ValueError(msg)
        seen.add(address.casefold())
    return tuple(addresses)


def sign_in(authorizer: apigateway.IHttpRouteAuthorizer | None, claim: str) -> None:
    """Who signs people in, and how they are named.

    Raises:
        ValueError: an authorizer whose people would all be refused, or no name of a claim.
    """
    kind = getattr(authorizer, "authorization_type", _SIGN_INS[0])
    kind = getattr(kind, "value", kind)  # some are texts, some members of an enumeration
    if kind not in _SIGN_INS:
        msg = (
            f"page.sign_in must sign people in by JWT or IAM, got kind {kind}: "
            f"use HttpJwtAuthorizer, HttpUserPoolAuthorizer or HttpIamAuthorizer"
        )
        raise ValueError(msg)
    if not isinstance(claim, str) or not _CLAIM.fullmatch(claim):
        msg = (
            f"page.sign_in_claim must be the name of a claim, got {shown(claim)}: "
            f'leave it out for "{contract.EMAIL_CLAIM}"'
        )
        raise ValueError(msg)


def removal(policy: RemovalPolicy, *, deletion_protection: bool) -> None:
    """What happens to the data when the stack goes.

    Raises:
        ValueError: a policy that tables do not have, or two that contradict each other.
    """
    is_a("removal_policy", policy, RemovalPolicy, "use RemovalPolicy.RETAIN or DESTROY")
    if policy == RemovalPolicy.SNAPSHOT:
        msg = "removal_policy must be RETAIN or DESTROY, got SNAPSHOT: tables have none"
        raise ValueError(msg)
    if policy == RemovalPolicy.DESTROY and deletion_protection:
        msg = (
            "removal_policy is DESTROY but deletion_protection is on, so that deleting the stack "
            "would fail half-way: use RemovalPolicy.RETAIN or deletion_protection=False"
        )
        raise ValueError(msg)


def one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """A value from a short list.

    Raises:
        ValueError: any other.
    """
    if not Token.is_unresolved(value) and value not in allowed:
        msg = f"{name} must be one of {', '.join(allowed)}, got {shown(value)}"
        raise ValueError(msg)


def memory(megabytes: int) -> None:
    """Memory of a function, which also decides its share of a CPU.

    Raises:
        ValueError: outside what Lambda offers.
    """
    if Token.is_unresolved(megabytes):
        return
    low, high = 128, 10_240
    is_a("memory_size", megabytes, int, "512 is the default")
    if not low <= megabytes <= high:
        msg = f"memory_size must be {low} to {high} MB, got {megabytes}: 512 is the default"
        raise ValueError(msg)


def is_a(name: str, value: object, kind: type, fix: str) -> None:
    """A value of the right type, for those who do not run a type checker.

    Raises:
        ValueError: of another type; `"false"` would pass for true.
    """
    if not isinstance(value, kind):
        msg = f"{name} must be {kind.__name__}, got {shown(value)}: {fix}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses


def resources(**given: object) -> None:
    """Objects of CDK's, for those who do not run a type checker.

    Raises:
        ValueError: a name, an ARN or a number in place of one.
    """
    for name, value in given.items():
        attribute, fix = _RESOURCES[name]
        if value is not None and not hasattr(value, attribute):
            msg = f"{name} must be an object of CDK's, got {shown(value)}: use {fix}, say"
            raise ValueError(msg)


_RESOURCES: Final = {
    "table": ("table_arn", "dynamodb.Table.from_table_arn()"),
    "audit_table": ("table_arn", "dynamodb.Table.from_table_attributes()"),
    "topic": ("topic_arn", "sns.Topic.from_topic_arn()"),
    "alarm_topic": ("topic_arn", "sns.Topic.from_topic_arn()"),
    "event_bus": ("event_bus_arn", "events.EventBus.from_event_bus_name()"),
    "encryption_key": ("key_arn", "kms.Key.from_key_arn()"),
    "signing_key": ("key_arn", "kms.Key.from_key_arn()"),
    "architecture": ("name", "lambda_.Architecture.ARM_64"),
    "log_retention": ("name", "logs.RetentionDays.ONE_YEAR"),
}


def page(*, url: str | None, requests_per_second: int, burst: int, challenge: bool) -> None:
    """What a page is made of.

    Raises:
        ValueError: an address that is not encrypted or ends in a slash, a throttle that lets nobody
            in, or a switch of another type.
    """
    is_a("page.challenge", challenge, bool, "use True or False")
    for name, number in (("requests_per_second", requests_per_second), ("burst", burst)):
        if not Token.is_unresolved(number):
            is_a(f"page.{name}", number, int, "use a whole number")
            if number < 1:
                msg = f"page.{name} must be at least 1, got {number}: nobody could open a link"
                raise ValueError(msg)
    if url is not None and not Token.is_unresolved(url):
        is_a("page.url", url, str, "use https://approve.example.com, say")
        if not _PAGE_URL.fullmatch(url):
            msg = (
                f"page.url must be like https://approve.example.com, got {shown(url)}: encrypted, "
                f"since links are secrets, and without a slash at its end"
            )
            raise ValueError(msg)


def rules(
    *, quorum: Quorum, rejections_needed: int, on_timeout: OnTimeout | None, **switches: bool
) -> None:
    """The keywords of a policy, and all that are on or off.

    Raises:
        ValueError: one of another type, or a number that only CloudFormation knows.
    """
    if Token.is_unresolved(rejections_needed):
        msg = "rejections_needed must be known at synth, got a token: use a whole number"
        raise ValueError(msg)
    is_a("quorum", quorum, Quorum, "use Quorum.at_least(2), say")
    if on_timeout is not None:
        is_a("on_timeout", on_timeout, OnTimeout, "use OnTimeout.reject(), say")
    for name, value in switches.items():
        is_a(name, value, bool, "use True or False")


def resume_mode(value: contract.ResumeMode) -> None:
    """How a waiting workflow learns of a decision.

    Raises:
        ValueError: no such mode.
    """
    one_of("resume", value, get_args(contract.ResumeMode))


def signing_key(key: kms.IKey | None) -> None:
    """The key that signs audit events, as far as it is made in this app.

    Raises:
        ValueError: a key that cannot sign what is signed.
    """
    if not isinstance(key, kms.Key):
        return
    made = cast(kms.CfnKey, key.node.default_child)
    if (made.key_spec, made.key_usage) != (_SIGNING_SPEC.value, _SIGNING_USAGE.value):
        msg = (
            f"signing_key must be a key that signs, got {made.key_spec or 'SYMMETRIC_DEFAULT'}: "
            f"use kms.Key(..., key_spec=kms.KeySpec.ECC_NIST_P256, "
            f"key_usage=kms.KeyUsage.SIGN_VERIFY)"
        )
        raise ValueError(msg)
