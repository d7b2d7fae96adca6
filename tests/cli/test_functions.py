"""The functions of a deployment, found by its stack."""

from __future__ import annotations

import json

import pytest

from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.functions import archive_queue, configuration_of, find_functions

from .fake_cloud import FakeCloud

HERE = Deployment("hitl-approval")


def test_should_find_the_functions_of_this_deployment_alone(cloud: FakeCloud) -> None:
    cloud.have_functions("Workflow", "Sweep", "OtherWorkflow")
    assert find_functions(HERE) == {"Workflow": "workflow", "Sweep": "sweep"}


def test_should_say_that_a_stack_has_no_workflow_function(cloud: FakeCloud) -> None:
    with pytest.raises(CliError, match="has no function workflow"):
        find_functions(HERE)


def test_should_know_the_queue_of_what_is_not_archived(cloud: FakeCloud) -> None:
    cloud.have_functions("Workflow")
    assert archive_queue(HERE) is None
    cloud.have_functions("Publisher")
    assert archive_queue(HERE) is None
    cloud.variables["publisher"] = {"ARCHIVE": json.dumps({"queue_url": "https://sqs.example/a"})}
    assert archive_queue(HERE) == "https://sqs.example/a"
    assert "FunctionArn" in configuration_of(HERE, "publisher")
