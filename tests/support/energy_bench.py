"""Stand-ins for the two devices that MLPerf Tiny's energy mode puts around a board: IO manager and LPM01A.

The IO manager relays commands to the board's UART and its answers back. The meter's own line is a pty, too; between
`start` and `stop` it sends samples of energy at a nominal 1,000 per second, as its text format has them. Its time is
not that of a clock: when the board says that it begins an inference, the meter sends an event, a window of a given
length, and an event, at once. A real meter sees the edges on the board's trigger pin.
"""

import os
import pty
import select
import threading
import tty
from contextlib import suppress

import serial
from support.mlperf_traces import lpm01a_number

RATE = 1000
IDLE_SAMPLES = 400


class _Line:
    """A pty whose other end is a program's serial port: `port`."""

    def __init__(self):
        self.end, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.end, False)
        self.port = os.ttyname(self._slave)
        self._open = True

    def send(self, text):
        data = text.encode()
        while data and self._open:
            if select.select([], [self.end], [], 0.05)[1]:
                with suppress(BlockingIOError):
                    data = data[os.write(self.end, data) :]

    def stop(self):
        """What a program no longer reads holds up nobody."""
        self._open = False

    def close(self):
        os.close(self.end)
        os.close(self._slave)


class MeterStandIn:
    """An LPM01A set up by commands; `said` is all that it has sent.

    What the board says after its inferences reaches the host only when `said` has their whole window.

    Args:
        window_s: length of each window; window_uj: energy of one sample within each, in µJ; beyond them 0.5 µJ.
    """

    def __init__(self, window_s, window_uj):
        self.line, self.said, self.commands = _Line(), "", []
        self.port = self.line.port
        self._window, self._uj = round(window_s * RATE), list(window_uj)
        self._running, self._samples, self._events = False, 0, 0
        self._lock = threading.Lock()

    def serve(self, data):
        """Answer the commands in some bytes."""
        for command in data.decode().split("\r\n"):
            if command:
                self._answer(command)

    def _answer(self, command):
        self.commands.append(command)
        with self._lock:
            if command == "stop":
                self._running = False
                self._say("PowerShield > ack stop\r\nPowerShield > Acquisition completed\r\n")
                return
            self._say(f"PowerShield > ack {command}\r\n")
            if command == "start":
                self._running, self._samples = True, 0
                self._say_samples(IDLE_SAMPLES, 0.5)

    def window(self):
        """The board runs its inferences now."""
        with self._lock:
            if self._running:
                self._say_event()
                self._say_samples(self._window, self._uj.pop(0))
                self._say_event()
                self._say_samples(IDLE_SAMPLES, 0.5)

    def _say_event(self):
        self._say(f"event {self._events} ris\r\n")
        self._events += 1

    def _say_samples(self, count, microjoules):
        text = []
        for _ in range(count):
            if self._samples % RATE == 0:
                text.append(f"TimeStamp: {self._samples // RATE:03d}s 000ms, buff 00%")
            text.append(lpm01a_number(microjoules * 1e-6))
            self._samples += 1
        self._say("".join(line + "\r\n" for line in text))

    def _say(self, text):
        self.said += text
        self.line.send(text)


class EnergyBench:
    """IO manager (`port`) between a host and a board's UART, and a meter (`meter.port`)."""

    def __init__(self, uart_port, meter):
        self.meter, self._line, self._uart_port = meter, _Line(), uart_port
        self.port = self._line.port
        self._uart, self._said, self._asked = None, b"", b""
        self._open = True
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._relay, self._measure)]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open = False
        self._line.stop()
        self.meter.line.stop()
        for thread in self._threads:
            thread.join()
        if self._uart is not None:
            self._uart.close()
        self._line.close()
        self.meter.line.close()

    def _measure(self):
        """In a thread of its own: a meter answers while the board is busy."""
        while self._open:
            if select.select([self.meter.line.end], [], [], 0.05)[0]:
                self.meter.serve(os.read(self.meter.line.end, 4096))

    def _relay(self):
        while self._open:
            if select.select([self._line.end], [], [], 0.005)[0]:
                *commands, self._asked = (self._asked + os.read(self._line.end, 4096)).split(b"%")
                for command in commands:
                    self._command(command.decode())
            if self._uart is not None and (data := self._uart.read(4096)):
                *lines, self._said = (self._said + data).split(b"\n")
                for line in lines:
                    self._from_board(line.decode(errors="replace").strip())

    def _command(self, text):
        verb, _, rest = text.partition(" ")
        if verb == "setbaud":
            self._uart = serial.Serial(self._uart_port, int(rest), timeout=0)
            self._line.send("m-ready\r\n")
        elif verb == "dut":
            self._line.send(f"m-dut-[{rest[:8]}]\r\nm-ready\r\n")
            self._uart.write(rest.encode() + b"%")

    def _from_board(self, text):
        self._line.send(f"[dut]: {text}\r\n")
        if text.startswith("m-infer-start-"):
            self.meter.window()
