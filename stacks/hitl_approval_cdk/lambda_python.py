"""Where this machine has the Python that Lambda runs; nothing is ever downloaded."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hitl_approval import programs

VERSION: Final = "3.13"
"""Python of the deployed functions (the pattern's); `lambdas.lock` is resolved for it."""

_WHICH: Final = "import sys; print(*sys.version_info[:2], sep='.')"


def find() -> str | None:
    """This process's own interpreter, or the first on PATH, in pyenv or among uv's that starts."""
    if platform.python_version().startswith(f"{VERSION}."):
        return sys.executable
    return next((path for path in _candidates() if _is_it(path)), None)


def _candidates() -> Iterator[str]:
    if on_path := shutil.which(f"python{VERSION}"):
        yield on_path
    # pyenv puts a python3.13 on PATH that starts only where that version is chosen.
    if (pyenv := shutil.which("pyenv")) and (newest := _answer(pyenv, "latest", VERSION)):
        yield str(Path(_answer(pyenv, "prefix", newest), "bin", f"python{VERSION}"))
    uv = str(Path(sys.executable).parent / "uv")
    yield _answer(uv, "python", "find", "--no-python-downloads", "--system", VERSION)


def _is_it(path: str) -> bool:
    return bool(path) and _answer(path, "-I", "-c", _WHICH) == VERSION


def _answer(*words: str) -> str:
    """What a program says; nothing where it fails."""
    try:
        done = programs.run("python", words, timeout=60)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
