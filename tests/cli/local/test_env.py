"""`hitl local env`: what a second terminal evaluates."""

from __future__ import annotations

import subprocess

import pytest

from hitl_approval_cli.commands.local.place import Place, remember
from hitl_approval_cli.local import APP_FOLDER
from tests.cli.conftest import Hitl

from .conftest import ENVIRONMENT, Cloud


@pytest.mark.parametrize(("stacks", "named"), [(["Pay"], "Pay"), (["Pay", "Ask"], "")])
def test_should_print_what_a_shell_takes(
    hitl: Hitl, here: Place, cloud: Cloud, stacks: list[str], named: str
) -> None:
    here.folder.mkdir()
    remember(here, cloud.pid, ENVIRONMENT, stacks)
    result = hitl("local", "env")
    assert (result.status, result.err) == (0, "")
    said = '"$AWS_ENDPOINT_URL" "$AWS_ACCESS_KEY_ID" "$STACK_NAME" "$HITL_LOCAL_DIR" "$PATH"'
    script = f'printf "%s\\n" {said}'
    typed = subprocess.run(
        ["/bin/sh", "-c", f"{result.out}{script}"],
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    *values, path = typed.stdout.splitlines()
    assert values == [*ENVIRONMENT.values(), named, str(here.folder.resolve())]
    assert path == f"{APP_FOLDER / '.venv' / 'bin'}:/usr/bin"


def test_should_print_nothing_where_nothing_runs(hitl: Hitl, here: Place) -> None:
    result = hitl("local", "env")
    assert (result.status, result.out) == (1, "")
    assert result.err == "hitl: nothing is running: start it with `hitl local up` (NOT_RUNNING)\n"
