"""What the programs that we start are given: the table in CONTRIBUTING.md, line by line."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hitl_approval import programs
from hitl_approval_cli import cdk
from hitl_approval_cli.local import APP_FOLDER
from hitl_approval_cli.local.server import KEPT_VARIABLES

ROOT = Path(__file__).parents[2]


def table() -> dict[str, tuple[set[str], set[str]]]:
    """Setting -> what is passed on, what is cut."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [lines] = re.findall(r"^\| setting \|.*\n\|-.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    found = {}
    for line in lines.splitlines():
        name, passed, cut = (cell.strip() for cell in line.strip("|").split("|"))
        found[name] = (_names(passed), _names(cut))
    return found


def _names(cell: str) -> set[str]:
    """What stands in backticks, but for what is only mentioned."""
    mentioned = {"NODE_OPTIONS", "hitl local", "[pip]", "[global]", "[install]"}
    return set(re.findall(r"`([^`]+)`", cell)) - mentioned


TABLE = table()
VARIABLES = [
    *("uv's variables", "pip's variables", "npm's variables", "Node's variables"),
    *("Python's variables", "CDK's variables", "all else"),
]


def test_should_have_a_check_for_each_line() -> None:
    others = {"uv.toml", "pip.conf", ".npmrc", "AWS's variables", "the emulator and its workers"}
    assert TABLE.keys() == {*VARIABLES, *others}


@pytest.mark.parametrize("line", VARIABLES)
def test_should_pass_on_and_cut_variables(line: str) -> None:
    passed, cut = TABLE[line]
    given = dict.fromkeys(passed | cut, "x")
    assert programs.variables(given) == dict.fromkeys(passed, "x")


@pytest.mark.parametrize(
    "family",
    ["UV_", "PIP_", "npm_config_", "NPM_CONFIG_", "NODE_", "PYTHON", "JSII_", "CDK_"],
)
def test_should_cut_what_does_not_exist_yet(family: str) -> None:
    assert programs.variables({f"{family}TOMORROW": "x"}) == {}


def test_should_pass_on_of_nodes_options_what_is_about_certificates() -> None:
    given = {"NODE_OPTIONS": "--require ./spy.js --use-system-ca --inspect"}
    assert programs.variables(given) == {"NODE_OPTIONS": "--use-system-ca"}
    assert programs.variables({"NODE_OPTIONS": "--inspect"}) == {}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and a folder with settings of its own, without variables that name others."""
    for name in list(os.environ):
        if re.match(r"(?i)UV_|PIP_|NPM_CONFIG_|XDG_|VIRTUAL_ENV", name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def environment(program: programs.Program, home: Path) -> dict[str, str]:
    scratch = home / "scratch"
    scratch.mkdir(exist_ok=True)
    return programs.environment(program, scratch, Path(sys.executable))


def uv_settings(home: Path) -> dict[str, Any]:
    """What uv is given to read, and nothing else."""
    return tomllib.loads(Path(environment("uv", home)["UV_CONFIG_FILE"]).read_text())


class TestUv:
    def test_should_read_of_uv_toml_where_packages_come_from(self, home: Path) -> None:
        passed, cut = TABLE["uv.toml"]
        assert passed
        plain = "".join(f'{name} = ["x"]\n' for name in sorted(passed | cut) if name != "index")
        index = (
            '[[index]]\nname = "corp"\nurl = "u"\ndefault = true\nexclude-newer = "2020-01-01"\n'
        )
        write(home / ".config" / "uv" / "uv.toml", f"{plain}{index}[pip]\n{plain}")
        found = uv_settings(home)
        assert found.pop("index") == [{"name": "corp", "url": "u", "default": True}]
        assert found.pop("pip") == {name: ["x"] for name in passed - {"index"}}
        assert found == {name: ["x"] for name in passed - {"index"}}

    def test_should_prefer_the_users_to_the_systems(self, home: Path) -> None:
        write(home / ".config" / "uv" / "uv.toml", 'index-url = "user"\nfind-links = ["a"]\n')
        write(home / "system" / "uv" / "uv.toml", 'index-url = "system"\nfind-links = ["b"]\n')
        assert uv_settings(home) == {"index-url": "user", "find-links": ["a", "b"]}

    def test_should_read_the_file_that_a_variable_names(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(home / ".config" / "uv" / "uv.toml", 'index-url = "user"')
        write(home / "named.toml", 'index-url = "named"')
        monkeypatch.setenv("UV_CONFIG_FILE", str(home / "missing.toml"))
        assert uv_settings(home) == {"index-url": "user"}
        monkeypatch.setenv("UV_CONFIG_FILE", str(home / "named.toml"))
        assert uv_settings(home) == {"index-url": "named"}
        monkeypatch.setenv("UV_NO_CONFIG", "1")
        assert uv_settings(home) == {}

    @pytest.mark.parametrize("content", ["not = [toml", "pip = 1", "index = 1"])
    def test_should_not_end_for_a_file_that_is_none(self, home: Path, content: str) -> None:
        write(home / ".config" / "uv" / "uv.toml", content)
        assert uv_settings(home) in ({}, {"index": 1})

    def test_should_take_a_mirror_from_home_and_nothing_from_the_folder(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By what uv itself does: it asks the mirror, and that one only."""
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        write(home / ".config" / "uv" / "uv.toml", 'index-url = "http://127.0.0.1:1/mirror"')
        write(home / "uv.toml", 'index-url = "http://127.0.0.1:2/folder"')
        write(home / "lock.txt", f"six==1.17.0 --hash=sha256:{'0' * 64}")
        from uv import find_uv_bin

        words = [find_uv_bin(), "pip", "sync", "--target", str(home / "to"), "--no-cache"]
        done = programs.run("uv", [*words, str(home / "lock.txt")], cwd=home)
        assert "http://127.0.0.1:1/mirror/six" in done.stderr


class TestPip:
    def test_should_read_of_pip_conf_where_packages_come_from(self, home: Path) -> None:
        passed, cut = TABLE["pip.conf"]
        given = {name: f"x-{name}" for name in passed} | {"timeout": "7"}
        given |= dict.fromkeys(cut, "true")
        lines = "".join(f"{name} = {value}\n" for name, value in given.items())
        write(
            home / ".config" / "pip" / "pip.conf", f"[global]\n{lines}[install]\nindex-url = own\n"
        )
        found = {k: v for k, v in environment("pip", home).items() if k.startswith("PIP_")}
        assert found.pop("PIP_CONFIG_FILE") == os.devnull
        wanted = {f"PIP_{n.upper().replace('-', '_')}": given[n] for n in passed}
        assert found == wanted | {"PIP_INDEX_URL": "own"}

    def test_should_prefer_a_variable(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(home / ".config" / "pip" / "pip.conf", "[install]\nindex-url = file\n")
        monkeypatch.setenv("PIP_INDEX_URL", "variable")
        assert environment("pip", home)["PIP_INDEX_URL"] == "variable"


class TestNpm:
    def test_should_read_of_npmrc_where_packages_come_from(self, home: Path) -> None:
        passed, cut = TABLE[".npmrc"]
        write(home / ".npmrc", "".join(f"{name} = x\n" for name in sorted(passed | cut)))
        found = environment("npm", home)
        assert found["npm_config_globalconfig"] == os.devnull
        kept = Path(found["npm_config_userconfig"]).read_text().splitlines()
        assert set(kept) == {f"{name} = x" for name in passed}

    def test_should_read_the_file_that_a_variable_names(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(home / "named", "registry=named\nglobal=true\n")
        monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(home / "named"))
        found = environment("npm", home)
        assert "NPM_CONFIG_USERCONFIG" not in found
        assert Path(found["npm_config_userconfig"]).read_text() == "registry=named\n"


class TestLocalCloud:
    def test_should_reach_no_account(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in TABLE["AWS's variables"][1]:
            monkeypatch.setenv(name, "x")
        for folder in (APP_FOLDER, Path("/theirs")):
            assert not [name for name in cdk._variables(folder) if name.startswith("AWS_")]
        assert "AWS_PROFILE" in programs.variables(os.environ)

    def test_should_leave_pythons_variables_to_a_users_own_app(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONPATH", "src")
        assert cdk._variables(Path("/theirs"))["PYTHONPATH"] == "src"
        assert "PYTHONPATH" not in cdk._variables(APP_FOLDER)

    def test_should_tell_the_emulator_what_it_says(self) -> None:
        assert set(KEPT_VARIABLES) == TABLE["the emulator and its workers"][0]


class TestRun:
    def test_should_run_in_an_empty_folder_that_is_gone_afterwards(self) -> None:
        code = "import os; print(os.getcwd(), os.listdir())"
        done = programs.run("python", [sys.executable, "-c", code])
        folder, listed = done.stdout.split()
        assert listed == "[]"
        assert not Path(folder).exists()

    def test_should_keep_a_mirrors_password_from_others(self) -> None:
        code = "import os, stat; print(oct(stat.S_IMODE(os.stat('.').st_mode)))"
        done = programs.run("uv", [sys.executable, "-c", code])
        assert done.stdout.strip() == oct(stat.S_IRWXU)

    def test_should_search_other_programs_where_it_is_set_first(self, tmp_path: Path) -> None:
        code = "import os; print(os.environ['PATH'].split(os.pathsep)[0])"
        done = programs.run("npm", [sys.executable, "-c", code], path=tmp_path)
        assert done.stdout.strip() == str(tmp_path)

    def test_should_read_what_is_not_utf_8(self) -> None:
        code = "import sys; sys.stdout.buffer.write(b'\\xff')"
        assert programs.run("python", [sys.executable, "-c", code]).stdout == "�"

    @pytest.mark.parametrize("status", [0, 3])
    def test_should_do_the_same_for_the_makefile(self, status: int) -> None:
        code = f"import os, sys; print('UV_OVERRIDE' in os.environ); sys.exit({status})"
        done = subprocess.run(
            [sys.executable, "-I", "-S", programs.__file__, "uv", sys.executable, "-c", code],
            env={**os.environ, "UV_OVERRIDE": "x"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (status, "False\n")


class TestCaches:
    def test_should_be_where_the_user_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def given(**values: str) -> Path:
            for name in ("HITL_CACHE_DIR", "XDG_CACHE_HOME"):
                monkeypatch.delenv(name, raising=False)
            for name, value in values.items():
                monkeypatch.setenv(name, value)
            return programs.caches()

        assert given(HITL_CACHE_DIR="/a", XDG_CACHE_HOME="/b") == Path("/a")
        assert given(XDG_CACHE_HOME="/b") == Path("/b/hitl-approval")
        assert given(HOME="/c") == Path("/c/.cache/hitl-approval")
        assert given(HITL_CACHE_DIR="here") == Path.cwd() / "here"
