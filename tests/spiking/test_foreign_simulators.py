"""Bit for bit: the simulator against sinabs and against Lava, in their own environments, where those are installed.

`tinytracker setup sinabs` and `tinytracker setup lava` install them; `.ci/run` does.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.lava import FOLDERS, run_lava
from support.spiking_nets import lava_network, random_codes, random_converted

from tinytracker.errors import MissingDependencyError, TinyTrackerError
from tinytracker.spiking import NeuronRule, simulate, write_nir
from tinytracker.spiking.foreign.environments import SIMULATORS, Simulator, find_simulator


def installed(name: str) -> tuple[Simulator, Path]:
    """The simulator and its folder; skips without it."""
    simulator, folder = find_simulator(name), FOLDERS[name]
    missing = simulator.status(folder).missing
    if missing:
        pytest.skip(missing[0])
    return simulator, folder


STEPS = 8


@pytest.mark.parametrize(
    ("encode", "several"), [("current", False), pytest.param("rate", True, marks=pytest.mark.exhaustive)]
)
def test_sinabs_fires_the_same_spikes(tmp_path, encode, several):
    pytest.importorskip("h5py")
    simulator, folder = installed("sinabs")
    network = random_converted(encode=encode, rule=NeuronRule(several=several))
    frames = 32 if encode == "current" else 8
    codes = random_codes(frames)
    np.save(tmp_path / "codes.npy", codes.transpose(0, 3, 1, 2))
    path = write_nir(tmp_path / "network.nir", network)
    spikes = "multi" if several else "single"
    simulator.run(path, tmp_path / "codes.npy", STEPS, spikes, 1, tmp_path / "out.npz", folder=folder)
    theirs = np.load(tmp_path / "out.npz")
    ours = simulate(network, codes, STEPS, record=True)
    np.testing.assert_array_equal(theirs["readout"].cumsum(0), ours.readout)
    for k, train in enumerate(ours.trains):
        found = theirs[f"spikes_{k}"]
        found = found.transpose(0, 1, 3, 4, 2) if found.ndim == 5 else found
        np.testing.assert_array_equal(found, train)
        assert train.any()
    assert (max(train.max() for train in ours.trains) > 1) == several


@pytest.mark.parametrize("steps", [10, pytest.param(64, marks=pytest.mark.exhaustive)])
def test_lava_has_the_same_spikes_and_voltages(tmp_path, steps):
    _, folder = installed("lava")
    network = lava_network()
    assert sum(layer.weights.size for layer in network.layers) == 55_152
    events = (np.random.default_rng(2).random((steps, 32, 64, 2)) < 0.05).astype(np.int64)
    theirs = run_lava(network, events, folder, tmp_path)
    ours = simulate(network, events[:, None], steps, over_time=True, record=True)
    for k, membranes in enumerate(ours.membranes):
        np.testing.assert_array_equal(theirs[f"v_{k}"], membranes[:, 0])
    for k, train in enumerate(ours.trains):
        np.testing.assert_array_equal(theirs[f"spikes_{k}"], train[:, 0])
        assert train.any()


READ = """
import sys, nir, numpy as np
graph = nir.read(sys.argv[1])
kinds = [type(node).__name__ for node in graph.nodes.values()]
print(nir.version, len(graph.edges), sorted(set(kinds)), float(graph.nodes["conv2"].weight.sum()))
"""


@pytest.mark.parametrize(("name", "version"), [("sinabs", "1.0.4"), ("lava", "1.0.8")])
def test_two_releases_of_the_reference_reader_read_the_file(tmp_path, name, version):
    pytest.importorskip("h5py")
    simulator, folder = installed(name)
    assert simulator.environment.pinned("nir") == version
    network = random_converted()
    path = write_nir(tmp_path / "network.nir", network)
    python = simulator.environment.python(folder)
    done = subprocess.run([python, "-I", "-c", READ, path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(maxsplit=1)[1].strip() == (
        f"13 ['Affine', 'Conv2d', 'Flatten', 'IF', 'Input', 'Output'] {float(network.layers[2].weights.sum())}"
    )


def test_a_simulator_that_is_not_installed_says_how(tmp_path):
    simulator = find_simulator("lava")
    assert simulator.status(tmp_path).missing == (
        "Lava is not installed. Install it with: tinytracker setup lava",
    )
    with pytest.raises(MissingDependencyError, match="Install it with: tinytracker setup lava"):
        simulator.run("in.npz", folder=tmp_path)
    assert simulator.parts()[0].needed_for == "comparison of spiking networks"
    with pytest.raises(TinyTrackerError, match=r"Unknown simulator 'lavva'\. Did you mean 'lava'"):
        find_simulator("lavva")


def test_requirements_are_pinned_with_hashes():
    for simulator in SIMULATORS.values():
        lines = simulator.environment.requirements.read_text().replace("\\\n", " ").splitlines()
        pins = [line for line in lines if line and not line.startswith("#")]
        assert len(pins) > 8
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    # The CPU build, which PyPI does not have.
    assert SIMULATORS["sinabs"].environment.pinned("torch") == "2.13.0+cpu"
