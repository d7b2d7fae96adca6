"""What outlives a local cloud that keeps its state, a SIGKILL included.

The durable engine writes each checkpoint to its own database. Upstream writes its tables, stacks
and queues at a clean end only, so that after a kill workflows would wait for rows that are gone.
Here both halves agree: the tables are written each second and before each checkpoint, all of them
in one transaction. A checkpoint therefore never knows more than the tables, as in AWS.

Nothing is written while a deployment is under way: a stack that is half made cannot be gone on
with. A cloud that was killed then starts empty, and says so.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from hitl_approval_cli.local import access

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two checks whether there is something to write."""

_AT_CHECKPOINT = frozenset({
    "dynamodb", "sqs", "ses", "scheduler", "stepfunctions", "kinesis", "hitl-mail",
    "hitl-streams",
})  # fmt: skip
"""What a function changes before its checkpoint: written before the checkpoint is."""
_OF_DEPLOYMENTS = frozenset({
    "cloudformation", "iam", "elasticache", "apigateway", "apigateway_v1", "ec2", "lambda_durable",
})  # fmt: skip
"""What only calls of its own change: not checked while none comes, since it is large."""
_OF_RUNNING_FUNCTIONS = frozenset({
    "dynamodb", "sqs", "sns", "ses", "events", "logs", "kms", "monitoring", "states",
})  # fmt: skip
"""Names in signatures of services that are called all the time."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS service (name TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS whole (id INTEGER PRIMARY KEY CHECK (id = 0), yes INTEGER NOT NULL);
INSERT OR IGNORE INTO whole VALUES (0, 0);
"""


class StateFolder:
    """A folder of one local cloud's state, for its user only.

    Attributes:
        lost: whether there was state that could not be gone on with, and is gone.
        key: the cloud's access key id, kept so that a second terminal goes on working.
        port: where it was served; 0 for nowhere yet. Links that were sent lead there.
    """

    def __init__(self, folder: Path) -> None:
        """Open or make the folder; half a state in it is removed."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.folder = folder
        about = self._about()
        self.lost = bool(about) and not self._is_whole()
        if self.lost:
            for entry in folder.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        self.key: str = about.get("key") or access.new_key()
        self.port: int = about.get("port") or 0

    @property
    def executions(self) -> Path:
        """The durable engine's database."""
        return self.folder / "executions.db"

    @property
    def services(self) -> Path:
        """The database of all else."""
        return self.folder / "services.db"

    def remember(self, port: int) -> None:
        """Note where the cloud is served."""
        file = self.folder / "cloud.json"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps({"key": self.key, "port": port}), encoding="utf-8")

    def _about(self) -> Mapping[str, Any]:
        try:
            about = json.loads((self.folder / "cloud.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            # Nothing yet, or what another version left.
            return {"port": 0} if any(self.folder.iterdir()) else {}
        except (OSError, ValueError):
            return {"port": 0}
        return about if isinstance(about, dict) else {"port": 0}

    def _is_whole(self) -> bool:
        if not self.services.exists():
            return False
        try:
            with sqlite3.connect(self.services) as database:
                return bool(database.execute("SELECT yes FROM whole").fetchone()[0])
        except sqlite3.Error:
            return False
        finally:
            database.close()


class Keepable(Protocol):
    """What has a state of JSON values."""

    def get_state(self) -> Any:
        """The state."""

    def restore(self, state: Any) -> None:
        """Take a state over; None for none."""


class Keeper:
    """Writes the state of ministack's services, in place of upstream's own files."""

    def __init__(self, database: Path) -> None:
        """Write to this SQLite database."""
        self._database = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)
        self._written: dict[str, int] = {}
        self._whole: bool | None = None
        self._requested = self._saved = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = self._due_of_deployments = 2
        self._own: dict[str, Callable[[], Any]] = {}

    def keep(self, name: str, thing: Keepable) -> None:
        """Keep the state of `thing` beside ministack's services, and restore it now."""
        thing.restore(self._load(name))
        self._own[name] = thing.get_state

    def take_over(self) -> None:
        """Let ministack load from here, and save here at its end."""
        from ministack import app
        from ministack.services import cloudwatch_logs, dynamodb, lambda_svc

        for module in (dynamodb, cloudwatch_logs):
            module.copy = _NoCopies
        app.load_state = self._load
        app.save_all = lambda _: self.save()
        # It digests the code of all functions each time.
        lambda_svc._write_code_blob = _written_once(
            Path(lambda_svc.CODE_BLOB_DIR), lambda_svc._write_code_blob
        )

    def noting(self, scope: Mapping[str, Any], send: Any) -> Any:
        """ASGI's `send`, which notes before the answer that the call may have changed something."""

        async def note_and_send(message: Any) -> None:
            if message["type"] != "http.response.body":
                self._touch(scope)
            await send(message)

        return note_and_send

    def _touch(self, scope: Mapping[str, Any]) -> None:
        self._due = 2  # checks: much goes on after a call
        if not _is_of_running_functions(scope):
            self._due_of_deployments = 2
            if _is_deploying():  # before it makes anything
                self._mark(whole=False)

    async def run(self) -> None:
        """Write what has changed, each second."""
        self._loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(INTERVAL)
            if self._due_of_deployments:
                self._due_of_deployments -= 1
                self.save()
            elif self._due:
                self.save(lambda name: name not in _OF_DEPLOYMENTS)
            self._due = max(0, self._due - 1)

    def barrier(self) -> None:
        """Return when all that has happened until now is written. From any thread but the loop's.

        Raises:
            sqlite3.Error: it cannot be written; the disk is full, say.
        """
        if self._loop is None:
            return
        self._requested += 1
        asyncio.run_coroutine_threadsafe(self._save_until(self._requested), self._loop).result()

    async def _save_until(self, number: int) -> None:
        if self._saved < number:  # many wait at once: one writing serves all
            self.save(_AT_CHECKPOINT.__contains__)

    def save(self, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Write what has changed, in one transaction; on the loop's thread, where tables change."""
        number = self._requested
        if _is_deploying():
            self._mark(whole=False)
        else:
            changed = self._changed(wanted)
            if changed or not self._whole:
                with self._database as database:
                    database.execute("BEGIN")
                    database.executemany("REPLACE INTO service VALUES (?, ?)", changed.items())
                    database.execute("UPDATE whole SET yes = 1")
                self._written |= {name: hash(state) for name, state in changed.items()}
                self._whole = True
        self._saved = number

    def _mark(self, *, whole: bool) -> None:
        if self._whole is not whole:
            self._database.execute("UPDATE whole SET yes = ?", (whole,))
            self._whole = whole

    def _changed(self, wanted: Callable[[str], bool]) -> dict[str, str]:
        from ministack import app

        states = {}
        for name, get_state in (app._build_persistence_save_dict() | self._own).items():
            state = _text(name, get_state) if wanted(name) else None
            if state is not None and self._written.get(name) != hash(state):
                states[name] = state
        return states

    def _load(self, name: str) -> Any:
        from ministack.core.persistence import _json_object_hook

        row = self._database.execute("SELECT state FROM service WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0], object_hook=_json_object_hook)


def _text(name: str, get_state: Callable[[], Any]) -> str | None:
    from ministack.core.persistence import _json_default

    for _ in range(5):
        try:
            _NoCopies.here.wanted = True
            state = get_state()
            return None if state is None else json.dumps(state, default=_json_default)
        except (
            RuntimeError
        ):  # some services change in threads of their own, even while they are read
            continue
        except Exception:  # whatever it is, the other services' state is kept: the log has it
            logger.exception("the state of %s cannot be kept", name)
            return None
        finally:
            _NoCopies.here.wanted = False
    return None


class _NoCopies:
    """`copy` for services whose state is large: none is needed while it is written at once."""

    here = threading.local()
    copy = staticmethod(copy.copy)

    @classmethod
    def deepcopy(cls, value: Any) -> Any:
        """The value itself while this thread writes state, else a copy."""
        return value if getattr(cls.here, "wanted", False) else copy.deepcopy(value)


def _is_of_running_functions(scope: Mapping[str, Any]) -> bool:
    """Whether a call is none that deploys something."""
    path = scope["path"]
    if path.startswith("/2025-12-01/") or path.endswith("/invocations"):
        return True
    signature = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    service = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", signature)
    return service is None or service[1] in _OF_RUNNING_FUNCTIONS


def _is_deploying() -> bool:
    from sys import modules

    cloudformation = modules.get("ministack.services.cloudformation")
    if cloudformation is None:
        return False
    return any(
        str(stack.get("StackStatus", "")).endswith("_IN_PROGRESS")
        and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
        for stack in list(cloudformation._stacks._data.values())
    )


def _written_once(folder: Path, stock: Callable[[bytes], str]) -> Callable[[bytes], str]:
    known = lru_cache(maxsize=256)(stock)

    def write(code: bytes) -> str:
        digest = known(code)
        return digest if (folder / f"{digest}.zip").exists() else stock(code)

    return write
