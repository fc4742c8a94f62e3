"""Files of arrays: complete or as they were before, whoever writes them."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinytracker
from tinytracker.files import write_arrays

SOURCES = Path(tinytracker.__file__).parent
OWN_WRITERS = {"files.py", "build_hybrid.py", "sinabs_worker.py", "lava_worker.py"}
"""The one that all use; what a package holds; scripts of other environments, whose file is read once."""

CANNOT_BE_STORED = np.array([lambda: None], object)


@pytest.mark.parametrize("compressed", [False, True])
def test_equal_arrays_give_equal_bytes_that_numpy_reads(tmp_path, compressed):
    arrays = {"a": np.arange(12.0).reshape(3, 4), "b": np.array(["x", "yz"])}
    first, second = (
        write_arrays(tmp_path / name / "some.npz", arrays, compressed=compressed) for name in ("1", "2")
    )
    assert first.read_bytes() == second.read_bytes()
    with np.load(first, allow_pickle=False) as held:
        assert {name: held[name].tolist() for name in held.files} == {
            k: v.tolist() for k, v in arrays.items()
        }


def test_a_write_that_fails_in_the_middle_leaves_the_file_as_it_was(tmp_path):
    path = write_arrays(tmp_path / "some.npz", {"a": np.arange(3)})
    before = path.read_bytes()
    with pytest.raises(Exception, match="pickle"):
        write_arrays(path, {"a": np.arange(4), "b": CANNOT_BE_STORED})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["some.npz"]


def test_all_files_of_arrays_are_written_that_way():
    direct = [
        path.relative_to(SOURCES).as_posix()
        for path in sorted(SOURCES.rglob("*.py"))
        if path.name not in OWN_WRITERS and re.search(r"\bsavez(_compressed)?\(", path.read_text("utf-8"))
    ]
    assert direct == []
