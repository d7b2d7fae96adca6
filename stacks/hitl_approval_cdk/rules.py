"""The rule of each option, alone. Each message names the property, its value and the fix.

Tokens, whose values only CloudFormation knows, pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from hitl_approval import contract
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import validate_names
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_values import MAX_REMINDERS
from hitl_approval.domain.text import MAX_PERSON, line, person_key
from hitl_approval_cdk import bundling
from hitl_approval_cdk.option import Rule
from hitl_approval_cdk.tokens import is_token, shown

MINUTE: Final = 60
DAY: Final = 24 * 3600
LONGEST_APPROVAL: Final = contract.MAX_EXECUTION_SECONDS - contract.EXECUTION_MARGIN_SECONDS
ALWAYS_SENT: Final = ("requested", "changed", "question", "answer")
"""Kinds of messages that no deployment leaves out."""
MAX_EXECUTION_RETENTION_DAYS: Final = 90
"""Lambda keeps no longer."""
MAX_RETENTION_DAYS: Final = 36_500
"""A hundred years; a date beyond the year 9999 is none."""
MIN_MEMORY: Final = 128
"""Lambda offers no less, in MB."""
MAX_MEMORY: Final = 10_240
"""Lambda offers no more, in MB."""

_SIGNING_SPEC = kms.KeySpec.ECC_NIST_P256
_SIGNING_USAGE = kms.KeyUsage.SIGN_VERIFY
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>.]+(\.[^@\s<>.]+)+")


def is_a(name: str, value: object, kind: type, fix: str) -> None:
    """Check a value's type, for those who do not run a type checker.

    Raises:
        ValueError: it is of another type; `"false"` would pass for true.
    """
    if not isinstance(value, kind):
        msg = f"{name} must be {kind.__name__}, got {shown(value)}: {fix}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses


def instance_of(kind: type, fix: str) -> Rule:
    """A value of this type; the fix ends the message."""

    def rule(name: str, value: Any) -> Any:
        is_a(name, value, kind, fix)
        return value

    return rule


def check_secret(name: str, secret: Any) -> None:
    """Check that it is a secret on whose one ARN rights can be given.

    Raises:
        ValueError: it is something else, or known by its name only.
    """
    use = "use secretsmanager.Secret.from_secret_complete_arn(), say"
    if not hasattr(secret, "secret_arn"):
        msg = f"{name} must be a secret, got {shown(secret)}: {use}"
        raise ValueError(msg)
    if secret.secret_full_arn is None:
        msg = f"{name} {secret.node.path} is known by its name only, not by its one ARN: {use}"
        raise ValueError(msg)


switch: Final = instance_of(bool, "use True or False")


def resource(kind: str | type, fix: str) -> Rule:
    """An object of CDK's: of this type, or with this attribute; the fix is how one is made."""

    def rule(name: str, value: Any) -> Any:
        fits = hasattr(value, kind) if isinstance(kind, str) else isinstance(value, kind)
        if not fits:
            msg = f"{name} must be an object of CDK's, got {shown(value)}: use {fix}, say"
            raise ValueError(msg)
        return value

    return rule


def one_of(*allowed: str) -> Rule:
    """One of these texts."""

    def rule(name: str, value: Any) -> Any:
        if value not in allowed and not (isinstance(value, str) and is_token(value)):
            msg = f"{name} must be one of {', '.join(allowed)}, got {shown(value)}"
            raise ValueError(msg)
        return value

    return rule


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


def reminders(name: str, value: Any) -> Any:
    """Durations of at least a minute, at most `MAX_REMINDERS` of them.

    Raises:
        ValueError: something else.
    """
    if not isinstance(value, list | tuple):
        msg = f"{name} must be a list, got {shown(value)}: use [Duration.hours(4)], say"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    if len(value) > MAX_REMINDERS:
        msg = f"{name} must be at most {MAX_REMINDERS}, got {len(value)}: leave some out"
        raise ValueError(msg)
    for each in value:
        total = seconds(name, each)
        if total is not None and total < MINUTE:
            msg = f"{name} must be at least {MINUTE} s each, got {total} s: messages go by minutes"
            raise ValueError(msg)
    return tuple(value)


def messages_off(name: str, value: Any) -> Any:
    """Kinds of messages that can be left out.

    Raises:
        ValueError: something else; a request itself cannot be left out, nor that it has changed.
    """
    kinds = [kind for kind in get_args(contract.MessageKind) if kind not in ALWAYS_SENT]
    if not isinstance(value, list | tuple) or not all(each in kinds for each in value):
        msg = f"{name} must be a list of {', '.join(kinds)}, got {shown(value)}"
        raise ValueError(msg)
    return list(value)


def whole_days(*, maximum: int, why: str) -> Rule:
    """A duration of whole days, at least 1."""

    def rule(name: str, value: Any) -> Any:
        total = seconds(name, value)
        if total is None:
            return value
        if total < DAY or total % DAY:
            msg = f"{name} must be whole days, at least 1, got {total} s: use Duration.days()"
            raise ValueError(msg)
        if total > maximum * DAY:
            msg = f"{name} must be at most {maximum} days, got {total // DAY}: {why}"
            raise ValueError(msg)
        return value

    return rule


def whole_minutes(name: str, value: Any) -> Any:
    """A duration of whole minutes, at least 1."""
    total = seconds(name, value)
    if total is not None and (total < MINUTE or total % MINUTE):
        msg = f"{name} must be whole minutes, at least 1, got {total} s: use Duration.minutes()"
        raise ValueError(msg)
    return value


def approval_timeout(name: str, value: Any) -> Any:
    """A time that people need at least, and that an execution can hold."""
    total = seconds(name, value)
    if total is None:
        return value
    if total < contract.MIN_DEFAULT_TIMEOUT_SECONDS:
        msg = (
            f"{name} must be at least {contract.MIN_DEFAULT_TIMEOUT_SECONDS} s, got "
            f"{total} s: people need time; a single request may ask for less"
        )
        raise ValueError(msg)
    if total > LONGEST_APPROVAL:
        msg = (
            f"{name} must be at most {LONGEST_APPROVAL} s, got {total} s: a durable "
            f"execution lasts at most 366 days and keeps {contract.EXECUTION_MARGIN_SECONDS} s "
            f"of margin"
        )
        raise ValueError(msg)
    return value


def execution_timeout(name: str, value: Any) -> Any:
    """A time that Lambda allows an execution; whether it is long enough, `resolution` checks."""
    total = seconds(name, value)
    if total is not None and total > contract.MAX_EXECUTION_SECONDS:
        msg = (
            f"{name} must be at most {contract.MAX_EXECUTION_SECONDS} s (366 days), "
            f"got {total} s: Lambda allows no longer"
        )
        raise ValueError(msg)
    return value


def poll_interval(name: str, value: Any) -> Any:
    """A time of at least a second; whether an execution can hold the polls, `resolution` checks."""
    total = seconds(name, value)
    if total is not None and total < 1:
        msg = f"{name} must be at least 1 s, got 0 s: 5 s is the default"
        raise ValueError(msg)
    return value


def quorum(name: str, value: Any) -> Any:
    """A quorum that somebody can reach."""
    is_a(name, value, Quorum, "use Quorum.at_least(2), say")
    if value.kind == "at_least":
        Policy(quorum=Quorum.at_least(value.count)).check(())
    return value


def rejections_needed(name: str, value: Any) -> Any:
    """A number that is known at synth: the functions hold it inside of JSON."""
    if is_token(value):
        msg = f"{name} must be known at synth, got a token: use a whole number"
        raise ValueError(msg)
    is_a(name, value, int, "use a whole number")
    Policy(rejections_needed=value).check(())
    return value


def names(field: str, given: Sequence[str], what: str) -> None:
    """Check the names of people or groups, as many as there are.

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


def approvers(name: str, value: Any) -> Any:
    """Names of people and groups, at least one; a token may stand for each or for all."""
    if not isinstance(value, list | tuple) or not value:
        msg = (
            f"{name} must be a list of at least one name, got {shown(value)}: name somebody, or "
            f"leave it out so that anyone who may call the approval function decides"
        )
        raise ValueError(msg)
    if any(map(is_token, [value, *value])):
        return tuple(value)
    try:
        return validate_names(value, name)
    except InvalidRequest as error:
        msg = f"{error} (got {shown(list(value))}): name each approver once, in one line"
        raise ValueError(msg) from error


def operators(name: str, value: Any) -> list[str]:
    """Names of people, known at synth."""
    if not isinstance(value, list | tuple) or any(map(is_token, [value, *value])):
        msg = f"{name} must be a list of names that are known at synth, got {shown(value)}"
        raise ValueError(msg)
    try:
        return list(validate_names(value, name))
    except InvalidRequest as error:
        msg = f"{error} (got {shown(list(value))}): name each operator once, in one line"
        raise ValueError(msg) from error


def groups(name: str, value: Any) -> dict[str, list[str]]:
    """Names of groups, and the people that each stands for."""
    if not isinstance(value, Mapping):
        msg = f"{name} must be names with a list of members each, got {shown(value)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    for group, members in value.items():
        if any(map(is_token, [group, members, *(members if isinstance(members, list) else ())])):
            msg = (
                f"{name} must be known at synth, got a token in {shown(group)}: they are written "
                f"to a file; name people, or find them with wait_for_approval(members=...)"
            )
            raise ValueError(msg)
    names(name, tuple(value), "each group")
    accepted: dict[str, list[str]] = {}
    try:
        for group, members in value.items():
            accepted[group] = list(validate_names(members, f"{name}[{group!r}]"))
            if not accepted[group]:
                msg = f"{name}[{group!r}] has no members: name somebody, or leave the group out"
                raise ValueError(msg)
    except InvalidRequest as error:
        msg = f"{error}: name each member once, in one line"
        raise ValueError(msg) from error
    return accepted


def emails(name: str, value: Any) -> tuple[str, ...]:
    """Addresses, each once; each may be a token."""
    if isinstance(value, list | tuple | str) and is_token(value):
        msg = (
            f"{name} must be a list that is known at synth, got a token: name each address, of "
            f"which each may be one"
        )
        raise ValueError(msg)
    if not isinstance(value, list | tuple):
        fix = f"[{shown(value)}]" if isinstance(value, str) else "['ann@example.com'], say"
        msg = f"{name} must be a list of addresses, got {shown(value)}: use {fix}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    seen: set[str] = set()
    for address in value:
        if is_token(address):
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
    return tuple(value)


def removal_policy(name: str, value: Any) -> Any:
    """A policy that tables have."""
    is_a(name, value, RemovalPolicy, "use RemovalPolicy.RETAIN or DESTROY")
    if value == RemovalPolicy.SNAPSHOT:
        msg = f"{name} must be RETAIN or DESTROY, got SNAPSHOT: tables have none"
        raise ValueError(msg)
    return value


def signing_key(name: str, value: Any) -> Any:
    """A key that can sign, as far as it is made in this app."""
    resource("key_arn", "kms.Key.from_key_arn()")(name, value)
    if isinstance(value, kms.Key):
        made = cast(kms.CfnKey, value.node.default_child)
        if (made.key_spec, made.key_usage) != (_SIGNING_SPEC.value, _SIGNING_USAGE.value):
            msg = (
                f"{name} must be a key that signs, got {made.key_spec or 'SYMMETRIC_DEFAULT'}: "
                f"use kms.Key(..., key_spec=kms.KeySpec.ECC_NIST_P256, "
                f"key_usage=kms.KeyUsage.SIGN_VERIFY)"
            )
            raise ValueError(msg)
    return value


def architecture(name: str, value: Any) -> lambda_.Architecture:
    """An architecture that the functions can be bundled for."""
    resource(lambda_.Architecture, "lambda_.Architecture.ARM_64")(name, value)
    one_of(*bundling.PLATFORMS)(name, value.name)
    return cast(lambda_.Architecture, value)


def concurrency(name: str, value: Any) -> Any:
    """A number of invocations at a time; none would stop every request."""
    if is_token(value):
        return value
    is_a(name, value, int, "use a whole number")
    if value < 1 or isinstance(value, bool):
        msg = f"{name} must be at least 1, got {shown(value)}: with none nobody could ask"
        raise ValueError(msg)
    return value


def memory_size(name: str, value: Any) -> Any:
    """What Lambda offers in MB, which also decides the share of a CPU."""
    if is_token(value):
        return value
    is_a(name, value, int, "512 is the default")
    if not MIN_MEMORY <= value <= MAX_MEMORY:
        msg = f"{name} must be {MIN_MEMORY} to {MAX_MEMORY} MB, got {value}: 512 is the default"
        raise ValueError(msg)
    return value
