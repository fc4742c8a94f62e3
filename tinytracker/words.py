"""Words of messages."""

from __future__ import annotations


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 frame", "2,000 frames".

    Args:
        n: how many.
        noun: of one.
        plural: of any other number; with an s behind it unless given.
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def too_few(n: int, noun: str, plural: str = "") -> str:
    """Return the beginning of a refusal: "1 dot is too few", "2 dots are too few"; arguments as in `counted`."""
    return f"{counted(n, noun, plural)} {'is' if n == 1 else 'are'} too few"
