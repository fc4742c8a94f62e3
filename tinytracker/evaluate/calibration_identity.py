"""Whose calibration this is, of which network and which screen; and whether it may be applied here."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from tinytracker.errors import CalibrationError

Edges = tuple[float, float, float, float]

_SAME_CM = 0.2


class Identity(BaseModel):
    """What a calibration was made with. What is not known is None.

    Attributes:
        model_sha256: of the network's file, as the board names it.
        target: board. screen_cm: x_min, y_min, x_max, y_max of the screen with the dots, cm from the camera.
        created: ISO 8601, UTC. person: a label.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    target: str | None = None
    screen_cm: Edges | None = None
    created: str | None = None
    person: str | None = None

    def described(self) -> str:
        """In a line."""
        known = (
            ("person", self.person), ("made", self.created), ("on", self.target),
            ("network", self.model_sha256 and self.model_sha256[:12]),
            ("screen", self.screen_cm and f"{self.screen_cm[2] - self.screen_cm[0]:g} × "
             f"{self.screen_cm[3] - self.screen_cm[1]:g} cm"),
        )  # fmt: skip
        return ", ".join(f"{name} {value}" for name, value in known if value) or "identity unknown"


class Dot(BaseModel):
    """A dot that the person looked at.

    Attributes:
        true_cm: where it was. predicted_cm: median of what the network answered. frames: how many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    true_cm: tuple[float, float]
    predicted_cm: tuple[float, float]
    frames: int = Field(ge=1)


def today() -> str:
    """This moment for `Identity.created`."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def remarks_on(
    identity: Identity | None, model_sha256: str, screen_cm: Edges | None = None
) -> tuple[str, ...]:
    """What to say when a calibration is applied to a network and a screen.

    Args:
        identity: of the calibration; None for an old file.
        model_sha256: of the network here; "" when it is not known.
        screen_cm: edges of the screen here; None where there is none.

    Raises:
        CalibrationError: it was made for another network.
    """
    made_for = None if identity is None else identity.model_sha256
    if made_for and model_sha256 and made_for != model_sha256:
        raise CalibrationError(
            f"This calibration was made for the network {made_for[:12]}, and {model_sha256[:12]} runs here.",
            "Calibrate anew with this network, or name another file.",
        )
    return tuple(_remarks(identity, made_for, screen_cm))


def _remarks(identity: Identity | None, made_for: str | None, screen_cm: Edges | None) -> Iterator[str]:
    if not made_for:
        yield "It is not known for which network this calibration was made."
    there = None if identity is None else identity.screen_cm
    if there and screen_cm and any(abs(a - b) > _SAME_CM for a, b in zip(there, screen_cm, strict=True)):
        yield "This calibration was made on another screen."
