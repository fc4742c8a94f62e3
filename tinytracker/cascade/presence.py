"""Nobody there: after a while without eyes, few frames per second are looked at (deploy/common/tt_presence.c)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PresenceSettings:
    """When to look less often.

    Attributes:
        patience: frames without eyes in which every frame is still looked at.
        every: after that, one frame in so many is: 30 of 30 frames per second are one look per second.
    """

    patience: int = 60
    every: int = 30

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 1 <= value <= 1 << 20:
                raise ValueError(f"{name} is {value}; it must be from 1 to {1 << 20}")


class Presence:
    """Decides which frames are looked at while nobody is followed.

    Args:
        settings: or None for the defaults.

    Example:
        >>> presence = Presence(PresenceSettings(patience=2, every=3))
        >>> [presence.looks(following=False) for _ in range(8)]
        [True, True, False, False, True, False, False, True]
    """

    def __init__(self, settings: PresenceSettings | None = None) -> None:
        self._settings = settings or PresenceSettings()
        self._alone = 0  # frames without eyes; after patience, counted modulo `every`

    def looks(self, *, following: bool) -> bool:
        """Return whether this frame is looked at.

        Args:
            following: whether the controller follows eyes.
        """
        if following:
            self._alone = 0
            return True
        self._alone += 1
        beyond = self._alone - self._settings.patience
        if beyond < self._settings.every:
            return beyond <= 0
        self._alone = self._settings.patience
        return True
