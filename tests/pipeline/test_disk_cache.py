"""The files of `cache = "disk"`: the same frames as without a cache, and a stopped start continues."""

import numpy as np
import pytest

from tinytracker.data.index import read_index
from tinytracker.model.presets import find_preset

pytestmark = pytest.mark.train


def listed(dataset):
    return [
        (*(codes.tobytes() for _, codes in sorted(inputs.items())), target.tobytes())
        for inputs, target in dataset.as_numpy_iterator()
    ]


@pytest.mark.parametrize("preset", ["tinytracker-s", "itracker"])
def test_a_cached_frame_equals_a_decoded_one(prepared, tmp_path, preset):
    from tinytracker.train.frames import Frames

    index, spec = read_index(prepared), find_preset(preset).input
    plain = Frames(index, "val", spec)
    cached = Frames(index, "val", spec, "disk", tmp_path)
    assert listed(cached.in_order()) == listed(plain.in_order())
    assert cached.in_order().element_spec == plain.in_order().element_spec
    one, two = listed(cached.of_epoch(1, 1, 4)), listed(cached.of_epoch(2, 2, 4))
    assert sorted(one) == sorted(two) == sorted(listed(plain.in_order()))
    assert one != two
    assert one == listed(cached.of_epoch(1, 1, 4))


def test_parts_of_workers_are_cached_apart(prepared, tmp_path):
    from tinytracker.train.frames import Frames

    index, spec = read_index(prepared), find_preset("tinytracker-s").input
    parts = [Frames(index, "train", spec, "disk", tmp_path, (3, worker)) for worker in range(3)]
    everything = listed(Frames(index, "train", spec).in_order())
    assert sorted(frame for part in parts for frame in listed(part.in_order())) == sorted(everything)
    assert {part.frames for part in parts} == {len(everything) // 3}


def test_a_stopped_start_continues_with_the_next_file(tmp_path, monkeypatch):
    from support.gazecapture_folder import make_folder

    from tinytracker.data.preparation import prepare
    from tinytracker.train import frames as module

    make_folder(tmp_path / "src", subjects=8, frames=4)
    index = prepare(tmp_path / "src", tmp_path / "out", jobs=1, shard_frames=4).index
    spec = find_preset("tinytracker-s").input
    whole = listed(module.Frames(index, "train", spec).in_order())
    pack, calls = module._packed, []

    def stop(inputs, target):
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return pack(inputs, target)

    monkeypatch.setattr(module, "_packed", stop)
    with pytest.raises(KeyboardInterrupt):
        module.Frames(index, "train", spec, "disk", tmp_path / "cache")
    assert [p.name for p in sorted((tmp_path / "cache").iterdir())] == ["train-00000.frames"]
    again = module.Frames(index, "train", spec, "disk", tmp_path / "cache")
    assert len(calls) == 7 + 12
    assert listed(again.in_order()) == whole
    np.testing.assert_array_equal(len(list((tmp_path / "cache").iterdir())), 4)
