"""One Lambda bundle for all functions, made by uv: no Docker, same code on every machine.

The bundle is pure Python, and that is checked, so that the same files run on arm64, on x86_64 and
in the local cloud. Of botocore's descriptions of AWS it holds those of the services that our
functions call (`docs/adr/0010-pruned-bundle.md`); the layer, which other people's code imports,
holds all. Its asset hash is made over everything that goes in (lock, architecture, Python version,
sources, this file), and known before anything is built: the zip file of that hash is kept in the
user's cache, and what is there is not built again, by another app or into another folder either.

Where this machine has the Python that Lambda runs, compiled code lies beside the source, and a
function starts sooner (`docs/adr/0039-compiled-code.md`). Python takes it only where its
hash of the source is right, so what runs is what the asset hash is of.

Where CDK bundles nothing (`cdk ls`, another stack's `deploy --exclusively`, the context key
`aws:cdk:bundling-stacks`), the asset is a file that Lambda refuses, under a key of its own: what
was synthesized so cannot be deployed, and never takes the bundle's place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, get_args

from aws_cdk import Annotations, AssetHashType, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval import contract, programs
from hitl_approval_cdk import lambda_python

PLATFORMS: Final = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
"""Lambda's architectures as uv names them (AL2023 has glibc 2.34)."""

_KEPT_SERVICES: Final = frozenset({*get_args(contract.AwsService), "sts"})
"""STS is for credentials that botocore itself asks for, by an assumed role say."""

_NOT_BUNDLED: Final = Path(__file__).with_name("not-bundled.zip")
"""No zip file: it says why it stands there."""

_UV_SECONDS: Final = 600
_COMPILE_SECONDS: Final = 300
_DEPLOYED_AT: Final = {"functions": "/var/task", "layer": "/opt/python"}
_NOT_COMPILED: Final = (
    f"Functions start more slowly than they could: Python {lambda_python.VERSION}, with which "
    "the bundle is compiled, was not found. Install it (uv python install "
    f"{lambda_python.VERSION}) and delete {{bundle}}; what is deployed with the next version is "
    "then compiled."
)
_KEPT_DAYS: Final = 30
_NATIVE: Final = frozenset({".so", ".pyd", ".dylib", ".dll"})
# Native code of a package that does the same in Python without it.
_ACCELERATOR: Final = "markupsafe/_speedups.*"
_NOT_DEPLOYED: Final = frozenset({"hitl_approval/programs.py"})  # what we start on this machine
# What installers write about the installation, never read at run time. METADATA stays:
# importlib.metadata reads it.
_NOISE: Final = frozenset(
    {"INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "uv_cache.json"}
)


class BundlingError(RuntimeError):
    """The bundle could not be made; the message says why in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What goes into the bundle.

    Attributes:
        runtime: the package `hitl_approval`.
        entry_points: the folder that holds one package per function.
        lock: the dependencies, pinned and hashed for the target.
        kind: a layer has no entry points: other people's functions import the runtime from it.
    """

    runtime: Path
    entry_points: Path
    lock: Path
    kind: Literal["functions", "layer"] = "functions"

    @classmethod
    def found(cls) -> Sources:
        """The sources beside this package: as the wheel carries them, else as the checkout does.

        Raises:
            BundlingError: neither is there.
        """
        here = Path(__file__).resolve().parent
        runtime = Path(contract.__file__).resolve().parent
        for entry_points, lock in (
            (here / "_lambdas", here / "_lambdas.lock"),
            (here.parents[1] / "lambdas", here.parents[1] / "lambdas.lock"),
        ):
            if entry_points.is_dir() and lock.is_file():
                return cls(runtime=runtime, entry_points=entry_points, lock=lock)
        msg = f"found no lambdas/ and lambdas.lock for {here}: install hitl-approval again"
        raise BundlingError(msg)

    @property
    def folder(self) -> str:
        """Where in the bundle everything goes: Lambda takes a layer's Python from `python/`."""
        return "python" if self.kind == "layer" else ""

    def for_layer(self) -> Sources:
        """The same without entry points."""
        return replace(self, kind="layer")

    def files(self) -> Iterator[tuple[str, Path]]:
        """Each source file with its place in the bundle, sorted by place."""
        roots = [self.runtime]
        if self.kind == "functions":
            roots += [path for path in self.entry_points.iterdir() if path.is_dir()]
        for root in sorted(roots, key=lambda path: path.name):
            for path in sorted(root.rglob("*")):
                place = f"{root.name}/{path.relative_to(root).as_posix()}"
                if path.suffix == ".pyc" or "__pycache__" in path.parts or place in _NOT_DEPLOYED:
                    continue
                if path.is_file():
                    yield place, path

    def digest(self, architecture: str) -> str:
        """SHA-256 over every byte that decides what the bundle holds."""
        digest = hashlib.sha256()
        for part in (lambda_python.VERSION, PLATFORMS[architecture], self.folder):
            digest.update(f"{part}\n".encode())
        for place, path in (("recipe", Path(__file__)), ("lock", self.lock), *self.files()):
            content = path.read_bytes()
            digest.update(f"{place}\n{len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()


def code(
    scope: Construct, architecture: lambda_.Architecture, sources: Sources | None = None
) -> lambda_.Code:
    """The bundle as the code of any function of this package, or of its layer.

    Args:
        scope: in the stack that gets it.
        architecture: of the functions; pure Python, but the dependencies are resolved for it.
        sources: what to bundle. Default: what belongs to this package.

    Raises:
        BundlingError: it could not be made.
    """
    sources = sources or Sources.found()
    if not Stack.of(scope).bundling_required:
        return lambda_.Code.from_asset(str(_NOT_BUNDLED))
    bundled = packed(sources, architecture.name)
    if not is_compiled(bundled):
        Annotations.of(scope).add_info(_NOT_COMPILED.format(bundle=bundled))
    return lambda_.Code.from_asset(
        str(bundled),
        display_name=f"hitl-approval {sources.kind}",
        asset_hash=sources.digest(architecture.name),
        asset_hash_type=AssetHashType.CUSTOM,
    )


def packed(sources: Sources, architecture: str) -> Path:
    """The bundle as a zip file in the user's cache, made where it is not there yet.

    The file appears whole or not at all: what breaks off leaves nothing, and of two processes that
    make it at once, each has its own until it takes the name.

    Raises:
        BundlingError: it could not be made.
    """
    try:
        folder = programs.caches() / "bundles"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = folder / f"{sources.digest(architecture)}.zip"
        with suppress(FileNotFoundError):
            os.utime(kept)  # asked for today
        if zipfile.is_zipfile(kept):
            return kept
        with TemporaryDirectory(dir=folder, prefix="making-", ignore_cleanup_errors=True) as making:
            made, content = Path(making, "bundle.zip"), Path(making, "content")
            bundle(sources, architecture, content / sources.folder)
            _zip(content, made)
            made.replace(kept)
        _forget_old(folder)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        msg = f"the bundle could not be kept: {where}{error.strerror}: set HITL_CACHE_DIR"
        raise BundlingError(msg) from error
    return kept


def is_compiled(bundled: Path) -> bool:
    """Whether a zip file holds compiled code."""
    with zipfile.ZipFile(bundled) as archive:
        return any(name.endswith(".pyc") for name in archive.namelist())


def _zip(folder: Path, file: Path) -> None:
    """The same bytes for the same content: sorted, of no date, readable by everyone."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")):
            if (path := folder / place).is_file():
                entry = zipfile.ZipInfo(place)
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())


def _forget_old(folder: Path) -> None:
    """Remove what nobody has asked for in a month, half of a bundle after a power cut as well."""
    for path in folder.iterdir():
        with suppress(OSError):  # another process was faster
            if path.stat().st_mtime < time.time() - _KEPT_DAYS * 86400:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def bundle(sources: Sources, architecture: str, target: Path) -> None:
    """Install the locked dependencies and copy the sources into an empty folder.

    Raises:
        BundlingError: uv failed, or a dependency is not pure Python.
    """
    _install(sources.lock, architecture, target)
    shutil.rmtree(target / "bin", ignore_errors=True)
    for accelerator in target.glob(_ACCELERATOR):
        accelerator.unlink()
    for path in sorted(target.rglob("*"), reverse=True):
        if path.name == "__pycache__" and path.is_dir():
            shutil.rmtree(path)
        elif path.name in _NOISE and path.parent.suffix == ".dist-info":
            path.unlink()
    (target / ".lock").unlink(missing_ok=True)  # uv's own, while it works
    if sources.kind == "functions":
        _prune(target)
    for place, path in sources.files():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place)
    for path in (target, *target.rglob("*")):
        if path.suffix in _NATIVE:
            msg = (
                f"{path.relative_to(target)} is native code, which binds the bundle to one "
                f"architecture: take a pure-Python release in {sources.lock.name}"
            )
            raise BundlingError(msg)
    _compile(target, _DEPLOYED_AT[sources.kind])
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _compile(target: Path, deployed_at: str) -> None:
    """Put compiled code beside the source, where this machine has Lambda's Python."""
    python = lambda_python.find()
    if python is None:
        return
    # Known by a hash of the source: the times of files are lost in a zip file.
    how = ("-q", "-j", "0", "--invalidation-mode", "checked-hash")
    places = ("-s", str(target), "-p", deployed_at, str(target))
    words = [python, "-I", "-m", "compileall", *how, *places]
    try:
        done = programs.run("python", words, timeout=_COMPILE_SECONDS)
    except subprocess.TimeoutExpired as error:
        msg = f"{python} could not compile the bundle: {error}"
        raise BundlingError(msg) from error
    if done.returncode != 0:
        reason = " ".join(f"{done.stdout} {done.stderr}".split())
        msg = f"{python} could not compile the bundle: {reason}"
        raise BundlingError(msg)


def _prune(target: Path) -> None:
    """Drop what describes services that our functions never call.

    The files beside their folders (endpoints, partitions, retries, defaults) are everyone's.
    """
    data = target / "botocore" / "data"
    services = {path.name: path for path in data.iterdir() if path.is_dir()}
    if missing := _KEPT_SERVICES - set(services):
        msg = f"botocore/data has no {', '.join(sorted(missing))}: has botocore moved it?"
        raise BundlingError(msg)
    for name, folder in services.items():
        if name not in _KEPT_SERVICES:
            shutil.rmtree(folder)
    # What boto3.resource is made of, and what only its documentation is: we use clients.
    shutil.rmtree(target / "boto3" / "data", ignore_errors=True)
    for examples in data.rglob("examples-1.json"):
        examples.unlink()


def _install(lock: Path, architecture: str, target: Path) -> None:
    # `sync` installs what the lock lists and resolves nothing.
    command = [
        *(_uv(), "pip", "sync", "--quiet", "--no-progress", "--color", "never"),
        *(str(lock.absolute()), "--require-hashes", "--only-binary", ":all:"),
        *("--target", str(target.absolute()), "--python", sys.executable),
        *("--python-version", lambda_python.VERSION, "--python-platform", PLATFORMS[architecture]),
        *("--link-mode", "copy", "--no-compile-bytecode"),
    ]
    try:
        done = programs.run("uv", command, timeout=_UV_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"uv could not install {lock.name}: {error}"
        raise BundlingError(msg) from error
    if done.returncode != 0:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        msg = f"uv could not install {lock.name}: {reason}"
        raise BundlingError(msg)


def _uv() -> str:
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        on_path = shutil.which("uv")
        if on_path is None:
            msg = "bundling needs uv: pip install uv"
            raise BundlingError(msg) from None
        return on_path
