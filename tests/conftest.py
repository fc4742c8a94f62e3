"""What every test gets: a quiet TensorFlow, and output that does not depend on the terminal."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

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
# `pytest --hypothesis-profile search` looks for new failures: other examples in each run, and fifty times as many.
settings.register_profile(
    "search", deadline=None, max_examples=5000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
# Hypothesis also draws the constants of every module of the project that is imported at the time. Which ones are
# depends on the tests that a worker ran before, so the same test would see other examples beside other tests.
providers._get_local_constants = lambda: providers._local_constants


# Workers take files in this order (`--dist loadfile --no-loadscope-reorder`): with the long ones first,
# none is left alone with one at the end. Nothing else depends on the list.
LONG_FILES = (
    "pipeline/test_one_evening.py",
    "pipeline/test_python_page.py",
    "pipeline/test_package_imx500.py",
    "pipeline/test_demo.py",
    "pipeline/test_qat.py",
    "pipeline/test_distributed.py",
    "codegen/test_codegen_presets.py",
    "pipeline/test_initial_weights.py",
    "pipeline/test_training.py",
    "pipeline/test_quantize.py",
    "measure/test_measure_emulated.py",
    "live/test_webcam_page.py",
    "pipeline/test_spiking.py",
    "spiking/test_foreign_simulators.py",
    "pipeline/test_package_reads.py",
    "codegen/test_codegen_cortex_m4.py",
    "pipeline/test_notebooks.py",
    "codegen/test_codegen_nets.py",
    "synth/test_synth_generate.py",
    "codegen/test_fuzz_slice.py",
    "firmware/test_cortex_m4_counts.py",
    "firmware/test_emulate.py",
    "pipeline/test_package_spresense.py",
)


def pytest_collection_modifyitems(config, items):
    """The long files first, each as it was; then the rest, by folder."""
    tests = config.rootpath / "tests"
    place = {tests / name: position for position, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    """Fixed width, no colours, no configuration from outside."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    for name in list(os.environ):
        if name.startswith("TINYTRACKER_"):
            monkeypatch.delenv(name)
