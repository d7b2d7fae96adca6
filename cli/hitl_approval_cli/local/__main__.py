"""Run the local cloud in the foreground: `python -m hitl_approval_cli.local`."""

from __future__ import annotations

import argparse
from pathlib import Path

from hitl_approval_cli.local import server


def main() -> None:
    """Read the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="hitl_approval_cli.local", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; default: a free one")
    parser.add_argument("--state-dir", type=Path, help="keep tables, stacks, executions here")
    parser.add_argument("--log-file", type=Path, help="append the log here; default: stderr")
    parser.add_argument(
        "--exit-with-parent",
        type=int,
        metavar="PID",
        nargs="?",
        const=0,
        help="stop when the parent process (this one, if given) has gone",
    )
    arguments = parser.parse_args()
    server.run(
        port=arguments.port,
        state_dir=arguments.state_dir,
        log_file=arguments.log_file,
        parent=arguments.exit_with_parent,
    )


if __name__ == "__main__":
    main()
