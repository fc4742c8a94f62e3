"""Requirements of packages for the Raspberry Pi Pico 2."""

from __future__ import annotations

from tinytracker.requirements import Part, program_part


def parts() -> list[Part]:
    """Return the state of the host's compiler, with which the generated C is compared with the oracle."""
    return [program_part("cc", "package --target pico2", "gcc")]
