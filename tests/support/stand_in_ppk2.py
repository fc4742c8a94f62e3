"""A stand-in for a PPK2: not a meter, a program on a pty that answers as one and sends samples of known currents."""

import os
import pty
import select
import threading
import time
import tty

import numpy as np

RATE_HZ = 100_000
SUPPLY_V = 3.3
BLOCK = 200
# Shunts like those of real meters; offsets and gains differ by range, so that a mixed-up constant shows.
CONSTANTS = {
    "R": (1031.64, 101.65, 10.15, 0.94, 0.043),
    "O": (112.92, 89.65, 85.31, 85.72, 90.0),
    "GS": (0.0, 1.5, 0.4, 0.03, 0.001),
    "GI": (1.0, 0.97, 0.98, 0.995, 0.96),
    "S": (1e-9, 2e-9, 3e-8, 4e-7, 5e-6),
    "I": (-1e-9, 2e-8, -3e-7, 4e-6, -5e-5),
    "UG": (1.0, 1.01, 0.99, 1.0, 1.02),
}
RANGE_ENDS_A = (50e-6, 500e-6, 5e-3, 50e-3)
_VOLTS_PER_CODE = 1.8 / 163840


def metadata_text(mode=1, vdd_mv=3300, **changes):
    lines = ["Calibrated: 0"]
    for name, values in (CONSTANTS | changes).items():
        lines += [f"{name}{k}: {value}" for k, value in enumerate(values)]
    return "\n".join([*lines, f"VDD: {vdd_mv}", "HW: 37741", f"mode: {mode}", "IA: 56", "END", ""])


def range_for(current_a):
    return np.searchsorted(RANGE_ENDS_A, current_a)


def current_of(code, k):
    """A, from a code of 14 bits in range k, term by term."""
    c = {name: values[k] for name, values in CONSTANTS.items()}
    shunt_a = (4 * code - c["O"]) * _VOLTS_PER_CODE / c["R"]
    return c["UG"] * (c["GS"] * shunt_a**2 + c["GI"] * shunt_a + c["S"] * SUPPLY_V + c["I"])


def code_for(current_a, k):
    """The code whose current comes nearest, by bisection."""
    low, high = 0, (1 << 14) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if current_of(middle, k) <= current_a else (low, middle)
    return min(low, high, key=lambda code: abs(current_of(code, k) - current_a))


def words(current_a, levels, first=0):
    """The meter's words for currents (N,) A and levels (N,); the counter of the first sample is that of `first`."""
    ranges = range_for(current_a)
    codes = {pair: code_for(*pair) for pair in set(zip(current_a.tolist(), ranges.tolist(), strict=True))}
    code = np.array(
        [codes[pair] for pair in zip(current_a.tolist(), ranges.tolist(), strict=True)], np.uint32
    )
    counter = (first + np.arange(len(code))) % 64
    return (
        code
        | ranges.astype(np.uint32) << 14
        | counter.astype(np.uint32) << 18
        | levels.astype(np.uint32) << 24
    ).astype("<u4")


class StandInPpk2:
    """Sends `stream` (words) over and over, from the start command on, as fast as it is read.

    Args:
        stream: words whose number is a multiple of 64, so that the counter continues.
        real_time: no faster than at the meter's rate.
        lose: from and to in s: samples that are not sent. cut: (s, bytes) to leave out once. vanish: s after which the
            line closes.

    Attributes:
        port: for the recorder. commands: bytes that came. sent: samples since the start command, lost ones included.
    """

    def __init__(self, stream, answer=None, lose=None, cut=None, vanish=None, real_time=False):
        self._fd, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._fd, False)
        self.port = os.ttyname(self._slave)
        self._bytes = np.asarray(stream, "<u4").tobytes()
        self._answer = metadata_text() if answer is None else answer
        self._lose, self._cut, self._vanish, self._real_time = lose, cut, vanish, real_time
        self._left_out = [(lose[0], 4 * round((lose[1] - lose[0]) * RATE_HZ))] if lose else []
        self._left_out += [cut] if cut else []
        self.commands, self.sent = b"", 0
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open = False
        self._thread.join()
        self._close()

    def _close(self):
        for fd in (self._fd, self._slave):
            if fd is not None:
                os.close(fd)
        self._fd = self._slave = None

    def time_at(self, received):
        """The meter's time, s since its start, of the last of so many bytes of samples."""
        for at, count in self._left_out:
            received += count if received > 4 * at * RATE_HZ else 0
        return received / 4 / RATE_HZ

    def _run(self):
        started = None
        while self._open:
            waits = 0 if started is not None and not self._real_time else 0.002
            ready, _, _ = select.select([self._fd], [], [], waits)
            for command in os.read(self._fd, 64) if ready else b"":
                self.commands += bytes([command])
                if command == 0x19:
                    os.write(self._fd, self._answer.encode())
                elif command == 0x06:
                    started, self.sent = time.monotonic(), 0
                elif command == 0x07:
                    started = None
            if started is not None:
                due = int((time.monotonic() - started) * RATE_HZ) if self._real_time else self.sent + BLOCK
                self._send(self.sent, due)
                self.sent = due
                if self._vanish is not None and due > self._vanish * RATE_HZ:
                    self._close()
                    return

    def _send(self, first, last):
        samples = len(self._bytes) // 4
        keep = [
            k for k in range(first, last) if not (self._lose and self._lose[0] <= k / RATE_HZ < self._lose[1])
        ]
        data = b"".join(self._bytes[4 * (k % samples) : 4 * (k % samples) + 4] for k in keep)
        if self._cut and first <= self._cut[0] * RATE_HZ < last:
            data, self._cut = data[self._cut[1] :], None
        while data and self._open:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                time.sleep(0.001)
