"""The part of a package's README about its use on the board."""

from __future__ import annotations


def use_section(is_gaze: bool) -> str:
    """Return Markdown; `is_gaze` adds the page that shows the gaze."""
    return _USE + (_GAZE if is_gaze else "")


_USE = """\
## Use

`tinytracker/` is a program for the Pico SDK 2.x:

```sh
cmake -B out -S tinytracker -DPICO_SDK_PATH=path/to/pico-sdk
make -C out -j4
```

Hold BOOTSEL while you connect the board, and copy `out/tinytracker.uf2` to the drive that appears. The board then
speaks the project's serial protocol over USB; it has no camera, so images come over the same line. With
`-DTINYTRACKER_COPY_TO_RAM=ON` the program runs from RAM instead of flash, if it fits.

The network alone is in `tinytracker/network/`: C99 without heap, library or operating system. `model.h` declares its
functions; its memory is one static array of `MODEL_ARENA_BYTES`.
"""

_GAZE = """
`tinytracker measure --target pico2` measures it, and `tinytracker live --target pico2` shows the gaze.
"""
