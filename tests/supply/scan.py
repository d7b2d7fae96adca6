"""What one scanner has found, and how one that no lock has is run."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parents[2]


class NotRunError(Exception):
    """A scanner could not do its work here; its text says why in one line."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanner has found.

    Attributes:
        name: of the scanner, or of what is scanned.
        scope: what was scanned, with a number that shows that it was something.
        findings: what is open, a line each.
        accepted: what it found and is kept, a line each -> why.
    """

    name: str
    scope: str
    findings: Sequence[str] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, scope: str, found: Sequence[str], accepted: Mapping[str, str]) -> Scan:
        """Sort what was found by what is accepted.

        Args:
            name: of the scanner.
            scope: what was scanned.
            found: a line each.
            accepted: the beginning of a line -> why it is kept. One that matches nothing is a
                finding itself: nobody needs it any more.
        """
        open_, kept, used = [], {}, set()
        for line in found:
            why = next((begin for begin in accepted if line.startswith(begin)), None)
            if why is None:
                open_.append(line)
            else:
                used.add(why)
                kept[line] = accepted[why]
        stale = [f"accepted, but not found: {begin}" for begin in accepted if begin not in used]
        return cls(name, scope, [*open_, *stale], kept)


def run_tool(
    package: str, command: str, *words: str, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a pinned tool that uv installs in an environment of its own, as no lock has it.

    Args:
        package: with its version, `pip-audit==2.10.1`.
        command: of that package.
        words: its arguments.
        cwd: where it runs.
    """
    return subprocess.run(
        [find_uv_bin(), "tool", "run", "--quiet", "--from", package, command, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
