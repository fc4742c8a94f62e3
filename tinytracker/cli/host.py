"""Options of a network that runs on this computer: runtime, threads, device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tinytracker.errors import UsageError
from tinytracker.hosts.runtimes import RUNTIMES, HostOptions

HOST = "host"
"""The target whose board is this computer."""

_F = TypeVar("_F", bound=Callable[..., Any])
_DEVICES = "; ".join(f"{r.name}: {', '.join(r.devices)}" for r in RUNTIMES.values() if r.devices)

_OPTIONS = (
    click.option(
        "--runtime", type=click.Choice(list(RUNTIMES)), help=f"Runtime of the target {HOST}; default: tflite."
    ),
    click.option(
        "--threads", type=click.IntRange(1, 1024), help=f"Threads of one inference on {HOST}; default: 1."
    ),
    click.option("--device", help=f"What the runtime uses; default: the first. {_DEVICES}."),
    click.option(
        "--xnnpack/--no-xnnpack", default=None, help="Whether TFLite uses XNNPACK; default: it does."
    ),
)


def host_options(command: _F) -> _F:
    """Add --runtime, --threads, --device and --xnnpack."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen_host(
    target: str, runtime: str | None, threads: int | None, device: str | None, xnnpack: bool | None
) -> HostOptions | None:
    """Return the options for this computer; None for any other target.

    Raises:
        UsageError: one was given for another target.
    """
    given = {"--runtime": runtime, "--threads": threads, "--device": device, "--xnnpack": xnnpack}
    if target != HOST:
        wrong = next((name for name, value in given.items() if value is not None), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong}: {target} has its own runtime.", f"Omit {wrong}, or measure with --target {HOST}."
            )
        return None
    return HostOptions(runtime or "tflite", threads or 1, (device or "").upper(), xnnpack is not False)
