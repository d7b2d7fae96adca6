"""Where the Python is that Lambda runs: `make test-deployed` runs tests on it, too.

Prints its path; without one says so, and fails if `HITL_REQUIRE_PYTHON_313` asks for it, as CI
does. Nothing is ever downloaded.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from hitl_approval import programs

VERSION = "3.13"
"""The runtime of the deployed functions, `hitl_approval_cdk.bundling.PYTHON_VERSION`."""
REQUIRED = "HITL_REQUIRE_PYTHON_313"
MISSING = (
    f"Python {VERSION}, which is deployed, was not found: no test ran on it (put python{VERSION} "
    "on PATH, or install it with pyenv or uv)"
)
_WHICH = "import sys; print(*sys.version_info[:2], sep='.')"


def find() -> str | None:
    """The interpreter that is first on PATH, in pyenv or among uv's, and starts."""
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


def main() -> int:
    """See the module's docstring."""
    if platform.python_version().startswith(f"{VERSION}."):
        return 0  # every test has run on it
    if found := find():
        print(found)  # noqa: T201  for the Makefile
        return 0
    print(MISSING, file=sys.stderr)  # noqa: T201
    return int(os.environ.get(REQUIRED, "") not in {"", "0"})


if __name__ == "__main__":
    sys.exit(main())
