"""RUN/adapt.json: which ways to adapt a network were compared, on which frames, and which one was kept."""

from __future__ import annotations

from typing import ClassVar

from tinytracker.documents import Document, Part

ADAPT_FILE = "adapt.json"
CALIBRATION_FILE = "calibration.json"

BUNDLED, CALIBRATED, HEAD, ALL = "bundled", "bundled + 9 dots", "head only", "all layers"
CANDIDATES = (BUNDLED, CALIBRATED, HEAD, ALL)
"""The ways that are compared, from the one that changes least to the one that changes most."""


class Gain(Part):
    """How much smaller one error is than another on the same frames.

    Attributes:
        than: the candidate that it is compared with.
        ratio: error / error of the other. difference_cm: error − error of the other; negative is better.
        ci95_cm: 95 % interval of the difference; frames of one dot, or of one person, are drawn together.
    """

    than: str
    ratio: float
    difference_cm: float
    ci95_cm: tuple[float, float]


class Candidate(Part):
    """One way to adapt, and its errors.

    Attributes:
        name: one of `CANDIDATES`.
        val_cm: mean error of the frames by which the best is chosen.
        val_gain: compared with the bundled weights there; unset for these.
        test_cm: mean error of the frames that decided nothing. test_gains: compared with the others there.
        fresh_cm: mean error of the frames that decided nothing when their sitting is calibrated with nine dots of its
            own, as `live` does; unset where there are too few dots. fresh_gain: compared with the bundled weights that
            are calibrated in the same way.
        seconds: of work.
    """

    name: str
    val_cm: float
    val_gain: Gain | None = None
    test_cm: float
    test_gains: tuple[Gain, ...] = ()
    fresh_cm: float | None = None
    fresh_gain: Gain | None = None
    seconds: float = 0.0

    @property
    def gain_on_measuring_frames(self) -> Gain | None:
        """Compared with the bundled weights on the frames that do not choose; None for these weights."""
        return next((gain for gain in self.test_gains if gain.than == BUNDLED), None)


class AdaptDocument(Document):
    """What `tinytracker adapt` compared and kept.

    Attributes:
        preset: of the network. source: the weights it began with. sessions: the folders.
        by: what is held out: "people", or "time" when there is one person.
        people: all labels. held_out: people of whom no frame was trained on; empty when time is held out.
        frames, dots: by split. candidates: compared. kept: the name of the best one.
        contradicted: on the frames that decided nothing, the mean error of the kept one is larger than that of the
            bundled weights.
        withdrawn: the name of the one that the choosing frames had chosen, and the measuring frames took back; "" for
            none. Then no frame is left that decided nothing.
        seconds: of work altogether.
    """

    title: ClassVar[str] = "a comparison of `tinytracker adapt`"
    way_out: ClassVar[str] = "Delete it and run `tinytracker adapt` again: what was trained is kept."

    preset: str
    source: str
    sessions: tuple[str, ...]
    by: str
    people: tuple[str, ...]
    held_out: tuple[str, ...] = ()
    frames: dict[str, int]
    dots: dict[str, int]
    candidates: tuple[Candidate, ...]
    kept: str
    contradicted: bool = False
    withdrawn: str = ""
    seconds: float = 0.0

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do with the network that was kept, in sentences; none where nothing can be said."""
        warning = self._warning()
        return warning if self.is_contradicted else (*warning, *self._about_nine_dots())

    @property
    def is_contradicted(self) -> bool:
        """Whether the kept one is worse than the bundled weights on the frames that decided nothing."""
        return self.candidate(self.kept).test_cm > self.candidate(BUNDLED).test_cm

    def _warning(self) -> tuple[str, ...]:
        """What the frames that decided nothing say against the choice, and what to do then."""
        kept, bundled = self.candidate(self.withdrawn or self.kept), self.candidate(BUNDLED)
        if not (self.withdrawn or self.is_contradicted):
            return ()
        where = "On the last minutes" if self.by == "time" else "On the frames that measure"
        errors = f"{kept.test_cm:.1f} instead of {bundled.test_cm:.1f} cm"
        if self.withdrawn:
            return (
                f"{where}, which do not choose, {kept.name!r} is certainly worse than the bundled weights ({errors}), "
                "although it was better on the frames that choose. So the bundled weights are kept. "
                "Record a second sitting on another day.",
            )
        gain = kept.gain_on_measuring_frames
        certain = gain is not None and gain.ci95_cm[0] > 0
        return (
            f"{where}, which decided nothing, {kept.name!r} is worse than the bundled weights "
            f"({errors}{'' if certain else '; this may be chance'}). {self._way_out()}",
        )

    def _way_out(self) -> str:
        kept, bundled = self.candidate(self.kept), self.candidate(BUNDLED)
        record = "or record a second sitting on another day."
        if kept.fresh_cm is None or bundled.fresh_cm is None:
            return f"Calibrate with nine fresh dots before each use, {record}"
        with_dots = f"{kept.fresh_cm:.1f} instead of {bundled.fresh_cm:.1f} cm"
        if kept.fresh_cm < bundled.fresh_cm:
            return f"Calibrate with nine fresh dots before each use (then {with_dots}), {record}"
        return (
            f"With nine fresh dots it is not better either ({with_dots}). Use the bundled weights, {record}"
        )

    def _about_nine_dots(self) -> tuple[str, ...]:
        kept = self.candidate(BUNDLED if self.kept == CALIBRATED else self.kept)
        bundled = self.candidate(BUNDLED)
        if kept.fresh_cm is None or bundled.fresh_cm is None:
            return ()
        found = (
            f"{kept.test_cm:.1f} cm off without, {kept.fresh_cm:.1f} cm with nine dots of the same sitting"
        )
        if kept.fresh_cm < kept.test_cm:
            lines = [f"Calibrate with nine dots whenever you sit down: {found}."]
        else:
            lines = [f"A calibration adds nothing on the recorded day: {found}. On another day try one."]
        if kept.fresh_gain is not None and kept.fresh_gain.ci95_cm[0] > 0:
            lines.append(
                f"With nine dots the bundled weights are better ({bundled.fresh_cm:.1f} cm): use them, or record more."
            )
        return tuple(lines)

    def candidate(self, name: str) -> Candidate:
        """Return the candidate with this name."""
        return next(c for c in self.candidates if c.name == name)
