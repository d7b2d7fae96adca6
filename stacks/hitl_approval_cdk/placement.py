"""Where things are: what cannot be reached from a deployment's account and region is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from aws_cdk import Resource, Stack, Token
from constructs import IConstruct

from hitl_approval_cdk.brought import check_audit_table, check_table
from hitl_approval_cdk.options import ResolvedOptions

_USED_THERE = "a key is used in its own: use one there, or a replica of it"
_READ_THERE = "a secret is read in its own: use one there, or a replica of it"
_REACHED: dict[str, tuple[Sequence[str], str]] = {
    "table": (("account", "region"), "functions reach tables of their own: use one there"),
    "audit_table": (("account", "region"), "functions reach tables of their own: use one there"),
    "topic": (
        ("account", "region"),
        "functions publish in their own: use a topic there, to which others may subscribe",
    ),
    "event_bus": (
        ("region",),
        "events are put in their own: use a bus there, with a rule that forwards to the other",
    ),
    "alarm_topic": (("region",), "alarms reach topics of their own: use one there"),
    "encryption_key": (("region",), _USED_THERE),
    "signing_key": (("region",), _USED_THERE),
    "archive.key": (("region",), _USED_THERE),
    "slack.secret": (("region",), _READ_THERE),
    "webhooks.secret": (("region",), _READ_THERE),
    "page.sign_in._client_secret": (("region",), _READ_THERE),
    "page.sign_in._user_pool": (
        ("account", "region"),
        "a client is made beside its user pool: use a pool there, or SignIn.oidc with its issuer",
    ),
}
"""Option, or a field of its value -> what it must have in common with the deployment; the fix."""


_ARNS = (
    "table_arn",
    "topic_arn",
    "event_bus_arn",
    "key_arn",
    "secret_arn",
    "user_pool_arn",
)


def differs(theirs: str, ours: str) -> bool:
    """Whether two accounts or regions are known to be different ones."""
    return theirs != ours and not (Token.is_unresolved(theirs) or Token.is_unresolved(ours))


def place_of(resource: Any, part: str) -> str:
    """Account or region of a resource, as far as its ARN is text; an imported table has no other.

    Args:
        resource: with an ARN.
        part: `"account"` or `"region"`.
    """
    name = next((name for name in _ARNS if _has(resource, name)), None)
    arn = "" if name is None else getattr(resource, name)
    if Token.is_unresolved(arn):
        return str(getattr(resource.env, part))
    return str(arn.split(":")[4 if part == "account" else 3])


def _has(resource: Any, name: str) -> bool:
    """Whether it has a property. Of its class, if possible: to read one is a message to jsii."""
    return hasattr(type(resource), name) or hasattr(resource, name)


def check_brought(stack: Stack, options: ResolvedOptions) -> None:
    """Check each resource that is brought along.

    Raises:
        ValueError: the deployment cannot reach it, or cannot work with it.
    """
    for path, (parts, fix) in _REACHED.items():
        for resource in _at(options, path):
            _check(path.replace("._", "."), resource, stack, parts, fix)
    if options["table"] is not None:
        check_table(options["table"])
    if options["audit_table"] is not None:
        check_audit_table(options["audit_table"])


def _at(options: ResolvedOptions, path: str) -> Iterator[Any]:
    """What stands at an option, or at a field of its value; of a list, at that of each."""
    name, *fields = path.split(".")
    value = cast(dict[str, Any], options)[name]
    for each in value if isinstance(value, list | tuple) else [value]:
        found = each
        for field in fields:
            found = getattr(found, field, None)
        if found is not None:
            yield found


def _check(name: str, resource: Any, stack: Stack, parts: Sequence[str], fix: str) -> None:
    for part in parts:
        theirs, ours = place_of(resource, part), getattr(stack, part)
        if differs(theirs, ours):
            msg = f"{name} is in {part} {theirs}, this stack in {ours}: {fix}"
            raise ValueError(msg)
    if Resource.is_owned_resource(resource):
        check_together(name, Stack.of(resource), stack)


def check_same(path: str, theirs: Stack, deployment: IConstruct) -> None:
    """Check that a part of the app is in the deployment's account and region, as far as is known.

    Raises:
        ValueError: they are not, or CloudFormation could not connect them.
    """
    ours = Stack.of(deployment)
    for part in ("account", "region"):
        if differs(getattr(theirs, part), getattr(ours, part)):
            msg = (
                f"{path} is in {part} {getattr(theirs, part)}, {deployment.node.path} in "
                f"{getattr(ours, part)}: make a HitlApproval there"
            )
            raise ValueError(msg)
    check_together(path, theirs, ours)


def check_together(what: str, theirs: Stack, ours: Stack) -> None:
    """Check that CloudFormation can connect two stacks: both name an account and region, or none.

    Raises:
        ValueError: only one does.
    """
    for part in ("account", "region"):
        known = [not Token.is_unresolved(getattr(stack, part)) for stack in (theirs, ours)]
        if any(known) and not all(known):
            named, unnamed = (theirs, ours) if known[0] else (ours, theirs)
            msg = (
                f"{what} is in the stack {theirs.node.path}, not in {ours.node.path}, and "
                f"{unnamed.node.path} names no {part}: give it "
                f"env=Environment(...) as {named.node.path} has it"
            )
            raise ValueError(msg)
