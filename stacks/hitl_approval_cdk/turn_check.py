"""Whether those whom a deployment names can decide, after each step of its escalation too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import expand, members_of
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.turn import check_reachable
from hitl_approval_cdk.options import ResolvedOptions
from hitl_approval_cdk.tokens import is_token, shown


def check_turns(options: ResolvedOptions, rules: Policy) -> None:
    """The people whom this deployment names can satisfy its rules, after each step too.

    Raises:
        ValueError: they cannot, or the quorum names no groups of the deployment.
    """
    approvers, groups = options["approvers"], cast(Mapping[str, Any], options["groups"])
    members = members_of(groups)
    quorum = rules.quorum
    if quorum.groups:
        if approvers is not None:
            msg = "quorum names the groups that are asked: leave approvers out"
            raise ValueError(msg)
        unknown = [group.name for group in quorum.groups if group.name not in groups]
        if unknown:
            msg = f"quorum names {shown(unknown[0])}, which is no group: add it to groups"
            raise ValueError(msg)
        approvers = tuple(group.name for group in quorum.groups)
        quorum = quorum.with_people(lambda name: tuple(groups[name]))
    if approvers is None or any(map(is_token, [approvers, *approvers])):
        return
    field = "approvers"
    try:
        people = expand(approvers, members, field)
        field = "escalation"
        steps = tuple(
            replace(step, to=expand(step.to, members, field)) for step in rules.escalation
        )
    except InvalidRequest as error:
        msg = f"{error} (got {shown(list(approvers))}): name fewer"
        raise ValueError(msg) from error
    check_reachable(people, replace(rules, quorum=quorum, escalation=steps), requester="")
