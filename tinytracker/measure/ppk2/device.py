"""A PPK2 on its serial port: identify, start, stop, read bytes.

Mode and supply are left as they are: a board that is being measured must not lose its supply.
"""

from __future__ import annotations

import os
import select
import time
from types import TracebackType
from typing import Any

from tinytracker.errors import DeviceError, UnpluggedError, UsageError
from tinytracker.measure.ppk2.calibration import END, Calibration, parse_metadata

_START, _STOP, _METADATA = b"\x06", b"\x07", b"\x19"
_USB = (0x1915, 0xC00A)
_BAUD_RATE = 115_200  # no effect: the port is USB
_READ_BYTES = 1 << 16
_QUIET_S = 0.2
_ANSWER_S = 3.0


def find_port() -> str:
    """The port of the only PPK2 that is plugged in.

    Raises:
        UsageError: there is no meter, or several.
    """
    from serial.tools import list_ports

    # The meter has a second port in newer firmware; the first one is that of samples.
    meters: dict[str, str] = {}
    for port in sorted(list_ports.comports(), key=lambda p: str(p.device)):
        if (port.vid, port.pid) == _USB:
            meters.setdefault(port.serial_number or port.device, port.device)
    if len(meters) == 1:
        return next(iter(meters.values()))
    said = f"There are several: {', '.join(meters.values())}." if meters else "No PPK2 is plugged in."
    raise UsageError("The port of the PPK2 is not known.", f"Give --power ppk2:PORT. {said}")


class Ppk2:
    """An open meter; use it as a context manager, which stops it at the end.

    Attributes:
        name: of the port. calibration: what it says about itself.

    Raises:
        DeviceError: it cannot be opened, or does not answer as a PPK2 does.
        MetadataError: it has no usable calibration.
    """

    calibration: Calibration

    def __init__(self, port: str) -> None:
        import serial

        self.name = port
        try:
            self._port: Any = serial.Serial(
                port, _BAUD_RATE, timeout=0, write_timeout=_ANSWER_S, exclusive=True
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise DeviceError(
                port, f"the meter cannot be opened ({error})", "Close other programs that use it."
            ) from None
        try:
            self._write(_STOP)
            self._drain()
            self.calibration = parse_metadata(self._ask())
        except BaseException:
            self._port.close()
            raise

    def __enter__(self) -> Ppk2:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or not issubclass(kind, UnpluggedError):
                self._write(_STOP)
        except UnpluggedError:
            pass
        finally:
            self._port.close()

    def start(self) -> None:
        """Start sending samples."""
        self._write(_START)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; empty when nothing has within the time.

        Raises:
            UnpluggedError: it was disconnected.
        """
        try:
            ready, _, _ = select.select([self._port.fileno()], [], [], timeout_s)
            if not ready:
                return b""
            data = os.read(self._port.fileno(), _READ_BYTES)
        except (OSError, ValueError) as error:
            raise self._gone() from error
        if not data:
            raise self._gone()
        return data

    def _write(self, data: bytes) -> None:
        import serial

        try:
            self._port.write(data)
        except (OSError, serial.SerialException) as error:
            raise self._gone() from error

    def _drain(self) -> None:
        """Samples that were on their way."""
        end = time.monotonic() + _ANSWER_S
        while self.read(_QUIET_S):
            if time.monotonic() > end:
                raise DeviceError(
                    self.name, "the meter does not stop sending", "Unplug it and plug it in again."
                )

    def _ask(self) -> str:
        self._write(_METADATA)
        answer = b""
        end = time.monotonic() + _ANSWER_S
        while END not in answer:
            left = end - time.monotonic()
            if left <= 0:
                said = "nothing" if not answer else "something else"
                raise DeviceError(
                    self.name,
                    f"no PPK2 answers on this port; received: {said}",
                    "Check that the port is right.",
                )
            answer += self.read(left)
        return answer.decode("ascii", "replace")

    def _gone(self) -> UnpluggedError:
        return UnpluggedError(self.name, "the meter was disconnected", "Plug it in and measure again.")
