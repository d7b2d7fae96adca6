"""Files in layers are found where Python finds modules, and read once in a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitl_approval.layer_files import read_layer_file


def test_should_be_found_where_python_finds_modules_and_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "layer-file.json"
    file.write_text('{"ann": 1}')
    monkeypatch.syspath_prepend(tmp_path)
    assert read_layer_file("layer-file.json", dict) == {"ann": 1}
    file.write_text("{}")
    assert read_layer_file("layer-file.json", dict) == {"ann": 1}


def test_should_be_missed() -> None:
    with pytest.raises(OSError, match="no such file"):
        read_layer_file("no such file.json", dict)
