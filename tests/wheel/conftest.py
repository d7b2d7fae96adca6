"""The wheel, built once, and clean virtual environments that know nothing of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.infra.synth import ROOT

Synth = Callable[..., Path]


@dataclass(frozen=True)
class Venv:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *words: str) -> str:
        """What its Python writes, run outside of the checkout."""
        return run(str(self.python), *words, cwd=self.folder)


def run(*words: str, cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def install(folder: Path, *requirements: str) -> Venv:
    """A clean environment of its own with what is required."""
    venv = Venv(folder)
    uv = find_uv_bin()
    run(
        uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder), cwd=folder.parent
    )
    python = ("--python", str(venv.python))
    run(uv, "pip", "install", "--quiet", *python, *requirements, cwd=folder)
    return venv


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # From the sdist, as a release is made: what is not in it cannot be in the wheel.
    run(find_uv_bin(), "build", "--quiet", "--out-dir", str(folder), cwd=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """Synthesizes `embedding.py` with some Python, in a folder far from the checkout."""

    def assembly(python: Path | str) -> Path:
        folder = tmp_path_factory.mktemp("app")
        app = folder / "app.py"
        app.write_bytes(Path(__file__).with_name("embedding.py").read_bytes())
        environment = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out")}
        subprocess.run(
            [str(python), str(app)],
            cwd=folder,
            env={k: v for k, v in environment.items() if k != "PYTHONPATH"},
            check=True,
            capture_output=True,
        )
        return folder / "cdk.out"

    return assembly
