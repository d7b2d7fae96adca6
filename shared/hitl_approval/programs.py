"""In which environment we start other programs: uv, pip, npm, Node, the CDK CLI and Python.

What they install and make follows from our locks and our words alone. Of the caller's settings
they learn where packages come from: mirror, credentials, proxy, TLS, cache, patience. All else that
these programs would read is cut, be it a variable or a line of a settings file; other variables
are passed on. The table is in CONTRIBUTING.md, and `tests/unit/test_programs.py` holds each line.

It stands here since the constructs, the CLI and the Makefile share it; the Lambda bundle leaves it
out. The Makefile runs it as a program, `programs.py pip .venv/bin/python -m pip ...`, with an
interpreter that has nothing installed: standard library only.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, cast

Program = Literal["uv", "pip", "npm", "python"]
"""Whose settings files are read; `python` has none."""

_READ: Final = re.compile(
    r"(?:UV|PIP|NPM_CONFIG|NODE|JSII|CDK)_|PYTHON|__PYVENV|VIRTUAL_ENV$", re.I
)
"""Variables that decide what one of these programs does."""

_UV_KEPT: Final = frozenset(
    {
        *("index", "default-index", "index-url", "extra-index-url", "find-links"),
        *("index-strategy", "keyring-provider", "allow-insecure-host", "insecure-host"),
        *("native-tls", "system-certs", "credentials-dir", "http-proxy", "https-proxy", "no-proxy"),
        *("cache-dir", "no-cache", "offline", "http-timeout", "request-timeout", "http-retries"),
        *("http-connect-timeout", "concurrent-downloads", "concurrent-builds"),
        "concurrent-installs",
    }
)
_UV_INDEX_KEPT: Final = frozenset(
    {"name", "url", "default", "explicit", "authenticate", "ignore-error-codes", "format"}
)
_PIP_KEPT: Final = frozenset(
    {
        *("index-url", "extra-index-url", "find-links", "trusted-host", "keyring-provider"),
        *("cert", "client-cert", "proxy", "cache-dir", "no-cache-dir", "timeout"),
        *("default-timeout", "retries", "disable-pip-version-check"),
    }
)
_NPM_KEPT: Final = frozenset(
    {
        *("registry", "cafile", "ca", "cert", "key", "strict-ssl"),
        *("proxy", "https-proxy", "noproxy", "cache", "offline", "prefer-offline"),
        *("fetch-retries", "fetch-retry-factor", "fetch-retry-mintimeout"),
        *("fetch-retry-maxtimeout", "fetch-timeout", "maxsockets"),
    }
)
_NODE_KEPT: Final = frozenset(
    {"extra-ca-certs", "use-system-ca", "use-env-proxy", "tls-reject-unauthorized"}
)
_KEPT: Final[Mapping[str, frozenset[str]]] = {
    # Where settings files are: they are read by us, and handed on with the rest cut.
    "UV": _UV_KEPT | {"config-file", "no-config"},
    "PIP": _PIP_KEPT | {"config-file"},
    "NPM_CONFIG": _NPM_KEPT | {"userconfig"},
    "NODE": _NODE_KEPT,
    "CDK": frozenset({"docker"}),  # which one builds the assets of a user's app
}
_UV_CREDENTIALS: Final = re.compile(r"UV_INDEX_.+_(?:USERNAME|PASSWORD)")
_NODE_TLS: Final = frozenset({"--use-system-ca", "--use-openssl-ca", "--use-bundled-ca"})


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """These variables, without those that decide what a program of ours does."""
    kept = {name: value for name, value in given.items() if _passed_on(name)}
    if words := [word for word in given.get("NODE_OPTIONS", "").split() if word in _NODE_TLS]:
        kept["NODE_OPTIONS"] = " ".join(words)
    return kept


def without_aws(given: Mapping[str, str]) -> dict[str, str]:
    """These variables without AWS's: for what must reach the local cloud and no account."""
    return {name: value for name, value in given.items() if not name.startswith("AWS_")}


def _passed_on(name: str) -> bool:
    if not _READ.match(name) or _UV_CREDENTIALS.fullmatch(name):
        return True
    for family, kept in _KEPT.items():
        if name.upper().startswith(f"{family}_"):
            return name[len(family) + 1 :].lower().replace("_", "-") in kept
    return False


def environment(program: Program, scratch: Path, python: Path | None = None) -> dict[str, str]:
    """The variables of this process that a program may get.

    Args:
        program: whose settings files are read.
        scratch: an empty folder of the caller's, for settings files with the rest cut; they may
            hold a mirror's password.
        python: the interpreter whose pip will run.
    """
    found = variables(os.environ)
    if program == "uv":
        file = scratch / "uv.toml"
        file.write_text(_uv_settings(found), encoding="utf-8")
        found |= {"UV_CONFIG_FILE": str(file)}
        found.pop("UV_NO_CONFIG", None)
    elif program == "pip":
        named = _pip_settings(found, python or Path(sys.executable))
        found = named | found | {"PIP_CONFIG_FILE": os.devnull}
    elif program == "npm":
        file = scratch / "npmrc"
        file.write_text(_npm_settings(found), encoding="utf-8")
        found = {k: v for k, v in found.items() if k.lower() != "npm_config_userconfig"}
        found |= {"npm_config_userconfig": str(file), "npm_config_globalconfig": os.devnull}
    return found


def run(
    program: Program,
    words: Sequence[str],
    *,
    cwd: Path | None = None,
    path: Path | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it writes.

    Args:
        program: whose settings files are read.
        words: the program and its arguments.
        cwd: where. Default: an empty folder.
        path: where other programs are searched first.
        timeout: seconds.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it took longer.
    """
    with TemporaryDirectory(prefix="hitl-") as folder:
        found = environment(program, Path(folder), Path(words[0]))
        if path is not None:
            found["PATH"] = os.pathsep.join([str(path), found.get("PATH", os.defpath)])
        return subprocess.run(  # noqa: S603  words of ours, no shell
            words,
            cwd=cwd or folder,
            env=found,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )


def caches() -> Path:
    """The folder for what can be made or fetched again: it can be deleted at any time.

    `HITL_CACHE_DIR`, else `hitl-approval` in `XDG_CACHE_HOME` or `~/.cache`.

    Raises:
        OSError: this user has no home.
    """
    if own := os.environ.get("HITL_CACHE_DIR"):
        return Path(own).absolute()
    try:
        shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:
        raise FileNotFoundError(str(error)) from error
    return Path(shared, "hitl-approval").absolute()


def _uv_settings(given: Mapping[str, str]) -> str:
    """uv.toml of the user and of the system, where packages come from; the user's wins."""
    files = [] if _is_true(given.get("UV_NO_CONFIG")) else _uv_files(given)
    merged: dict[str, Any] = {}
    for file in files:
        try:
            found = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for prefix, table in (("", found), ("pip.", found.get("pip"))):
            for name, value in _uv_kept(table):
                before = merged.setdefault(f"{prefix}{name}", value)
                if isinstance(value, list) and before is not value:
                    merged[f"{prefix}{name}"] = [*before, *value]
    return "".join(f"{name} = {_toml(value)}\n" for name, value in merged.items())


def _uv_kept(table: object) -> Iterator[tuple[str, Any]]:
    for name, value in table.items() if isinstance(table, dict) else ():
        if name == "index" and isinstance(value, list):
            yield (
                name,
                [
                    {key: each[key] for key in each if key in _UV_INDEX_KEPT}
                    for each in value
                    if isinstance(each, dict)
                ],
            )
        elif name in _UV_KEPT:
            yield name, value


def _uv_files(given: Mapping[str, str]) -> Iterable[Path]:
    """Where uv searches, but for the folder it is in and those above."""
    if (named := given.get("UV_CONFIG_FILE")) and Path(named).is_file():
        return [Path(named)]
    windows = [Path(given[name], "uv") for name in ("APPDATA", "PROGRAMDATA") if name in given]
    home = given.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111  no error
    system = (given.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    folders = [Path(home, "uv"), *windows, *(Path(each, "uv") for each in system), Path("/etc/uv")]
    return [folder / "uv.toml" for folder in folders]


def _toml(value: object) -> str:
    """A value of TOML as TOML: JSON but for tables."""
    if isinstance(value, dict):
        inner = ", ".join(f"{name} = {_toml(each)}" for name, each in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)


def _pip_settings(given: Mapping[str, str], python: Path) -> dict[str, str]:
    """What pip's own settings files say of where packages come from, as pip's variables."""
    asked = subprocess.run(  # noqa: S603  pip, with words of ours
        [str(python), "-m", "pip", "config", "list"],
        env=dict(given),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    found = {}
    for section in ("global", "install"):  # the more special one wins
        for name, value in re.findall(rf"^{section}\.([a-z-]+)=(.+)$", asked.stdout, re.MULTILINE):
            if name in _PIP_KEPT:
                found[f"PIP_{name.upper().replace('-', '_')}"] = str(ast.literal_eval(value))
    return found


def _npm_settings(given: Mapping[str, str]) -> str:
    """The lines of the user's .npmrc that say where packages come from."""
    named = next((v for k, v in given.items() if k.lower() == "npm_config_userconfig"), None)
    file = Path(named or os.path.expanduser("~/.npmrc"))  # noqa: PTH111  no home: no error
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ""
    return "".join(f"{line}\n" for line in lines if _is_npm_source(line.partition("=")[0].strip()))


def _is_npm_source(name: str) -> bool:
    return name.removesuffix("[]") in _NPM_KEPT or name.startswith("//") or ":registry" in name


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in {"1", "true", "yes", "on", "y", "t"}


def main() -> int:
    """`programs.py PROGRAM WORD...`: run these words in the environment of that program."""
    program, *words = sys.argv[1:]
    with TemporaryDirectory(prefix="hitl-") as folder:
        found = environment(cast("Program", program), Path(folder), Path(words[0]))
        return subprocess.run(words, env=found, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
