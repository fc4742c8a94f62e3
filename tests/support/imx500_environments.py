"""Fixtures: environments that slow tests make once, in the cache that the commands use."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tinytracker import isolated
from tinytracker.package.imx500 import environment

PICAMERA2 = "picamera2==0.3.38"
_CAPABILITY_HEADER = Path("/usr/include/sys/capability.h")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Tests run in several processes, which must not make the same environment together."""
    isolated.home().mkdir(parents=True, exist_ok=True)
    with (isolated.home() / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def converter() -> Path:
    """Sony's converter; installed (some minutes) when it is not there."""
    if environment.java_major(environment.java_version()) < environment.JAVA_MAJOR and not os.environ.get(
        "CI"
    ):
        pytest.skip(f"no Java: {environment.INSTALL_JAVA}")
    with one_at_a_time():
        return environment.setup().folder


@pytest.fixture
def with_converter(converter: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands in this test find the converter (other tests do not see TINYTRACKER_HOME)."""
    monkeypatch.setenv(isolated.HOME_VARIABLE, str(converter.parent))
    return converter


@pytest.fixture(scope="session")
def picamera2() -> Path:
    """A Python that has picamera2 from PyPI; installed (half a minute) when it is not there."""
    with one_at_a_time():
        return _install_picamera2(isolated.home() / "picamera2")


def _install_picamera2(folder: Path) -> Path:
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    if stamp.is_file() and stamp.read_text() == PICAMERA2:
        return python
    if not _CAPABILITY_HEADER.is_file() and not os.environ.get("CI"):
        pytest.skip("picamera2 needs headers to install: sudo apt install libcap-dev")
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-input", PICAMERA2], check=True)
    stamp.write_text(PICAMERA2)
    return python
