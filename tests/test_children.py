"""No program that we start outlives us, however we end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinytracker.children import ended_with_us

ROOT = Path(__file__).parents[1]
SINGLE = """
import subprocess, sys, time
from tinytracker.children import ends_with_parent
child = subprocess.Popen(["sleep", "60"], preexec_fn=ends_with_parent())
print(child.pid, flush=True)
time.sleep(60)
"""
GROUP = """
import subprocess, sys, time
from tinytracker.children import ended_with_us
child = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, start_new_session=True)
with ended_with_us(child):
    print(int(child.stdout.readline()), flush=True)
    time.sleep(60)
"""


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition):
    for _ in range(2400):
        if condition():
            return True
        time.sleep(0.025)
    return False


@pytest.mark.parametrize("program", [SINGLE, GROUP], ids=["a program", "what a program started"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_its_children_along(program, number):
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as parent:
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(number)
        parent.wait()
        assert wait_until(lambda: not alive(child))


def test_a_child_that_is_done_is_left_alone():
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as child:
        with ended_with_us(child):
            pass
        time.sleep(0.1)
        assert child.poll() is None
        child.kill()
