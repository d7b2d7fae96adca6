"""Record the histories of this version, for every later one to replay.

python -m tests.workflow.record             refuses to touch a version that is on record
python -m tests.workflow.record --force     only for a version that was never released
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from hitl_approval.contract import LIBRARY_VERSION
from tests.workflow.history import HISTORIES, ROUTES, Json, record


def main(arguments: Sequence[str] | None = None, histories: Path = HISTORIES) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.workflow.record", description=__doc__)
    parser.add_argument("--force", action="store_true")
    chosen = parser.parse_args(arguments)
    folder = histories / LIBRARY_VERSION
    if folder.exists() and not chosen.force:
        sys.stderr.write(f"{folder} is on record already: its executions may be in flight\n")
        return 1
    logging.disable()  # the SDK tells of each failed try
    folder.mkdir(parents=True, exist_ok=True)
    for route in ROUTES:
        (folder / f"{route.name}.json").write_text(_lines(record(route)), encoding="utf-8")
    sys.stdout.write(f"{len(ROUTES)} histories in {folder}\n")
    return 0


def _lines(history: Json) -> str:
    """One cut a line."""
    head = [f'"{name}": {json.dumps(history[name])}' for name in history if name != "cuts"]
    cuts = ",\n".join(json.dumps(cut) for cut in history["cuts"])
    return "{\n" + ",\n".join([*head, f'"cuts": [\n{cuts}\n]']) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
