"""What fixtures keep between workers and runs is whole, and belongs to its settings."""

import os

import pytest
from support import stored as module
from support.stored import stored


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STORE", tmp_path / "made")
    return tmp_path / "made"


class Maker:
    """Counts its calls."""

    def __init__(self, fails=False):
        self.calls, self.fails = 0, fails

    def __call__(self, folder):
        self.calls += 1
        folder.mkdir()
        (folder / "half").write_text("x")
        if self.fails:
            raise RuntimeError("killed")
        (folder / "whole").write_text("x")


def test_it_is_made_once_per_settings():
    make = Maker()
    first, again, other = (stored("run", make, epochs) for epochs in (4, 4, 5))
    assert first == again != other
    assert make.calls == 2


def test_what_was_left_half_is_made_again():
    with pytest.raises(RuntimeError):
        stored("run", Maker(fails=True))
    folder = stored("run", Maker())
    assert sorted(p.name for p in folder.iterdir()) == ["half", "whole"]


def test_other_sources_have_another_folder_and_old_ones_go(store, monkeypatch):
    old = stored("run", Maker())
    long_ago = (store / f"{old.name}.whole").stat().st_mtime - 2 * module.DAY_S
    os.utime(store / f"{old.name}.whole", (long_ago, long_ago))
    monkeypatch.setattr(module, "sources_key", lambda: "other")
    new = stored("run", Maker())
    assert new.is_dir()
    assert not old.exists()
