"""A damaged shard and a full disk end in one sentence that names the file."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tinytracker.data.index import read_index
from tinytracker.errors import InputFileError, OutputError

pytestmark = pytest.mark.train
SMALL_DISK = 'mkdir -p "$1" && mount -t tmpfs -o size=3m tmpfs "$1" && shift && exec "$@"'


@pytest.fixture(params=["zeros", pytest.param("a picture that is none", marks=pytest.mark.exhaustive)])
def damaged(request, prepared, tmp_path):
    """Prepared data whose shards have the right size and wrong bytes."""
    out = tmp_path / "prepared"
    shutil.copytree(prepared, out)
    index = read_index(out)
    for split in ("train", "test"):
        shard = index.shard_paths(split)[0]
        content = bytearray(shard.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 4000] = bytes(4000) if request.param == "zeros" else b"\xff" * 4000
        shard.write_bytes(content)
    return out


@pytest.mark.parametrize(
    "cache", ["none", *(pytest.param(c, marks=pytest.mark.exhaustive) for c in ("memory", "disk"))]
)
def test_training_names_the_damaged_shard(damaged, tmp_path, cache):
    from tinytracker.train import TrainConfig, train

    config = TrainConfig(epochs=1, batch_size=8, cache=cache)
    with pytest.raises(InputFileError, match=r"train-00000\.tfrecord: the shard's content has changed"):
        train(damaged, "tinytracker-s2", tmp_path / "run", config)


def test_evaluation_and_quantization_name_the_damaged_shard(damaged, run):
    from tinytracker.evaluate import evaluate
    from tinytracker.quant import quantize

    with pytest.raises(InputFileError, match=r"tfrecord: the shard's content has changed"):
        evaluate(run.path, data=damaged)
    with pytest.raises(InputFileError, match=r"train-00000\.tfrecord: the shard's content has changed"):
        quantize(run.path, data=damaged)


def test_a_full_disk_while_a_checkpoint_is_written_is_a_sentence(tmp_path):
    import tensorflow as tf

    from tinytracker.data.tensorflow_errors import writing_tensorflow

    with pytest.raises(OutputError, match="the disk is full"), writing_tensorflow(tmp_path):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")
    with pytest.raises(OutputError, match="cannot be written"), writing_tensorflow(tmp_path):
        tf.io.write_file(str(tmp_path), "a folder is in the way")


@pytest.mark.exhaustive
def test_training_on_a_full_disk_is_a_sentence_and_a_document(prepared, tmp_path):
    """On a real file system of 3 MB, mounted in a namespace of its own."""
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("this system does not let tests mount file systems")
    disk = tmp_path / "disk"
    train = [sys.executable, "-m", "tinytracker.cli.main", "train", prepared, "--model", "tinytracker-v2"]
    command = [
        *namespace,
        "sh",
        "-c",
        SMALL_DISK,
        "sh",
        disk,
        *train,
        "--out",
        disk / "run",
        "--epochs",
        "2",
        "--json",
    ]
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "the disk is full" in result.stderr
    assert "the disk is full" in json.loads(result.stdout)["error"]["message"]
