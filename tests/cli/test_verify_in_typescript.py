"""`examples/typescript/verify.ts` computes the digests of `hitl show --json` in JavaScript."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from math import isfinite
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.domain.digest import MAX_WHOLE, canonical
from hitl_approval.testing import World

from .conftest import Hitl
from .pending import requested

NODE = str(Path(sys.executable).parent / "node")
VERIFY = Path(__file__).parents[2] / "examples" / "typescript" / "verify.ts"
CONTEXT = {"\U0001f602": [1.0, 1e21, -0.0, 5e-324], "\ufb33": {"b": None, "a": "\u0007\u2028\x7f"}}


def node(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NODE, *words], input=stdin, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.fixture
def record(hitl: Hitl, world: World, tmp_path: Path) -> Path:
    """What `hitl show --json` says of an approval."""
    approval_id = requested(world, context=CONTEXT)
    assert hitl("approve", approval_id, "--yes").status == 0
    file = tmp_path / "approval.json"
    file.write_text(hitl("show", approval_id, "--json").out, encoding="utf-8")
    return file


def test_should_recompute_the_digest_of_what_is_shown(record: Path) -> None:
    said = node(str(VERIFY), str(record))
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == f"approved: {json.loads(record.read_text())['context_digest']}\n"


def test_should_take_the_payload_in_whatever_order(record: Path, tmp_path: Path) -> None:
    payload = tmp_path / "payload.json"
    payload.write_text(json.dumps(dict(reversed(CONTEXT.items()))), encoding="utf-8")
    assert node(str(VERIFY), str(record), str(payload)).returncode == 0


@pytest.mark.parametrize("payload", [None, {}, CONTEXT | {"more": 1}])
def test_should_refuse_another_payload(record: Path, tmp_path: Path, payload: Any) -> None:
    file = tmp_path / "payload.json"
    file.write_text(json.dumps(payload), encoding="utf-8")
    said = node(str(VERIFY), str(record), str(file))
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "this is not what was approved\n"


@pytest.mark.parametrize("status", ["pending", "rejected", "timeout", "cancelled"])
def test_should_refuse_what_is_not_approved(record: Path, status: str) -> None:
    record.write_text(json.dumps(json.loads(record.read_text()) | {"status": status}))
    said = node(str(VERIFY), str(record))
    assert (said.returncode, said.stderr) == (1, f"nothing was approved: {status}\n")


def test_should_see_a_context_that_does_not_have_its_digest(record: Path) -> None:
    record.write_text(json.dumps(json.loads(record.read_text()) | {"context": {"a": 1}}))
    assert node(str(VERIFY), str(record)).returncode == 1


def test_should_write_every_number_and_text_as_python_does() -> None:
    draw = random.Random(8785)
    floats = [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(5_000)]
    values: list[Any] = [number for number in floats if isfinite(number)]
    values += [draw.randint(-MAX_WHOLE, MAX_WHOLE) for _ in range(1_000)]
    values += [float(f"{digit}e{power}") for digit in (1, 12345) for power in range(-30, 30)]
    letters = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x10FFFF, 97))]
    values += ["".join(letters[start : start + 50]) for start in range(0, len(letters), 50)]
    values.append({draw.choice(letters) + draw.choice(letters): n for n in range(2_000)})
    program = (
        f"import {{ canonical }} from {json.dumps(VERIFY.as_uri())};"
        "import { readFileSync } from 'node:fs';"
        "const given = JSON.parse(readFileSync(0, 'utf8'));"
        "process.stdout.write(JSON.stringify(given.map(canonical)));"
    )
    said = node("--input-type=module", "-e", program, stdin=json.dumps(values))
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == [canonical(value) for value in values]
