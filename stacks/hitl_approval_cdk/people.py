"""Whose a deployment is, as its functions know it: its groups, who is reached how, its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval.contract import DIRECTORY_FILE, GROUPS_FILE, ORGANIZATION_FILE
from hitl_approval.domain.delivery import Address, Directory
from hitl_approval.domain.organization import Organization
from hitl_approval_cdk.delivery import EmailApprover
from hitl_approval_cdk.layer_files import give_file
from hitl_approval_cdk.options import ResolvedOptions

READ_PEOPLE: Final = frozenset({"functions that write requests", "approval function"})
"""They ask the people whom a deployment names, or show who they are."""


def give_groups(
    function: lambda_.Function, scope: Construct, groups: Mapping[str, Sequence[str]]
) -> None:
    """Let a function read the groups. Without any there is no layer."""
    if groups:
        give_file(
            function,
            scope,
            "Groups",
            name=GROUPS_FILE,
            content=groups,
            description="hitl-approval: the people that each group's name stands for",
        )


def directory_of(options: ResolvedOptions) -> Directory:
    """Who is reached by which channels."""
    people: dict[str, list[Address]] = {}
    mail = options["mail"] is not None
    for each in options["deliver_to"]:
        by_mail = mail and isinstance(each, EmailApprover)
        address = Address("ses", each.endpoint) if by_mail else each.reached_at
        people.setdefault(each.approver, []).append(address)
    slack = options["slack"]
    audiences = {f"webhook {each.name}": each.reached_at for each in options["webhooks"] or ()}
    if slack is not None and slack.channel is not None:
        audiences[f"channel {slack.channel}"] = Address("slack", slack.channel)
    return Directory(
        people=people,
        mail=mail,
        slack=slack is not None and slack.direct_messages,
        audiences=audiences,
    )


def says_anything(directory: Directory) -> bool:
    """Whether somebody is reached otherwise than by the topic of messages for one person."""
    addresses = [each for person in directory.people.values() for each in person]
    others = directory.mail or directory.slack or directory.audiences
    return bool(others) or any(each.channel != "sns" for each in addresses)


def give_directory(function: lambda_.Function, scope: Construct, directory: Directory) -> None:
    """Let the messenger read who is reached how. Without need there is no layer."""
    if says_anything(directory):
        give_file(
            function,
            scope,
            "Directory",
            name=DIRECTORY_FILE,
            content=directory.to_dict(),
            description="hitl-approval: by which channels each person is reached",
        )


def give_organization(
    function: lambda_.Function, scope: Construct, organization: Organization | None
) -> None:
    """Let a function that shows pages read whose they are. Without one there is no layer."""
    if organization is not None:
        give_file(
            function,
            scope,
            "Organization",
            name=ORGANIZATION_FILE,
            content=organization.to_dict(),
            description="hitl-approval: the name, color and logo of its pages",
        )
