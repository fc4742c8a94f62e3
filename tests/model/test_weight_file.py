import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.damage import OTHER_COMPRESSION, recompressed

from tinytracker.errors import InputFileError, ModelError
from tinytracker.model import weight_file
from tinytracker.model.presets import PRESETS
from tinytracker.model.weight_file import (
    MAX_BYTES,
    describe_weights,
    packaged_presets,
    packaged_weights,
    read_weights,
    write_weights,
)

RNG = np.random.default_rng(0)
WEIGHTS = {
    "stem": [RNG.normal(size=(3, 3, 1, 4)).astype(np.float32)],
    "stem_bn": [np.array([1e-9, 3e5, 1, 2], np.float32)] * 4,
    "gaze": [RNG.normal(size=(8, 2)).astype(np.float32), np.array([0.5, -5], np.float32)],
}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("w") / "w.npz"
    write_weights(path, WEIGHTS, {"licence": "x"})
    return path.read_bytes()


def test_vectors_come_back_exactly_and_kernels_nearly(tmp_path):
    write_weights(tmp_path / "w.npz", WEIGHTS, {})
    found = read_weights(tmp_path / "w.npz")
    assert list(found) == list(WEIGHTS)
    for layer, arrays in WEIGHTS.items():
        for ours, theirs in zip(found[layer], arrays, strict=True):
            assert ours.dtype == np.float32
            np.testing.assert_allclose(ours, theirs, rtol=2**-11 if ours.ndim > 1 else 0)


def test_the_same_weights_give_the_same_bytes(tmp_path, content):
    write_weights(tmp_path / "again.npz", WEIGHTS, {})
    assert (tmp_path / "again.npz").read_bytes() == content


def test_numpy_reads_it_too(tmp_path, content):
    (tmp_path / "w.npz").write_bytes(content)
    with np.load(tmp_path / "w.npz") as archive:
        assert "gaze/1" in archive.files


def test_what_float16_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ModelError, match="Weight 0 of big"):
        write_weights(tmp_path / "w.npz", {"big": [np.full((2, 2), 1e6, np.float32)]}, {})
    assert not (tmp_path / "w.npz").exists()


@settings(max_examples=150)
@given(data=st.data())
def test_damage_is_a_sentence_or_harmless(content, tmp_path_factory, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))
    path = tmp_path_factory.mktemp("d") / "w.npz"
    path.write_bytes(bytes(damaged[:cut]))
    try:
        found = read_weights(path)
    except InputFileError:
        return
    assert all(np.isfinite(a).all() for arrays in found.values() for a in arrays)


@pytest.mark.parametrize("method", OTHER_COMPRESSION)
def test_a_byte_that_names_another_compression_is_damage(content, tmp_path, method):
    (tmp_path / "w.npz").write_bytes(recompressed(content, method))
    with pytest.raises(InputFileError, match="not a weight file, or damaged"):
        read_weights(tmp_path / "w.npz")


def test_a_document_of_another_file_is_refused(tmp_path):
    write_weights(tmp_path / "w.npz", WEIGHTS, {})
    document = json.loads((tmp_path / "w.json").read_text())
    (tmp_path / "w.json").write_text(json.dumps({**document, "sha256": "0" * 64}))
    with pytest.raises(InputFileError, match="describes another file"):
        describe_weights(tmp_path / "w.npz")


def test_what_comes_with_the_package_is_small_licensed_and_of_a_preset():
    for preset in packaged_presets():
        path = packaged_weights(preset)
        assert preset in PRESETS
        assert path.stat().st_size <= MAX_BYTES
        about = describe_weights(path)
        assert about["preset"] == preset
        assert about["licence"]
        assert about["recipe"]
        nodes = PRESETS[preset].network().nodes
        assert {"gaze", "stem"} & set(read_weights(path)) & set(nodes)


def test_no_folder_means_no_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(weight_file, "_folder", lambda: tmp_path / "nowhere")
    assert packaged_presets() == []
