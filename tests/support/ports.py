"""Ports that a test gives away before they are used."""

from __future__ import annotations

import os
import re
import socket

_FIRST, _EACH = 21_000, 500


def unused_port(place: int = 0) -> int:
    """Return a port of this computer that nobody uses, and that stays so.

    A port that the kernel has chosen for a moment may be chosen again, for others. These are below those that it
    chooses from (/proc/sys/net/ipv4/ip_local_port_range, 32768 and up), and each worker of pytest has its own.

    Args:
        place: a number for each port that a test needs at once, from 0.
    """
    worker = re.search(r"\d+$", os.environ.get("PYTEST_XDIST_WORKER", ""))
    first = _FIRST + _EACH * (int(worker[0]) + 1 if worker else 0) + 100 * place
    for port in range(first, first + 100):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port from {first} on is unused")
