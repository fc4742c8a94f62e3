"""A stand-in for a UART between a host and the emulated board, whose own line has no rate.

Bytes pass when both sides have the same rate. Else they arrive as what a receiver makes of another rate: bytes that are
no characters. The host's rate is that of its terminal; the board tells its own when it changes it.

A command arrives as no more bytes than make the board change its rate. The board throws away what follows them until
the line is silent for 50 ms of its own time, which may pass on the emulated board while the host is busy elsewhere.
"""

import os
import pty
import re
import select
import termios
import threading
import tty

RATES = {termios.B9600: 9600, termios.B115200: 115200}
GARBAGE = b"\x80\xfe\xf8"
OVERLONG = b"x" * 81 + b"%"


class RatedLine:
    """Relays between `port`, for the host, and the emulated board's port; counts bytes that were garbled."""

    def __init__(self, board_port):
        self._board = os.open(board_port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._board)
        self._wait_for_board()
        self._host, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.board_rate, self.garbled = 115200, 0
        self._asked, self._said = b"", b""
        self._open = True
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open = False
        self._thread.join()
        for fd in (self._board, self._host, self._slave):
            os.close(fd)

    def _wait_for_board(self):
        """Until it has started: what it says of that may be lost or late, and is not for the host.

        It answers a command that is too long, but does not yet take it as a sign that the rate is right.
        """
        os.write(self._board, OVERLONG)
        said = b""
        while not re.search(rb"e-\[Command longer[^\n]*\n[^\n]*m-ready\r\n", said):
            assert select.select([self._board], [], [], 60)[0], f"the board does not start: {said!r}"
            said += os.read(self._board, 4096)

    def _relay(self):
        while self._open:
            ready, _, _ = select.select([self._board, self._host], [], [], 0.05)
            for fd in ready:
                data = os.read(fd, 4096)
                if fd == self._host:
                    *commands, self._asked = (self._asked + data).split(b"%")
                    for command in commands:
                        self._pass(command + b"%", self._board)
                else:
                    self._from_board(data)

    def _from_board(self, data):
        """Whole lines: the one that tells the mode is already at the new rate."""
        *lines, self._said = (self._said + data).split(b"\n")
        for line in lines:
            for mode, rate in ((b"energy", 9600), (b"performance", 115200)):
                if line.startswith(b"m-timestamp-mode-" + mode):
                    self.board_rate = rate
            self._pass(line + b"\n", self._host)

    def _pass(self, data, to):
        host_rate = RATES.get(termios.tcgetattr(self._slave)[5])
        if host_rate is None:
            return  # nobody has opened it yet
        if host_rate != self.board_rate:
            self.garbled += len(data)
            data = GARBAGE
        while data:
            data = data[os.write(to, data) :]
