"""A terminal in which tests type what the docs show."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

YES = {r"(?i)\(y/n\)|\[y/n\]|\(y\)": "y"}
"""What every question of a yes or a no is answered."""


def type_lines(
    lines: str,
    *,
    folder: Path,
    environment: Mapping[str, str],
    answers: Mapping[str, str] = YES,
    patience: float = 300,
) -> str:
    """Type lines into bash in a terminal of 200 columns, and answers when they ask; what is shown.

    Args:
        lines: what a person types, of which each must end well.
        folder: where.
        environment: all of it, but for the terminal's own variables.
        answers: pattern of a question -> what is typed at it. Default: `y` to yes or no.
        patience: seconds until it counts as hanging.
    """
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 4096):
                shown.append(part)
                for question, answer in answers.items():
                    if re.search(question.encode(), part):
                        os.write(ours, f"{answer}\n".encode())
        except OSError:  # the terminal is closed
            return

    reader = threading.Thread(target=read)
    with subprocess.Popen(
        ["/bin/bash", "-ec", lines],
        cwd=folder,
        env={**environment, "TERM": "xterm", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        reader.start()
        try:
            status = process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            status = -1
    reader.join(timeout=10)
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(shown).decode())
    assert status == 0, f"{lines}\n{text}"
    assert "Traceback" not in text
    return text
