"""Who has signed in by `hitl login`, on this machine and for its user only."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer

FOLDER_VARIABLE: Final = "HITL_CONFIG_DIR"
"""Where sessions are kept, if not where programs keep their settings on this system."""
_FILE: Final = "sessions.json"


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in.

    Attributes:
        page_url: of the deployment's page, whose API takes the token.
        name: who has signed in, to be shown; the API decides by the token.
        token: the ID token, a secret.
        expires_at: ISO 8601, UTC; from then on the API refuses the token.
    """

    page_url: str
    name: str
    token: str
    expires_at: str

    @property
    def has_ended(self) -> bool:
        """Whether the token is refused by now."""
        return datetime.now(UTC) >= datetime.fromisoformat(self.expires_at)


def find_session(page_url: str | None) -> Session | None:
    """The sign-in for a page, ended or not; None where nobody has signed in."""
    found = _read().get(page_url or "")
    return Session(page_url or "", **found) if found else None


def keep_session(session: Session) -> None:
    """Keep a sign-in in the place of the one before."""
    values = {name: value for name, value in asdict(session).items() if name != "page_url"}
    _write({**_read(), session.page_url: values})


def forget_session(page_url: str | None) -> bool:
    """Forget a sign-in; whether there was one."""
    sessions = _read()
    found = sessions.pop(page_url or "", None)
    if found is not None:
        _write(sessions)
    return found is not None


def _path() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or typer.get_app_dir("hitl")) / _FILE


def _read() -> dict[str, Any]:
    try:
        found = json.loads(_path().read_text(encoding="utf-8"))
        sessions = {url: Session(url, **values) for url, values in found.items()}
        for session in sessions.values():
            datetime.fromisoformat(session.expires_at).astimezone(UTC)
    except (OSError, ValueError, TypeError, AttributeError):  # none, or damaged
        return {}
    return dict(found)


def _write(sessions: dict[str, Any]) -> None:
    """Whole or not at all, and readable by nobody else."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_FILE)  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(sessions, file)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)  # where it was not written, Ctrl-C included
