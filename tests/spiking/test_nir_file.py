"""NIR files: written and read again, reproducible, and refused when cut, damaged or of another program."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.spiking_nets import random_codes, random_converted, small_network

from tinytracker.errors import InputFileError, ModelError
from tinytracker.spiking import CONVERTED, NeuronRule, read_nir, simulate, write_nir
from tinytracker.spiking.nir_file import METADATA, nir_bytes, parse_nir

h5py = pytest.importorskip("h5py")
NAME = Path("network.nir")


@pytest.mark.parametrize("encode", ["current", "rate"])
def test_what_was_written_is_read(tmp_path, encode):
    network = random_converted(encode=encode, rule=NeuronRule(several=True, floor="none"), steps=5)
    again = read_nir(write_nir(tmp_path / NAME, network))
    assert (again.rule, again.encode, again.unit_cm) == (network.rule, network.encode, network.unit_cm)
    assert (again.preset, again.steps) == ("spikes-s", 5)
    for a, b in zip(network.layers, again.layers, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)
        np.testing.assert_array_equal(a.bias, b.bias)
        assert (a.name, a.threshold, a.stride, a.pad, a.input_shape) == (
            b.name,
            b.threshold,
            b.stride,
            b.pad,
            b.input_shape,
        )
    codes = random_codes(2)
    np.testing.assert_array_equal(simulate(network, codes, 5).readout, simulate(again, codes, 5).readout)


def test_equal_networks_give_equal_bytes():
    assert nir_bytes(random_converted()) == nir_bytes(random_converted())


def test_the_key_that_breaks_readers_is_absent():
    with h5py.File(io.BytesIO(nir_bytes(random_converted()))) as file:
        cells = file["node/nodes/conv1_if"]
        assert set(cells) == {"type", "r", "v_threshold"}
        assert file["node/nodes/conv1/padding"][()].tolist() == [1, 1]
        rule = json.loads(file["node/metadata"][METADATA][()])["rule"]
    assert rule["reset"] == "subtract"


def test_real_weights_are_not_written():
    network = small_network(CONVERTED)
    real = replace(network, layers=tuple(replace(la, weights=la.weights * 0.5) for la in network.layers))
    with pytest.raises(ModelError, match="This network has real weights"):
        nir_bytes(real)


CONTENT: bytes = b""


def content() -> bytes:
    global CONTENT
    CONTENT = CONTENT or nir_bytes(small_network(CONVERTED))
    return CONTENT


def test_a_cut_file_is_refused_wherever_it_is_cut():
    whole = content()
    for length in {0, 1, 7, 8, 100, 511, *np.linspace(512, len(whole) - 1, 24).astype(int).tolist()}:
        with pytest.raises(
            InputFileError, match=r"network\.nir: .*(NIR|damaged).* Write it with `tinytracker spike`"
        ):
            parse_nir(whole[:length], NAME)


def changed(change) -> bytes:
    buffer = io.BytesIO(content())
    with h5py.File(buffer, "r+") as file:
        change(file)
    return buffer.getvalue()


def _set(file, name, value):
    del file[name]
    file[name] = value


def _newer(file):
    about = json.loads(file[f"node/metadata/{METADATA}"][()])
    _set(file, f"node/metadata/{METADATA}", json.dumps({**about, "version": 99}))


FOREIGN = {
    "no-node": (lambda f: f.pop("node"), "an HDF5 file, but not a NIR file"),
    "no-metadata": (lambda f: f["node"].pop("metadata"), "a NIR file of another program"),
    "newer": (_newer, "version 99 of its metadata, but this release reads 1 at most"),
    "not-json": (lambda f: _set(f, f"node/metadata/{METADATA}", "{"), "a damaged NIR file"),
    "layer-missing": (lambda f: f["node/nodes"].pop("b"), "a damaged NIR file"),
    "fractions": (lambda f: _set(f, "node/nodes/b/bias", np.full(4, 0.5)), "its numbers are not integers"),
    "channels": (
        lambda f: _set(f, "node/nodes/b/weight", np.ones((4, 9, 3, 3))),
        "b reads 9 channels, and the layer before it has 3",
    ),
    "inputs": (lambda f: _set(f, "node/nodes/c/weight", np.ones((5, 9))), "c reads 9 inputs"),
}  # fmt: skip


@pytest.mark.parametrize("case", FOREIGN)
def test_a_foreign_or_changed_file_is_refused(case):
    change, words = FOREIGN[case]
    with pytest.raises(InputFileError, match=words):
        parse_nir(changed(change), NAME)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.nir").write_text("not HDF5")
    with pytest.raises(InputFileError, match="not a NIR file, or cut short"):
        read_nir(tmp_path / "text.nir")
    with pytest.raises(InputFileError, match="there is no such file"):
        read_nir(tmp_path / "none.nir")
