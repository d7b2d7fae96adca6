"""The wheel, built once, in clean environments: what users install."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    _run("uv", "build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT))
    [wheel] = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class CleanVenv:
    """A virtual environment with the wheel in it and nothing of the checkout."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, wheel: Path, extra: str = "") -> CleanVenv:
        _run("uv", "venv", "--quiet", "--python", sys.executable, str(folder))
        made = cls(folder)
        wanted = f"hitl-approval{extra} @ {wheel.as_uri()}"
        _run("uv", "pip", "install", "--quiet", "--python", str(made.python), wanted)
        return made

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *words: str, cwd: Path) -> str:
        """What a Python program of this environment prints; it must end well."""
        done = subprocess.run(
            [str(self.python), "-P", *words], cwd=cwd, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
