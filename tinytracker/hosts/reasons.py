"""What a foreign library says when it refuses a network, as part of a sentence."""

from __future__ import annotations

_LONGEST = 300


def reason_of(error: Exception) -> str:
    """Return the message on one line, without a full stop and not too long."""
    return (" ".join(str(error).split()) or type(error).__name__)[:_LONGEST].rstrip(".")
