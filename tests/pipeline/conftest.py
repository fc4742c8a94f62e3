"""One small trained and quantized run on noise, shared by the tests of this folder (support/stored.py)."""

import shutil

import pytest
from support.gazecapture_folder import make_folder
from support.stored import stored

CALIBRATION_FRAMES = 32


@pytest.fixture(scope="session")
def prepared():
    """A prepared data set: 12 subjects, 8 frames each, all splits filled. For reading only."""
    from tinytracker.data.preparation import prepare

    def make(folder):
        make_folder(folder / "gazecapture", subjects=12, frames=8, seed=3)
        prepare(folder / "gazecapture", folder / "prepared", jobs=1)

    return stored("noise", make) / "prepared"


@pytest.fixture(scope="session")
def config():
    """Four short epochs."""
    from tinytracker.train import TrainConfig

    return TrainConfig(epochs=4, batch_size=8, learning_rate=3e-3)


@pytest.fixture(scope="session")
def stored_run(prepared, config):
    """A trained run of tinytracker-s, with ptq-int8; beside it the same with ptq-uint8 too. For reading only."""
    from tinytracker.quant import quantize
    from tinytracker.train import train

    def make(folder):
        train(prepared, "tinytracker-s", folder / "run", config)
        quantize(folder / "run", calibration_frames=CALIBRATION_FRAMES)
        shutil.copytree(folder / "run", folder / "uint8_run")
        quantize(folder / "uint8_run", io="uint8", calibration_frames=CALIBRATION_FRAMES)

    return stored("run", make, config)


@pytest.fixture(scope="session")
def run(stored_run, tmp_path_factory):
    """A trained, quantized run of tinytracker-s; this worker's own, in which evaluations may be left."""
    return copied(stored_run / "run", tmp_path_factory)


@pytest.fixture(scope="session")
def uint8_run(stored_run, tmp_path_factory):
    """The same run with a uint8 model too."""
    return copied(stored_run / "uint8_run", tmp_path_factory)


def copied(folder, tmp_path_factory):
    from tinytracker.runs import Run

    out = tmp_path_factory.mktemp("runs") / "run"
    shutil.copytree(folder, out)
    return Run(out)
