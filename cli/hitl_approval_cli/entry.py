"""Entry point of the `hitl` command, which is there without the extra that it needs, too."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command, or say what is not installed."""
    try:
        from hitl_approval_cli.main import main as run
    except ModuleNotFoundError as error:
        sys.exit(f'hitl: {error.name} is not installed: install hitl-approval with its extra "cli"')
    except KeyboardInterrupt:  # before there is a command that could end by it
        sys.exit(130)
    run()
