"""The wheel, built twice in two folders: the same bytes, or the differences."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.supply.scan import ROOT, NotRunError, Scan


def build(folder: Path) -> Path:
    """The wheel of a copy of what is committed or about to be, in that folder."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotRunError(done.stderr.strip().splitlines()[-1])
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


def reproducible() -> Scan:
    """Two builds of the same source, at two times and in two folders."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = build(Path(one)), build(Path(other))
        digest = hashlib.sha256(first.read_bytes()).hexdigest()
        with zipfile.ZipFile(first) as opened, zipfile.ZipFile(second) as again:
            entries = opened.infolist()
            here = {each.filename: (each.CRC, each.date_time) for each in entries}
            there = {each.filename: (each.CRC, each.date_time) for each in again.infolist()}
        names = sorted(here.keys() | there.keys())
        differences = [f"{name} differs" for name in names if here.get(name) != there.get(name)]
        if not differences and first.read_bytes() != second.read_bytes():
            differences = ["the archives differ in more than their entries"]
        return Scan(
            "wheel, built twice", f"{len(entries)} files, sha256 {digest[:16]}", differences
        )
