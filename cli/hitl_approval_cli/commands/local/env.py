"""`hitl local env`: the exports for a second terminal."""

from __future__ import annotations

import shlex

from hitl_approval_cli import output
from hitl_approval_cli.commands.local.place import Place, must_run
from hitl_approval_cli.local import APP_FOLDER


def env() -> None:
    """Print the exports for a second terminal.

    Example: eval "$(hitl local env)"
    """
    place = Place.here()
    running = must_run(place)
    stacks = running["stacks"]
    variables = {
        **running["environment"],
        "HITL_LOCAL_DIR": str(place.folder.resolve()),  # `hitl local mail`, in any folder
        **({"STACK_NAME": stacks[0]} if len(stacks) == 1 else {}),
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    checkout = APP_FOLDER / ".venv" / "bin"
    if (checkout / "hitl").is_file():  # `make` runs it there; elsewhere it is on PATH already
        lines.append(f'export PATH={shlex.quote(str(checkout))}:"$PATH"')
    for line in lines:
        output.plain(line)  # for eval, unwrapped
