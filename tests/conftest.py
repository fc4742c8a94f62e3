"""What every test gets: a quiet TensorFlow, and output that does not depend on the terminal."""

import os

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As `require_tensorflow` does: a test that imports TensorFlow by itself must compute as the command line does.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Many small systems of equations, beside other workers of pytest: BLAS threads would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = ["support.imx500_environments"]

# The same examples in each run; no deadline, because the speed of a shared machine is not what is tested.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    """Fixed width, no colours, no configuration from outside."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    for name in list(os.environ):
        if name.startswith("TINYTRACKER_"):
            monkeypatch.delenv(name)
