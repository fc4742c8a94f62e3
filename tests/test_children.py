"""No program that we start outlives us, however we end.

Nothing here waits for a time: every program reads a pipe that the test holds, so it ends with the test at the latest.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.processes import has_ended, is_alive

from tinytracker.children import ended_with_us

ROOT = Path(__file__).parents[1]
SINGLE = """
import subprocess
from tinytracker.children import ends_with_parent
child = subprocess.Popen(["cat"], preexec_fn=ends_with_parent())
print(child.pid, flush=True)
child.wait()
"""
# A shell gives a background program another standard input, unless it has a number of its own.
GROUP = """
import subprocess
from tinytracker.children import ended_with_us
script = "exec 3<&0; cat <&3 & echo $!; wait"
child = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
with ended_with_us(child):
    print(int(child.stdout.readline()), flush=True)
    child.wait()
"""


@pytest.mark.parametrize("program", [SINGLE, GROUP], ids=["a program", "what a program started"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_its_children_along(program, number):
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(number)
        # Not `parent.wait()`, which closes the pipe first: the child would end without being killed.
        assert has_ended(parent.pid)
        assert has_ended(child)


def test_a_child_that_is_done_is_left_alone():
    with subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        with ended_with_us(child):
            pass
        # A signal that had been sent would end it before it reads.
        answer, _ = child.communicate(b"still here")
    assert answer == b"still here"
    assert child.returncode == 0
