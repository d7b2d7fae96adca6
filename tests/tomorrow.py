"""Tomorrow, and another machine: newer releases of all that is locked, settings of a stranger."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt", "lambdas.lock", "local.lock")
NEWER = "9999"


def pins(lock: str) -> dict[str, str]:
    """What a lock lists for this Python: name -> version."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    lines = re.findall(r"^[a-z0-9.-]+==[^\\\n]+", text, re.MULTILINE)
    asked = list(map(Requirement, lines))
    here = [each for each in asked if each.marker is None or each.marker.evaluate()]
    return {each.name: str(each.specifier).removeprefix("==") for each in here}


@cache
def releases() -> Path:
    """A folder with a newer release of every locked package: give it as find-links."""
    folder = Path(tempfile.mkdtemp(prefix="hitl-tomorrow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in {name for lock in LOCKS for name in pins(lock)}:
        module = re.sub(r"[-.]", "_", name)
        info = f"{module}-{NEWER}.dist-info"
        with zipfile.ZipFile(folder / f"{module}-{NEWER}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{module}.py", "raise RuntimeError('not what the lock lists')\n")
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {NEWER}\n"
            wheel.writestr(f"{info}/METADATA", metadata)
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{info}/WHEEL", tag)
            files = (f"{module}.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD")
            wheel.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in files))
    return folder


def settings_of_a_stranger(folder: Path) -> dict[str, str]:
    """Write settings files into a folder and beside it; the variables that a stranger has.

    uv and pip find tomorrow's releases beside those of the usual index.
    """
    uv = f"""
override-dependencies = ["botocore>=1.44"]
constraint-dependencies = ["botocore<1"]
exclude-newer = "2020-01-01T00:00:00Z"
no-binary = true
compile-bytecode = true
find-links = ["{releases()}"]
[pip]
target = "elsewhere"
no-binary = ["boto3"]
"""
    home = folder / "settings"
    files = {
        folder / "uv.toml": uv,
        folder / "pyproject.toml": "[tool.uv]\n" + uv.replace("[pip]", "[tool.uv.pip]"),
        folder / ".npmrc": "global=true\nomit=dev\n",
        home / "uv" / "uv.toml": uv,
        home / "pip" / "pip.conf": "[global]\ntarget = /nowhere\nno-index = true\nno-binary=:all:\n"
        "require-virtualenv = true\n[install]\nuser = true\nconstraint = /nowhere\n",
        home / "npmrc": "global=true\nomit=dev\nbin-links=false\ndry-run=true\nprefix=/nowhere\n",
    }
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_text(content, encoding="utf-8")
    missing = str(folder / "missing")
    return {
        "XDG_CONFIG_HOME": str(home),
        "UV_FIND_LINKS": str(releases()),
        "UV_COMPILE_BYTECODE": "1",
        "UV_OVERRIDE": missing,
        "UV_CONSTRAINT": missing,
        "UV_EXCLUDE": missing,
        "UV_EXCLUDE_NEWER": "2020-01-01",
        "UV_CONFIG_FILE": missing,
        "UV_NO_BINARY": "1",
        "UV_WORKING_DIR": missing,
        "UV_PYTHON": "2.7",
        "PIP_FIND_LINKS": str(releases()),
        "PIP_TARGET": missing,
        "PIP_USER": "1",
        "PIP_NO_INDEX": "1",
        "PIP_CONSTRAINT": missing,
        "PIP_REQUIRE_VIRTUALENV": "1",
        "npm_config_userconfig": str(home / "npmrc"),
        "npm_config_global": "true",
        "NPM_CONFIG_OMIT": "dev",
        "NODE_ENV": "production",
        "NODE_OPTIONS": f"--require {missing}.js",
        "PYTHONPATH": missing,
        "PYTHONSAFEPATH": "1",
        "PYTHONOPTIMIZE": "2",
        "CDK_OUTDIR": missing,
        "CDK_CONTEXT_JSON": "no JSON",
        "CDK_APP": "false",
        "JSII_NODE": missing,
        "AWS_PROFILE": "production",
        "AWS_CONFIG_FILE": missing,
        "AWS_DEFAULT_REGION": "mars-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "LC_ALL": "C",
    }
