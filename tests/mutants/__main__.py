"""Break the source on purpose, one edit at a time: a test must see each.

python -m tests.mutants                 all of them; exit 1 if one survives or no longer applies
python -m tests.mutants --only TEXT     those with the text in their id
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.imported import COPY
from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
NEEDED = ("shared", "lambdas", "cli", "tests", "bench", "pyproject.toml")
SOURCES = ("shared", "lambdas", "cli")
LONGEST = 180.0
"""Seconds; tests that hang have seen the mutant too."""
FAILED = 1  # pytest's exit code: tests ran, and one failed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: which test killed it, or what went wrong."""

    killed_by: str
    problem: str
    seconds: float


@dataclass(slots=True)
class Bench:
    """A folder of copies, and the processes at work in them."""

    folder: Path
    running: set[subprocess.Popen[str]] = field(default_factory=set)

    def copy(self, name: str) -> Path:
        home = self.folder / name
        home.mkdir()
        for part in NEEDED:
            if (ROOT / part).is_dir():
                unwanted = shutil.ignore_patterns("__pycache__", "__snapshots__")
                shutil.copytree(ROOT / part, home / part, ignore=unwanted)
            else:
                shutil.copy(ROOT / part, home / part)
        return home

    def run(self, home: Path, tests: Iterable[str]) -> tuple[int | None, str]:
        """Pytest's exit code, none if it hung, and what it said."""
        options = [
            "-x",
            "-p",
            "no:randomly",
            "-p",
            "no:cacheprovider",
            "-p",
            "tests.mutants.imported",
        ]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(home / part) for part in SOURCES),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "true",  # Hypothesis draws the same examples each time
            COPY: str(home),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.add(process)
        try:
            said, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            return None, process.communicate()[0]
        finally:
            self.running.discard(process)
        return process.returncode, said

    def judge(self, number: int, mutant: Mutant) -> Verdict:
        started = time.monotonic()
        home = self.copy(str(number))
        try:
            target = home / mutant.file
            source = target.read_text(encoding="utf-8")
            target.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
            code, said = self.run(home, mutant.tests)
        finally:
            shutil.rmtree(home)
        seconds = time.monotonic() - started
        if code is None:
            return Verdict("(hung)", "", seconds)
        if code == 0:
            return Verdict("", "SURVIVED", seconds)
        found = re.search(r"^FAILED (?:\S*/)?(\S+\.py::\w+)", said, re.MULTILINE)
        if code != FAILED or not found:
            return Verdict("", f"pytest ended with {code}\n{said[-3000:]}", seconds)
        return Verdict(found[1], "", seconds)


def applies(mutant: Mutant) -> bool:
    """Whether its text stands in the source exactly once, and what replaces it is Python."""
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    try:
        compile(source.replace(mutant.old, mutant.new), mutant.file, "exec")
    except SyntaxError:
        return False
    return source.count(mutant.old) == 1


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", default="")
    chosen = parser.parse_args(arguments)
    mutants = [mutant for mutant in MUTANTS if chosen.only in mutant.id]
    if unfit := [mutant for mutant in mutants if not applies(mutant)]:
        for mutant in unfit:
            _say(f"  {mutant.id}: its edit of {mutant.file} does not apply any more")
        return 1
    started = time.monotonic()
    with TemporaryDirectory(prefix="hitl-mutants-") as folder:
        bench = Bench(Path(folder))
        pool = ThreadPoolExecutor(min(2, os.cpu_count() or 1))
        try:
            if not _control(bench, mutants):
                return 1
            verdicts = []
            for mutant, verdict in zip(
                mutants, pool.map(bench.judge, range(len(mutants)), mutants), strict=True
            ):
                verdicts.append(verdict)
                outcome = verdict.problem or verdict.killed_by
                _say(f"  {mutant.id:66}{verdict.seconds:5.1f} s  {outcome}")
        finally:  # on Ctrl-C too
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(bench.running):
                process.kill()
            pool.shutdown()
    killed = sum(bool(verdict.killed_by) for verdict in verdicts)
    seconds = time.monotonic() - started
    _say(f"{len(mutants)} mutants in {seconds:.0f} s: {killed} killed, {len(mutants) - killed} not")
    return 0 if killed == len(mutants) else 1


def _control(bench: Bench, mutants: Iterable[Mutant]) -> bool:
    """The same tests on the unchanged source: they must pass, or their failure says nothing."""
    started = time.monotonic()
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    code, said = bench.run(bench.copy("control"), tests)
    _say(f"  {'(nothing changed)':66}{time.monotonic() - started:5.1f} s  exit code {code}")
    if code != 0:
        _say(said[-3000:])
    return code == 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
