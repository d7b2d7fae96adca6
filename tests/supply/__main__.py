"""Run every scanner and say what is open; exit 1 if anything is.

A scanner that cannot do its work here, for want of a database that answers, is named as not run:
that is no finding, and no "all is well" either.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

from tests.infra import audit
from tests.supply import packages, template, wheel, workflows
from tests.supply.scan import NotRunError, Scan

SCANS: Mapping[str, Callable[[], Scan]] = {
    "actionlint": workflows.actionlint,
    "zizmor": workflows.zizmor,
    "checkov": template.checkov,
    "parliament": audit.scan,
    "licences": packages.licences,
    "pip-audit": packages.vulnerabilities,
    "npm-audit": packages.node_vulnerabilities,
    "sbom": packages.bills_of_materials,
    "wheel": wheel.reproducible,
}


def main() -> None:
    """Run all, or those that are named by `--only`."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--only", choices=SCANS, nargs="+", default=list(SCANS), metavar="SCANNER")
    names = parser.parse_args().only
    table = Table("scanner", "scanned", "open", "accepted", box=None)
    notes: list[str] = []
    failed = False
    for name in names:
        try:
            scan = SCANS[name]()
        except NotRunError as why:
            table.add_row(name, f"not run: {why}", "", "")
            continue
        failed |= bool(scan.findings)
        count = str(len(scan.accepted)) if scan.accepted else ""
        table.add_row(scan.name, scan.scope, str(len(scan.findings)), count)
        notes += [f"{scan.name}: OPEN {line}" for line in scan.findings]
        notes += [f"{scan.name}: {line}\n  kept: {why}" for line, why in scan.accepted.items()]
    console = Console(highlight=False, soft_wrap=True, width=100)
    console.print(table)
    for note in notes:
        console.print(note, markup=False)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
