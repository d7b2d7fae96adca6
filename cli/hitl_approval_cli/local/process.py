"""Start, address and stop a local cloud that runs in a process of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urlencode

from hitl_approval import programs
from hitl_approval_cli.local.tools import Tools

MODULE = "hitl_approval_cli.local"
ACCOUNT = "000000000000"
REGION = "us-east-1"
MAIL_PATH = "/_hitl/mail"
PEOPLE_PATH = "/_hitl/people"
PERMISSIONS_PATH = "/_hitl/permissions"
GRACE_SECONDS = 15.0
"""How long a cloud may take to write its state and end, before it is killed."""


class LocalCloudError(Exception):
    """The local cloud did not start; the message is one line."""


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud.

    Attributes:
        endpoint_url: what `AWS_ENDPOINT_URL` must say.
        pid: the server's process.
        access_key: what its clients must send as their access key's id; a secret.
        lost: whether kept state was half of a deployment, and is gone.
        region: the region that its clients use.
    """

    endpoint_url: str
    pid: int
    access_key: str = field(repr=False)
    lost: bool
    _process: subprocess.Popen[bytes] = field(repr=False)
    region: str = REGION

    @classmethod
    def start(
        cls,
        *,
        port: int | None = None,
        state_dir: Path | None = None,
        log_file: Path | None = None,
        startup_timeout: float = 60,
        detached: bool = False,
    ) -> Self:
        """Start a cloud and wait until it answers.

        Args:
            port: on 127.0.0.1. Default: that of the kept state, or a free one.
            state_dir: where tables, stacks and executions outlive the cloud. Default: nowhere.
            log_file: where its log is appended. Default: nowhere.
            startup_timeout: seconds.
            detached: whether it outlives this process. Default: it ends when this process does.

        Raises:
            LocalCloudError: it did not start; with the last line that it wrote.
        """
        # -P: a file named like a module of this package, where this is typed, is not it.
        words = [str(Tools.here().python), "-P", "-m", MODULE, "--port", str(port or 0)]
        if state_dir is not None:
            words += ["--state-dir", str(state_dir)]
        if not detached:
            words += ["--exit-with-parent", str(os.getpid())]
        with _open_log(log_file) as log:
            earlier = log.seek(0, os.SEEK_END)
            process = subprocess.Popen(  # noqa: S603  this package's module with fixed arguments
                words,
                env=programs.variables(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C in the terminal is for the caller, which then stops the cloud in order.
                start_new_session=True,
            )
            try:
                ready = _ready_line(process, startup_timeout)
            except BaseException:  # Ctrl-C included: nothing that this command started outlives it
                _end(process)
                raise
            if not ready:
                _end(process)
                log.seek(earlier)
                late = f"the local cloud was not ready after {startup_timeout:g} s"
                raise LocalCloudError(late if ready is None else _last_line(log.read()))
        line = json.loads(ready)
        return cls(line["endpoint_url"], process.pid, line["key"], line["lost"], process)

    def environment(self) -> dict[str, str]:
        """Variables that point every AWS SDK, the AWS CLI and the CDK CLI here and nowhere else."""
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]))
        # Where the caller has set one for a service alone, that one would win.
        for_one_service = {n for n in os.environ if n.startswith("AWS_ENDPOINT_URL_")}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            **dict.fromkeys(for_one_service, self.endpoint_url),
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "",
            # A profile of the user must never be picked up by mistake; naming none is an error
            # to boto3 when AWS_PROFILE is set to one, so here is an empty one.
            "AWS_PROFILE": "default",
            "AWS_DEFAULT_PROFILE": "default",
            "AWS_CONFIG_FILE": str(Path(__file__).with_name("aws-config")),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_USE_FIPS_ENDPOINT": "false",
            "AWS_USE_DUALSTACK_ENDPOINT": "false",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    def stop(self) -> None:
        """End the cloud and its workers; does nothing when it has ended already."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def invite_person(environment: Mapping[str, str], *, pool: str, name: str, leads_to: str) -> str:
    """The address of a link that opens once: it signs somebody in at a user pool and leads on.

    Args:
        environment: as `LocalCloud.environment` gives it.
        pool: the user pool's id.
        name: the address of somebody in it.
        leads_to: where the link leads on.

    Raises:
        LocalCloudError: the local cloud does not answer.
    """
    asked = urlencode({"pool": pool, "name": name, "leads_to": leads_to})
    answer = _ask(environment, f"{PEOPLE_PATH}?{asked}", method="POST")
    return f"{environment['AWS_ENDPOINT_URL']}{answer['path']}"


def sent_messages(environment: Mapping[str, str], after: int = 0) -> list[dict[str, Any]]:
    """What a local cloud has sent to people (`mail.Mail` has the fields), oldest first.

    Args:
        environment: as `LocalCloud.environment` gives it.
        after: the number of the last message that is known; 0 for none.

    Raises:
        LocalCloudError: it does not answer.
    """
    messages: list[dict[str, Any]] = _ask(environment, f"{MAIL_PATH}?after={after}")["messages"]
    return messages


def _ask(environment: Mapping[str, str], path: str, *, method: str = "GET") -> Any:
    """What the local cloud itself answers, with its key.

    Raises:
        LocalCloudError: it does not answer.
    """
    request = urllib.request.Request(  # noqa: S310  our own loopback server
        f"{environment['AWS_ENDPOINT_URL']}{path}",
        headers={"Authorization": f"AWS {environment['AWS_ACCESS_KEY_ID']}:"},
        method=method,
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=10) as answer:
            return json.load(answer)
    except (OSError, ValueError) as error:
        msg = f"the local cloud at {environment['AWS_ENDPOINT_URL']} does not answer"
        raise LocalCloudError(msg) from error


def is_local_cloud(pid: int) -> bool:
    """Whether this process runs and is a local cloud, not one that got its number since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except OSError:
        if Path("/proc/self/cmdline").exists():
            return False
        listed = subprocess.run(  # noqa: S603  a number from this process
            ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607  wherever the system has it
            capture_output=True,
            text=True,
            check=False,
        )
        command = listed.stdout
    return f"-m {MODULE}" in command


def stop_local_cloud(pid: int) -> None:
    """End a local cloud that another process started; kills it when it does not end by itself."""
    if not is_local_cloud(pid):
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while is_local_cloud(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)


def _open_log(log_file: Path | None) -> IO[bytes]:
    if log_file is None:
        return tempfile.TemporaryFile()
    log_file.parent.mkdir(parents=True, exist_ok=True)
    return open(log_file, "a+b", opener=partial(os.open, mode=0o600))


def _ready_line(process: subprocess.Popen[bytes], timeout: float) -> bytes | None:
    """The line that says it is ready; empty when it has ended, None when it took too long."""
    assert process.stdout is not None  # noqa: S101  it was started with a pipe
    with process.stdout as pipe:
        readable, _, _ = select.select([pipe], [], [], timeout)
        return pipe.readline() if readable else None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(log: bytes) -> str:
    lines = [line.strip() for line in log.decode(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "the local cloud ended at once")
