"""`hitl completion`: a script with which a shell completes the command."""

from __future__ import annotations

from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

from hitl_approval.domain.text import shown
from hitl_approval_cli import output
from hitl_approval_cli.errors import usage

SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help=f"{', '.join(SHELLS)}.")],
) -> None:
    """Print a script that lets your shell complete `hitl`.

    Example: hitl completion bash
    """
    if shell not in SHELLS:
        raise usage(f"SHELL: must be one of {', '.join(SHELLS)}, got {shown(shell)}")
    script = get_completion_script(prog_name="hitl", complete_var="_HITL_COMPLETE", shell=shell)
    output.plain(script)
