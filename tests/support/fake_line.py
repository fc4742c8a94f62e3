"""A board behind a pty or a TCP port that does what a test wants: records good and bad, silence, an end."""

from __future__ import annotations

import os
import pty
import select
import shutil
import socket
import tempfile
import threading
import tty
import zlib
from contextlib import suppress
from pathlib import Path

from tinytracker.measure.host_clock import now_ns

HELLO = (
    "m-tt-protocol-[1]", "m-tt-board-[fake]", "m-tt-build-[test]", f"m-tt-model-[{'5' * 64}]",
    "m-tt-time-[1000000,device]", "m-tt-source-[camera]", "m-tt-phases-[capture,preprocess,inference]",
    "m-tt-input-[0,image,uint8,1x4x4x1,3c000000,128,16]", "m-tt-output-[0,gaze,int8,1x2,3dcccccd,3,2]",
)  # fmt: skip


def with_crc(name: str, body: str) -> str:
    return f"m-tt-{name}-[{body},{zlib.crc32(body.encode()):08x}]"


def record(sequence: int, ticks: int = 1000, outputs: str = "0d17") -> str:
    stamps = ",".join(str(ticks + t) for t in (0, 100, 120, 420))
    return with_crc("frame", f"{sequence},{stamps},{outputs}")


class FakeLine:
    """Answers commands; `frame(board, sequence)` writes what stands for a frame.

    Attributes:
        port: path for the host; it names nothing once the line is unplugged, as with a USB device. Another board may
            get the pty's own name at once, also one of another process.
        commands: what the host has sent.
        hello: lines of the description.
    """

    def __init__(self, frame=None, hello=HELLO, clock=True, tcp=False, shell=False):
        self._shell = shell
        self._server = None
        self._slave = -1
        self._folder = Path(tempfile.mkdtemp(prefix="fake-line-"))
        if tcp:
            self._server = socket.create_server(("127.0.0.1", 0))
            self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
            self._fd = -1
        else:
            self._fd, self._slave = pty.openpty()
            tty.setraw(self._slave)
            name = self._folder / "port"
            name.symlink_to(os.ttyname(self._slave))
            self.port = str(name)
        self.hello, self.commands, self.images = hello, [], []
        self._clock = clock
        self._frame = frame or (lambda board, sequence: board.say(record(sequence, board.ticks())))
        self._sequence = 0
        self._unread = b""
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unplug()
        self._thread.join(5)
        if not self._thread.is_alive():
            for fd in (self._fd, self._slave):
                if fd >= 0:
                    os.close(fd)

    def ticks(self) -> int:
        return now_ns() // 1000

    def say(self, *lines: str) -> None:
        self.write("".join(f"{line}\r\n" for line in lines).encode())

    def write(self, data: bytes) -> None:
        while self._open and data:
            data = data[os.write(self._fd, data) :]

    def unplug(self) -> None:
        """Close the line. What a host behind a pty has not read by then is lost to it; over TCP it still arrives.

        The file descriptors are kept, and lead nowhere: the thread may be about to use them, and must not find another
        file there.
        """
        if self._open:
            self._open = False
            shutil.rmtree(self._folder)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for fd in (self._fd, self._slave):
                if fd >= 0:
                    os.dup2(nowhere, fd, inheritable=False)
            os.close(nowhere)
            if self._server is not None:
                with suppress(OSError):
                    self._server.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection
                self._server.close()

    def _in_shell(self) -> bool:
        """NuttX's shell, until it is told to start the application; False when the line ends before."""
        while b"tinytracker\r" not in self._unread:
            if not self._more():
                return False
            self.write(self._unread[-20:])  # it echoes
            if b"\r" in self._unread and b"tinytracker" not in self._unread:
                self._unread = b""
                self.write(b"nsh: command not found\r\nnsh> ")
        self._unread = b""
        self.say("", "m-init-done", "m-ready")
        return True

    def _more(self) -> bool:
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            return False
        self._unread += data
        return bool(data)

    def _serve(self) -> None:
        if self._server is not None:
            try:
                self._fd = self._server.accept()[0].detach()
            except OSError:
                return
        if self._shell and not self._in_shell():
            return
        while self._open:
            while b"%" not in self._unread:
                if not self._more():
                    return
            command, self._unread = self._unread.split(b"%", 1)
            self.commands.append(command.decode())
            try:
                self._answer(self.commands[-1].split())
            except OSError:
                return

    def _answer(self, words: list[str]) -> None:
        if words[:2] == ["tt", "hello"]:
            self.say(*self.hello)
        elif words[:2] == ["tt", "clock"] and self._clock:
            self.say(with_crc("clock", f"{words[2]},{self.ticks()},{self.ticks()}"))
        elif words[:2] == ["tt", "load"]:
            self.say(f"m-tt-send-[{words[2]}]")
            while len(self._unread) < int(words[2]):
                if not self._more():
                    return
            image, self._unread = self._unread[: int(words[2])], self._unread[int(words[2]) :]
            self.images.append(image)
            self.say(f"m-tt-loaded-[{words[2]},{zlib.crc32(image):08x}]")
        elif words[:2] == ["tt", "frame"]:
            done = 0
            while done < int(words[2]) and self._open:
                self._frame(self, self._sequence)
                self._sequence += 1
                done += 1
                if self._unread or (self._open and select.select([self._fd], [], [], 0)[0]):
                    break  # as the boards do: any byte ends frames
            self.say(f"m-tt-frames-[{done}]")
        elif not words:
            self.say("e-[Empty command]")
        self.say("m-ready")
