"""Which deployments a stack holds, by the names of its outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hitl_approval.contract import OUTPUTS
from hitl_approval.domain.command_line import reference
from hitl_approval_cli.errors import CliError


def deployments_in(described: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Reference -> outputs by their plain names, of each deployment in a stack.

    Args:
        described: one of `DescribeStacks`' stacks.

    Raises:
        CliError: two deployments have the same name.
    """
    stack = described["StackName"]
    found: dict[str, dict[str, str]] = {}
    for each in described.get("Outputs", []):
        match = _OUTPUT.fullmatch(each["OutputKey"])
        if match is None or (match["deployment"] and not match["hash"]):
            continue  # somebody else's
        outputs = found.setdefault(reference(stack, match["deployment"]), {})
        if match["output"] in outputs:  # CDK leaves hyphens and the like out of names
            alike = match["deployment"] or "the stack's own"
            msg = f"stack {stack} holds two deployments with one name ({alike}): rename a construct"
            raise CliError(msg, code="ALIKE")
        outputs[match["output"]] = each["OutputValue"]
    return found


def nested_in(formation: Any, stack: str) -> Iterator[str]:
    """The ids of the stacks that are nested in one, at any depth.

    Args:
        formation: a client of CloudFormation's.
        stack: the name or id of a stack.
    """
    asked = {"StackName": stack}
    while True:
        answer = formation.list_stack_resources(**asked)
        for each in answer["StackResourceSummaries"]:
            if each.get("ResourceType") == _NESTED and each.get("PhysicalResourceId"):
                yield each["PhysicalResourceId"]
                yield from nested_in(formation, each["PhysicalResourceId"])
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]


_NESTED: Final = "AWS::CloudFormation::Stack"
_OUTPUT = re.compile(
    rf"(?P<deployment>[A-Za-z0-9]*?)(?P<output>{'|'.join(OUTPUTS)})(?P<hash>[0-9A-F]{{8}})?"
)
