"""An operator with nothing but the runbook: each staged failure is seen and fixed by its section.

The commands are those of `docs/runbook.md`, as they stand there: none of ours.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from hitl_approval_cli.commands.local.senders import verify_senders
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud
from tests.docs.test_runbook import SECTIONS

from .failures import FAILURES, Failure
from .operated import ANN, BOB, Operated, deploy
from .staged_failures import is_well
from .typed import type_lines

STACK = "operated"


@pytest.fixture(scope="module")
def operated(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    folder = tmp_path_factory.mktemp("operated")
    environment = cloud.environment()

    def again(people: Sequence[str]) -> None:
        deploy(STACK, people, folder, environment)

    again([ANN, BOB])
    verify_senders(environment, [STACK])
    deployment = Deployment(STACK, cloud.region, None, cloud.endpoint_url)
    yield Operated(deployment, again)
    with patch.dict(os.environ, environment):
        deployment.client("cloudformation").delete_stack(StackName=STACK)


def test_should_stage_ten_failures_at_least() -> None:
    assert len(FAILURES) >= 10
    assert len({failure.section for failure in FAILURES}) >= 10


def test_should_say_that_it_is_not_well_yet_and_not_how_a_test_fails() -> None:
    def waits(*_: object) -> bool:
        pytest.fail("within 20 s there was no reminder")

    failure = replace(FAILURES[0], well=waits)
    assert is_well(failure, None, {}) == (False, "not well yet: within 20 s there was no reminder")  # type: ignore[arg-type]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.symptom[:50])
def test_should_be_fixed_by_the_commands_of_its_section(
    operated: Operated, failure: Failure, tmp_path: Path
) -> None:
    quoted = {" ".join(found.split()) for found in re.findall(r"`([^`]+)`", _fix(failure.section))}
    assert set(failure.commands) <= quoted

    words = failure.stage(operated)
    words |= failure.see(operated, words)
    variables = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AWS_PAGER": "",
        "HITL_STACK": STACK,
    }
    for command in failure.commands:
        type_lines(_typed(command, words), folder=tmp_path, environment=variables)
    assert failure.well(operated, words)


def _fix(section: str) -> str:
    section = str(SECTIONS[section])
    return section.partition("**Fix it:**")[2].partition("- **Threshold")[0]


def _typed(command: str, words: dict[str, str]) -> str:
    """A command of the runbook with what stands for its words in capitals."""
    line = re.sub(r"\b[A-Z]{2,}\b", lambda found: words[found[0]], command)
    # Its exit status is of the state before.
    return f"{line} || true" if line.startswith("hitl doctor") else line
