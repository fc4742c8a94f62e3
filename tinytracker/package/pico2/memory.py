"""Memory of a Raspberry Pi Pico 2, and what the application takes of it."""

from __future__ import annotations

RAM_BYTES = 512 * 1024
"""Main SRAM in one piece (the SDK's memmap_default.ld); two banks of 4 KB beside it hold the stacks of the cores."""

FLASH_BYTES = 4 * 1024 * 1024
"""Flash of the board, which holds code and constants."""

APPLICATION_RAM_BYTES = 32 * 1024
"""RAM of the application without the network: the SDK, USB and the session; an upper estimate."""

APPLICATION_FLASH_BYTES = 128 * 1024
"""Flash of the application without the network; an upper estimate."""


def ram_needed(arena_bytes: int, input_bytes: int, output_bytes: int) -> int:
    """Return the RAM of the network in the application: the arena, a received image, and the results."""
    return arena_bytes + input_bytes + output_bytes + APPLICATION_RAM_BYTES


def flash_needed(constant_bytes: int) -> int:
    """Return the flash of the whole program."""
    return constant_bytes + APPLICATION_FLASH_BYTES
