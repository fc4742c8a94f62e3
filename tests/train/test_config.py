import pytest

from tinytracker.errors import ConfigError, InputFileError
from tinytracker.train import TrainConfig, load_config


def write(tmp_path, text):
    path = tmp_path / "train.toml"
    path.write_text(text)
    return path


def test_defaults_without_a_file():
    assert load_config(None) == TrainConfig()


def test_a_flag_wins_over_the_file(tmp_path):
    config = load_config(
        write(tmp_path, "epochs = 3\nseed = 7\n[augment]\nmirror = false\n"), {"epochs": 5, "seed": None}
    )
    assert (config.epochs, config.seed, config.augment.mirror) == (5, 7, False)


def test_a_misspelt_key_names_the_right_one(tmp_path):
    with pytest.raises(
        ConfigError, match=r"train\.toml: epoch: there is no such setting\. Did you mean 'epochs'\?"
    ):
        load_config(write(tmp_path, "epoch = 3\n"))


def test_a_misspelt_key_in_a_section_names_the_right_one(tmp_path):
    with pytest.raises(ConfigError, match=r"augment\.brightnes.*Did you mean 'brightness'\?"):
        load_config(write(tmp_path, "[augment]\nbrightnes = 3\n"))


def test_a_value_out_of_its_limits_says_value_and_limit(tmp_path):
    with pytest.raises(
        ConfigError, match=r"epochs: 0 is not valid: input should be greater than or equal to 1"
    ):
        load_config(write(tmp_path, "epochs = 0\n"))


def test_not_toml(tmp_path):
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(write(tmp_path, "epochs: 3\n"))


def test_no_such_file(tmp_path):
    with pytest.raises(InputFileError, match="there is no such file"):
        load_config(tmp_path / "none.toml")
