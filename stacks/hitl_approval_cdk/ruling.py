"""A deployment's rules at synth: checked with its people, and given to functions as a file."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final, cast

from aws_cdk import Annotations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import Members, expand, members_of
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.rule import RULES_FILE, Rules
from hitl_approval_cdk.layer_files import give_file
from hitl_approval_cdk.options import ResolvedOptions
from hitl_approval_cdk.tokens import is_token, shown

READ_RULES: Final = frozenset({"functions that write requests", "approval function"})
"""They follow rules, or show them."""


def rules_of(options: ResolvedOptions) -> Rules:
    """The rules, which a caller may have given as JSON values."""
    return cast(Rules, options["rules"])


def check_rules(options: ResolvedOptions, policy: Policy) -> None:
    """The people whom each rule asks can satisfy it.

    Raises:
        ValueError: they cannot; names the rule.
    """
    own = options["approvers"]
    known = own is not None and not any(map(is_token, [own, *own]))
    for rule in rules_of(options).rules:
        if rule.then is not None:
            continue
        found = members_of(options["groups"])
        under = policy if rule.quorum is None else replace(policy, quorum=rule.quorum)
        names = rule.approvers or (own if known else ())
        try:
            if under.quorum.groups:
                if rule.approvers:
                    raise ValueError(_OF_GROUPS)  # noqa: TRY301  named with the rule below
                names = tuple(group.name for group in under.quorum.groups)
                under = replace(under, quorum=under.quorum.with_people(partial(_group, found)))
            if names:
                under.check(expand(names, found, "approvers"))
        except (InvalidRequest, ValueError) as error:
            msg = f"rules: rule {rule.id}: {error}"
            raise ValueError(msg) from error


_OF_GROUPS = "names approvers, and the deployment's quorum is of groups: give it a quorum too"


def _group(found: Members, name: str) -> tuple[str, ...]:
    people = found(name)
    if people is None:
        msg = f"quorum names {shown(name)}, which is no group of this deployment"
        raise ValueError(msg)
    return tuple(people)


def give_rules(function: lambda_.Function, scope: Construct, options: ResolvedOptions) -> None:
    """Let a function read the rules. Without any there is no layer."""
    if rules := rules_of(options):
        give_file(
            function,
            scope,
            "Rules",
            name=RULES_FILE,
            content=rules.to_json(),
            description="hitl-approval: which requests are decided otherwise",
        )


def warn_of_rules(approval: Construct, options: ResolvedOptions) -> None:
    """Warn where who asks may choose around the rules."""
    if options["rules"] and options["requests_name_approvers"]:
        Annotations.of(approval).add_warning_v2(
            "hitl-approval:rulesThatRequestsMayLeave",
            "requests_name_approvers lets who asks name other people and a smaller quorum than a "
            "rule says: leave it out, unless who asks is trusted with that",
        )
