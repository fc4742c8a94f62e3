"""Which run may be resumed: one with the same data and settings, as far as its release had them."""

from __future__ import annotations

import pytest

from tinytracker.errors import OutputError
from tinytracker.runs import Run, write_description
from tinytracker.train.config import AugmentConfig, TrainConfig

pytestmark = pytest.mark.train


def description(config: TrainConfig) -> dict:
    data = {"path": "p", "data_hash": "1", "origin": "synthetic", "frames": {}, "mean_gaze_cm": [0, 0]}
    return {"preset": "tinytracker-s2-aim", "config": config.model_dump(), "data": data}


def test_a_run_of_an_older_release_is_resumed_with_what_are_the_defaults_now(tmp_path):
    from tinytracker.train import state

    before = description(TrainConfig())
    for settings, name in ((before["config"], "schedule"), (before["config"]["augment"], "strips")):
        del settings[name]
    run = Run(tmp_path / "run")
    run.path.mkdir()
    write_description(run, before)
    assert state.state_to_go_on_from(run, description(TrainConfig()), resume=True) == state.State()
    other = TrainConfig(augment=AugmentConfig(strips=0.5))
    with pytest.raises(OutputError, match=r"the config differs"):
        state.state_to_go_on_from(run, description(other), resume=True)
