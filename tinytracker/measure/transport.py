"""Bytes to and from a board: a serial port or anything else that pyserial can open."""

from __future__ import annotations

import errno
import io
import json
import os
import select
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from contextlib import suppress
from typing import Any, Protocol

from tinytracker.errors import DeviceError, UnpluggedError, UsageError

BAUD_RATE = 115_200

_READ_BYTES = 65_536
_WRITE_BYTES = 512
SILENCE_S = 10.0
"""Timeout, s, for a board that sends nothing, or accepts nothing, in the middle of an exchange."""
_RPC_TIMEOUT_S = 10.0
_RPC_BYTES = 2048
_GONE = (errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)


class Transport(Protocol):
    """How a `Link` reaches its board."""

    name: str
    """Of the port, for messages."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, at the latest after this time; b"" when nothing has.

        Raises:
            UnpluggedError: the board was disconnected.
        """
        ...

    def send_command(self, text: str) -> None:
        """Send a command, given without its end."""
        ...

    def send_bytes(self, data: bytes) -> None:
        """Send an image."""
        ...

    def close(self) -> None:
        """Close the port."""
        ...


class SerialTransport:
    """A port that pyserial opens: a device or a pty by its path, `socket://HOST:PORT`, `rfc2217://HOST:PORT`.

    Args:
        port: its name.
        baud_rate: has no effect on USB, ptys and sockets.
        silence_s: timeout for a board that accepts nothing.

    Raises:
        UsageError: it is an address without a port.
        DeviceError: it cannot be opened.
    """

    def __init__(self, port: str, baud_rate: int = BAUD_RATE, silence_s: float = SILENCE_S) -> None:
        import serial

        _check_address(port)
        self.name = port
        self._silence_s = silence_s
        try:
            self._port: Any = serial.serial_for_url(
                port, baudrate=baud_rate, timeout=0, write_timeout=silence_s, exclusive=True
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise _cannot_open(port, error) from error
        # USB adapters of the FTDI kind hold bytes back for 16 ms to fill packets, unless configured not to.
        with suppress(AttributeError, OSError, ValueError, NotImplementedError):
            self._port.set_low_latency_mode(True)
        self._fd: int | None = None
        with suppress(AttributeError, io.UnsupportedOperation, OSError):
            self._fd = int(self._port.fileno())

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; see `Transport.read`."""
        import serial

        try:
            if self._fd is None:
                return self._read_slowly(timeout_s)
            # pyserial would ask a socket for one byte after the other.
            ready, _, _ = select.select([self._fd], [], [], timeout_s)
            if not ready:
                return b""
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return b""
        except (OSError, serial.SerialException, ValueError) as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone(None)
        return data

    def _read_slowly(self, timeout_s: float) -> bytes:
        self._port.timeout = timeout_s
        first = self._port.read(1)
        return bytes(first + self._port.read(self._port.in_waiting)) if first else b""

    def send_command(self, text: str) -> None:
        """Send a command."""
        self.send_bytes(text.encode("ascii") + b"%")

    def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        import serial

        try:
            # In pieces: pyserial's limit of time is for a whole call, and an image takes seconds at 115,200 baud.
            for at in range(0, len(data), _WRITE_BYTES):
                self._port.write(data[at : at + _WRITE_BYTES])
        except serial.SerialTimeoutException as error:
            raise DeviceError(
                self.name, f"the board has accepted nothing for {self._silence_s:g} s", "Reset it."
            ) from error
        except (OSError, serial.SerialException) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the port."""
        with suppress(OSError):
            self._port.close()

    def _gone(self, error: Exception | None) -> UnpluggedError:
        number = getattr(error, "errno", None)
        known = error is None or number in _GONE or number is None
        detail = "" if known else f" ({error})"
        return UnpluggedError(
            self.name, f"the board was disconnected{detail}", "Plug it in and measure again."
        )


class RpcTransport:
    """Records come over a serial port, commands go by JSON-RPC: Coral Dev Board Micro receives nothing over USB serial.

    Args:
        port: serial port of the board.
        url: of its server, for example http://10.10.10.1/jsonrpc.
        baud_rate: has no effect on USB.
    """

    def __init__(self, port: str, url: str, baud_rate: int = BAUD_RATE) -> None:
        self._serial = SerialTransport(port, baud_rate)
        self._url = url
        self._calls = 0
        self.name = port

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; see `Transport.read`."""
        return self._serial.read(timeout_s)

    def send_command(self, text: str) -> None:
        """Send a command."""
        self._call("command", line=text)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes in parts that the board's queue takes."""
        for at in range(0, len(data), _RPC_BYTES):
            self._call("bytes", base64=b64encode(data[at : at + _RPC_BYTES]).decode("ascii"))

    def close(self) -> None:
        """Close the port."""
        self._serial.close()

    def _call(self, method: str, **parameters: str) -> None:
        self._calls += 1
        content = {"jsonrpc": "2.0", "id": self._calls, "method": method, "params": parameters}
        request = urllib.request.Request(
            self._url, json.dumps(content).encode(), {"Content-Type": "application/json"}
        )
        hint = "Check that the board's network is up (ping 10.10.10.1) and that --rpc is its address."
        try:
            with urllib.request.urlopen(request, timeout=_RPC_TIMEOUT_S) as answer:
                reply = json.loads(answer.read(_READ_BYTES) or b"{}")
        except (OSError, urllib.error.URLError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise DeviceError(self._url, f"the board's server does not answer ({reason})", hint) from error
        if isinstance(reply, dict) and reply.get("error"):
            raise DeviceError(self._url, f"the board's server refuses {method} ({reply['error']})")


def open_transport(
    port: str, *, rpc: str | None = None, baud_rate: int = BAUD_RATE, silence_s: float = SILENCE_S
) -> Transport:
    """The transport to a board.

    Args:
        port: serial port, pty or pyserial URL.
        rpc: URL of the JSON-RPC server that takes commands, when the port cannot.
        baud_rate: of a real serial line.
        silence_s: timeout for a serial board that accepts nothing.

    Raises:
        DeviceError: it cannot be opened.
    """
    return SerialTransport(port, baud_rate, silence_s) if rpc is None else RpcTransport(port, rpc, baud_rate)


def known_ports() -> list[str]:
    """Serial ports of this computer that have hardware behind them."""
    from serial.tools import list_ports

    return sorted(p.device for p in list_ports.comports() if p.vid is not None)


UsbNumber = tuple[int, int, str]
"""Vendor, product and serial number of a USB device."""


def usb_number(port: str) -> UsbNumber | None:
    """The device behind a port; None when it has no serial number of its own, or is not a USB device."""
    from serial.tools import list_ports

    found = next((p for p in list_ports.comports() if p.device == port and p.serial_number), None)
    return None if found is None else (found.vid, found.pid, found.serial_number)


def port_of(number: UsbNumber | None) -> str | None:
    """The port where a device is now: its name may have changed after it was unplugged."""
    from serial.tools import list_ports

    every = ((p.device, (p.vid, p.pid, p.serial_number)) for p in list_ports.comports())
    return next((device for device, found in every if found == number), None)


def _check_address(port: str) -> None:
    """Refuse an address without a port: pyserial would raise a bare Python error."""
    if not port.startswith(("socket://", "rfc2217://")):
        return
    try:
        missing = urllib.parse.urlsplit(port).port is None or not urllib.parse.urlsplit(port).hostname
    except ValueError:
        missing = True
    if missing:
        scheme = port.split(":")[0]
        raise UsageError(
            f"{port} does not name a host and a port from 0 to 65535.", f"Write {scheme}://HOST:PORT."
        )


def _cannot_open(port: str, error: Exception) -> DeviceError:
    number = getattr(error, "errno", None)
    ports = ", ".join(known_ports()) or "none"
    if number == errno.ENOENT:
        return DeviceError(port, "there is no such port", f"Ports with hardware: {ports}.")
    if number in (errno.EACCES, errno.EPERM):
        return DeviceError(
            port,
            "no permission to open it",
            "Join its group (sudo usermod -aG dialout $USER), then log in again.",
        )
    if number == errno.EBUSY or "exclusively lock" in str(error):
        return DeviceError(
            port, "another program has it open", "Close that program (a terminal, for example) first."
        )
    return DeviceError(port, f"cannot be opened ({error})", f"Ports with hardware: {ports}.")
