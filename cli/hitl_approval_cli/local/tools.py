"""What the local cloud runs on: the emulator, AWS's durable engine, Node, the CDK and its CLI.

A checkout has them in its `.venv` and `node_modules`. For the wheel they are fetched when they are
first needed, at the locked versions, into an environment of their own: ministack requires packages
that do not go together with a user's.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hitl_approval import programs

PACKAGES: Final = ("hitl_approval", "hitl_approval_cdk", "hitl_approval_cli")
"""This project's packages, which run there too."""

_SITE: Final = Path(__file__).resolve().parents[2]
_SHIPPED: Final = _SITE / "hitl_approval_cli" / "_local"

APP_FOLDER: Final = _SHIPPED if _SHIPPED.is_dir() else _SITE.parent
"""The deployable app, and the locks of what is needed: as the wheel has them, or the checkout."""

_LOCK: Final = "local.lock"
_NODE_FILES: Final = ("package.json", "package-lock.json")
_DONE: Final = "complete"


class ToolsError(Exception):
    """They could not be fetched; the message is one line."""


@dataclass(frozen=True)
class Tools:
    """An environment that has them.

    Attributes:
        folder: where `node_modules` is.
        python: the interpreter that has the rest.
    """

    folder: Path
    python: Path

    @classmethod
    def here(cls) -> Tools:
        """Those of the checkout or, for the wheel, of the user's cache."""
        if APP_FOLDER != _SHIPPED:
            return cls(APP_FOLDER, Path(sys.executable))
        folder = programs.caches() / f"local-{_digest()}"
        return cls(folder, folder / "bin" / "python")

    @property
    def binaries(self) -> Path:
        """Where `python3` and `node` are."""
        return self.python.parent

    @property
    def cdk(self) -> Path:
        """The pinned CDK CLI."""
        return self.folder / "node_modules" / ".bin" / "cdk"

    @property
    def missing(self) -> bool:
        """Whether they must be fetched; `make setup` brings a checkout's."""
        return self.folder != APP_FOLDER and not (self.folder / _DONE).exists()

    def fetch(self) -> None:
        """Install them. Two at once wait for each other; half an installation is begun anew.

        Raises:
            ToolsError: no network or no room, say; with the line that says why.
        """
        import fcntl  # where there is none, the rest of `hitl` works

        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with self.folder.with_suffix(".lock").open("w") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                if self.missing:
                    shutil.rmtree(self.folder, ignore_errors=True)
                    self._install()
        except OSError as error:
            msg = f"the local cloud could not be fetched: {error.filename}: {error.strerror}"
            raise ToolsError(msg) from error

    def _install(self) -> None:
        _run("python", [sys.executable, "-m", "venv", str(self.folder)])
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
        # The lock is complete; without it ministack's own pins would be resolved, in vain.
        locked = ["--no-deps", "--require-hashes", "--requirement", str(APP_FOLDER / _LOCK)]
        _run("pip", [*pip, "--disable-pip-version-check", *locked])
        for name in _NODE_FILES:
            shutil.copy(APP_FOLDER / name, self.folder)
        quiet = ["--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier"]
        _run("npm", [str(self.binaries / "npm"), "ci", *quiet], self)
        [packages] = self.folder.glob("lib/python*/site-packages")
        for name in PACKAGES:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_SITE / name, packages / name, ignore=ignored)
        (self.folder / _DONE).touch()


def _run(program: programs.Program, words: Sequence[str], tools: Tools | None = None) -> None:
    if tools is None:
        done = programs.run(program, words)
    else:
        done = programs.run(program, words, cwd=tools.folder, path=tools.binaries)
    if done.returncode != 0:
        msg = f"the local cloud could not be fetched: {_reason(done.stderr or done.stdout)}"
        raise ToolsError(msg)


def _reason(written: str) -> str:
    """The line that says why: the last one, but npm goes on with advice."""
    lines = [line.strip() for line in written.splitlines() if line.strip()] or [
        "it did not say why"
    ]
    return next((line for line in lines if "reason: " in line), lines[-1])


def _digest() -> str:
    """Of all that decides what such an environment holds."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}\n".encode())
    for path in _sources():
        digest.update(f"{path.relative_to(_SITE)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for name in PACKAGES:
        for path in sorted((_SITE / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
