"""One small trained and quantized run on noise, shared by the tests of this folder."""

import pytest
from support.gazecapture_folder import make_folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A prepared data set: 12 subjects, 8 frames each, all splits filled."""
    from tinytracker.data.preparation import prepare

    folder = tmp_path_factory.mktemp("data")
    make_folder(folder / "gazecapture", subjects=12, frames=8, seed=3)
    prepare(folder / "gazecapture", folder / "prepared", jobs=1)
    return folder / "prepared"


@pytest.fixture(scope="session")
def config():
    """Four short epochs."""
    from tinytracker.train import TrainConfig

    return TrainConfig(epochs=4, batch_size=8, learning_rate=3e-3)


@pytest.fixture(scope="session")
def run(prepared, config, tmp_path_factory):
    """A trained, quantized run of tinytracker-s."""
    from tinytracker.quant import quantize
    from tinytracker.train import train

    result = train(prepared, "tinytracker-s", tmp_path_factory.mktemp("runs") / "run", config)
    quantize(result.run.path, calibration_frames=32)
    return result.run
