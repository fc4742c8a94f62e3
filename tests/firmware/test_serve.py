"""`tinytracker emulate --serve`: another program talks to the board, a signal ends it."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial
from support.tflite_nets import NetBuilder

from tinytracker.measure.link import open_link

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")


def test_the_board_is_served_until_a_signal(tmp_path):
    net = NetBuilder((1, 4, 4, 1))
    net.conv(4, 3, 2)
    net.mean()
    net.dense(2)
    model = tmp_path / "model.tflite"
    model.write_bytes(net.build())
    command = [sys.executable, "-m", "tinytracker.cli.main", "emulate", model, "--serve", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        said = process.stderr.readline()
        port = re.search(r"/dev/\S+", said)[0].rstrip(",")
        for _ in range(2):  # one host after the other
            with open_link(port, silence_s=60) as link:
                assert link.board.is_emulated
        emulator = next(int(p.name) for p in Path("/proc").iterdir() if _is_child(p, process.pid))
        with serial.Serial(port, 9600, timeout=60) as host:
            host.write(b"name%")
            assert host.read_until(b"m-ready\r\n") == b"m-name-dut-[qemu-mps2-an386]\r\nm-ready\r\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f'"port": "{port}"' in out
    assert not Path(f"/proc/{emulator}").exists()


def _is_child(entry, parent):
    try:
        return entry.name.isdigit() and (entry / "stat").read_text().rsplit(")", 1)[1].split()[1] == str(
            parent
        )
    except OSError:
        return False
