"""The wheel, built once, in clean environments: what users install.

Beside tomorrow's releases of everything: nothing here may take what is newer than the locks.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from uv import find_uv_bin

from tests.tomorrow import pins, releases

ROOT = Path(__file__).parents[2]
INSTALLED = """
import json; from importlib.metadata import distributions
print(json.dumps({d.name.lower(): d.version for d in distributions()}))
"""


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout, by way of the sdist as a release is made."""
    _uv("build", "--no-build-isolation", "--python", sys.executable, "-o", str(folder), str(ROOT))
    [wheel] = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class CleanVenv:
    """A virtual environment with the wheel in it and nothing of the checkout."""

    folder: Path

    @classmethod
    def make(
        cls, folder: Path, wheel: Path, extras: str = "", *more: str, at: str = "=="
    ) -> CleanVenv:
        """One with some extras, `[cdk]` say, and whatever else `uv pip install` takes.

        Versions are the locks' (`at` them), or `<=` that.
        """
        _uv("venv", "--python", sys.executable, str(folder))
        made = cls(folder)
        wanted = f"hitl-approval{extras} @ {wheel.as_uri()}"
        constraint = ("--constraint", str(constraints(folder, at)))
        _uv("pip", "install", "--python", str(made.python), wanted, *constraint, *more)
        return made

    @classmethod
    def empty(cls, folder: Path) -> CleanVenv:
        """One with nothing but pip."""
        run([sys.executable, "-m", "venv", str(folder)], cwd=folder.parent)
        return cls(folder)

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        """Ours but for what leads into the checkout; its programs come first."""
        clean = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "MYPYPATH"}}
        return clean | {"PATH": os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])}

    @cached_property
    def installed(self) -> dict[str, str]:
        """Distribution -> version."""
        return distributions(self.python)

    def run(self, *words: str, cwd: Path, **variables: str) -> str:
        """What a Python program of this environment prints; it must end well."""
        return run([str(self.python), *words], cwd=cwd, env={**self.environment, **variables})


def run(words: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def distributions(python: Path) -> dict[str, str]:
    """What an interpreter has, but for what a virtual environment begins with."""
    found = json.loads(run([str(python), "-I", "-c", INSTALLED], cwd=python.parent))
    normal = {re.sub(r"[-_.]+", "-", name): version for name, version in found.items()}
    return {name: version for name, version in normal.items() if name not in {"pip", "setuptools"}}


def constraints(folder: Path, at: str = "==") -> Path:
    """The versions of the locks, as pip and uv take them beside requirements of ours."""
    file = folder.with_suffix(".txt")
    lines = (f"{name}{at}{version}\n" for name, version in pins("requirements-dev.txt").items())
    file.write_text("".join(lines))
    return file


def _uv(command: str, *words: str) -> None:
    environment = {**os.environ, "UV_FIND_LINKS": str(releases())}
    # Where no pyproject.toml of somebody else's stands above.
    run([find_uv_bin(), command, "--quiet", *words], cwd=releases(), env=environment)
