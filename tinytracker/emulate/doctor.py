"""Requirements of the emulated board."""

from __future__ import annotations

from tinytracker.requirements import Part, program_part


def parts() -> list[Part]:
    """Return the state of the cross compiler and the emulator."""
    return [
        program_part(
            "arm-none-eabi-gcc", "emulate, make firmware", "gcc-arm-none-eabi libnewlib-arm-none-eabi"
        ),
        program_part("qemu-system-arm", "emulate", "qemu-system-arm"),
    ]
