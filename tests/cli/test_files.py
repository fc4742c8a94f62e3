import errno
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker import files
from tinytracker.errors import InputFileError, OutputError


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_write_that_fails_leaves_the_old_content(tmp_path_factory, old, new):
    path = tmp_path_factory.mktemp("f") / "file"
    files.write_bytes(path, old)
    original = files.os.fsync
    try:
        files.os.fsync = lambda fd: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(OutputError, match="the disk is full"):
            files.write_bytes(path, new)
    finally:
        files.os.fsync = original
    assert path.read_bytes() == old
    assert [p.name for p in path.parent.iterdir()] == ["file"]
    files.write_bytes(path, new)
    assert path.read_bytes() == new


def test_a_file_in_the_way_of_a_folder(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(OutputError):
        files.make_folder(tmp_path / "x" / "y")


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "x.json", {"a": float("nan")})


@pytest.mark.parametrize("content", ["", "{", "[1,", '{"a": }', "\x00"])
def test_damaged_json_is_a_sentence(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(InputFileError, match="not valid JSON"):
        files.read_json(path)


def test_reading_a_folder_is_a_sentence(tmp_path):
    with pytest.raises(InputFileError, match="this is a folder"):
        files.read_bytes(tmp_path)


def test_hashes_agree(tmp_path):
    data = json.dumps({"a": 1}).encode() * 100_000
    path = files.write_bytes(tmp_path / "x", data)
    assert files.sha256_file(path) == files.sha256_bytes(data)
