"""The functions of a deployment as Lambda has them, found by its stack."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hitl_approval.contract import Env, Output
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError

FUNCTIONS: Final = (
    "Workflow", "Request", "Approval", "Sweep", "Page", "SignedIn", "Publisher", "Messenger",
    "Slack",
)  # fmt: skip
"""What a deployment's functions are called, before `Function` in their logical ids."""
_FUNCTION: Final = "AWS::Lambda::Function"


def find_functions(deployment: Deployment) -> Mapping[str, str]:
    """What the functions of a deployment are called -> the names that they have in Lambda.

    Raises:
        CliError: the stack has no function of the name that its output says.
    """
    return find_parts(deployment, _FUNCTION, FUNCTIONS, "Function")


def find_parts(
    deployment: Deployment, kind: str, names: Iterable[str], suffix: str
) -> Mapping[str, str]:
    """What some of a deployment's resources are called -> their physical ids.

    Args:
        deployment: whose.
        kind: their type in CloudFormation.
        names: what they can be called.
        suffix: what comes behind that in their logical ids.

    Raises:
        CliError: the stack has no function of the name that its output says.
    """
    workflow = deployment.output(Output.WORKFLOW_FUNCTION_NAME)
    resources = list(_resources(deployment))
    own = next(
        (logical for of, logical, physical in resources if (of, physical) == (_FUNCTION, workflow)),
        None,
    )
    found = own and re.fullmatch(r"(?P<deployment>\w*?)WorkflowFunction[0-9A-F]{8}", own)
    if not found:
        msg = f"stack {deployment.stack} has no function {workflow}: is it a hitl-approval stack?"
        raise CliError(msg, code="NOT_A_HITL_STACK")
    called = re.compile(rf"{found['deployment']}(?P<name>{'|'.join(names)}){suffix}[0-9A-F]{{8}}")
    return {
        match["name"]: physical
        for of, logical, physical in resources
        if of == kind and (match := called.fullmatch(logical))
    }


def _resources(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """Type, logical and physical id of each resource of the stack."""
    client = deployment.client("cloudformation")
    asked = {"StackName": deployment.stack_name}
    while True:
        with deployment.errors():
            answer = client.list_stack_resources(**asked)
        for each in answer["StackResourceSummaries"]:
            kind, physical = each.get("ResourceType", ""), each.get("PhysicalResourceId", "")
            yield kind, each["LogicalResourceId"], physical
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]


def configuration_of(deployment: Deployment, function: str) -> Mapping[str, Any]:
    """What Lambda says of a function, by its name there."""
    with deployment.errors():
        client = deployment.client("lambda")
        found: Mapping[str, Any] = client.get_function_configuration(FunctionName=function)
    return found


def archive_queue(deployment: Deployment) -> str | None:
    """The URL of the queue of what could not be archived; None without an archive."""
    publisher = find_functions(deployment).get("Publisher")
    if publisher is None:
        return None
    variables = configuration_of(deployment, publisher)["Environment"]["Variables"]
    place = variables.get(Env.ARCHIVE)
    return None if place is None else str(json.loads(place)["queue_url"])
