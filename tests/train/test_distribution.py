import json

import pytest

from tinytracker.errors import ConfigError, UnknownNameError, UsageError
from tinytracker.train import TrainConfig
from tinytracker.train.distribution import Distribution, _cluster, distribution

WORKERS = ["a:1", "b:2"]


class Devices:
    """Stands for a strategy."""

    def __init__(self, count):
        self.num_replicas_in_sync = count


def cluster(index=0, kind="worker", **more):
    return json.dumps({"cluster": {"worker": WORKERS, **more}, "task": {"type": kind, "index": index}})


def test_the_cluster_says_who_this_is():
    assert _cluster(cluster(1)) == (2, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "TF_CONFIG is not set"),
        ("{", "does not describe a cluster"),
        ('{"task": {"type": "worker", "index": 0}}', "does not describe a cluster"),
        ("[1]", "does not describe a cluster"),
        (cluster(2), "names the task worker 2 of a cluster with 2 workers"),
        (cluster(-1), "names the task worker -1"),
        (cluster(0, "chief", chief=["c:3"]), "All tasks must be workers"),
    ],
)
def test_other_clusters_are_refused(text, sentence):
    with pytest.raises(UsageError, match=sentence):
        _cluster(text)


def test_unknown_distribution():
    with pytest.raises(UnknownNameError, match=r"Unknown distribution 'miror'\. Did you mean 'mirrored'"):
        distribution("miror")


def test_a_batch_is_shared_evenly():
    two = Distribution("multiworker", Devices(4), workers=2)
    config = TrainConfig(batch_size=64)
    assert two.per_replica_batch(config, 1000) == 16
    assert two.steps(config, 1001) == 500 // 32
    with pytest.raises(ConfigError, match="66 frames cannot be shared evenly by 4 devices"):
        two.per_replica_batch(TrainConfig(batch_size=66), 1000)
    with pytest.raises(ConfigError, match="2 workers have only 50 together"):
        two.per_replica_batch(config, 50)


def test_alone_it_is_the_plain_loop():
    alone = distribution("none")
    assert (alone.workers, alone.replicas, alone.is_chief, alone.is_distributed) == (1, 1, True, False)
    assert alone.per_replica_batch(TrainConfig(batch_size=64), 10) == 64
    assert alone.steps(TrainConfig(batch_size=64), 10) == 1
    assert alone.chief_s(0.1) == 0.1
