"""What is said to a person who is recorded, on the page at once and in the session's report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from tinytracker.collect.journal import Journal
from tinytracker.collect.judging import Attention, LeftOut, Taken
from tinytracker.data.sitting import SittingEvent
from tinytracker.errors import OutputError

SLOW_RATE = 10.0
"""Frames per second of a camera below which it is called slow."""

MISSED_LETTERS = 3
"""Letters missed in a row after which the person is told how it works."""

AWAY_LETTERS = 9
"""Letters missed in a row after which the recording waits: the person has gone, or looks at something else."""

SENTENCES = {
    "link-slow": "The board sends only {value:.1f} pictures per second, so each dot takes longer.",
    "camera-slow": "The camera gives only {value:.0f} pictures per second. More light lets it be faster.",
    "not-looking": "Your eyes do not follow the dots. Look at each dot until its letter has appeared.",
    "letters": "Three letters in a row were missed. Keep looking at the dot until the letter appears on it.",
    "away": "Nine letters in a row were missed, so the recording waits for you.",
    "dark": "It is too dark to see your eyes. Turn on a light, or open the camera's cover.",
    "no-eyes": "Your eyes were not seen. Sit in front of the camera, with your face in the picture.",
    "far": "You are too far from the camera. Come nearer.",
    "shut": "Your eyes were shut, or lashes and glasses hide them. Raise your head a little, or lower the screen.",
    "screen": "The screen changed its size. The dot is shown again when it fills the whole screen.",
    "disk": "The disk is nearly full: {value:.0f} MB are free. What was recorded is kept; make room, then continue.",
}
"""What is said on the page and in the report, by kind of event; the way out of a problem is in the sentence."""

_KIND = {
    LeftOut.DARK: "dark", LeftOut.NO_EYES: "no-eyes", LeftOut.FAR: "far", LeftOut.BLINK: "shut",
}  # fmt: skip


@dataclass
class Remarks:
    """What was noticed in a sitting so far.

    Attributes:
        journal: where each event is written down.
        waits: whether the recording waits for the person after the last dot.
    """

    journal: Journal
    waits: bool = False
    _attention: Attention = field(default_factory=Attention)
    _missed: int = 0
    _said: set[str] = field(default_factory=set)

    def of_dot(
        self,
        frames: list[Taken],
        kept: list[Taken],
        rate: float | None,
        at_s: float,
        missed: bool,
        changed: bool,
    ) -> list[str]:
        """Return what is to be said about a dot.

        Args:
            frames: that came while it was shown, judged.
            kept: those that count.
            rate: frames per second; None when unknown.
            at_s: when the dot appeared.
            missed: another letter was answered, or none.
            changed: the screen changed its size meanwhile.
        """
        said = []
        reasons = Counter(taken.reason for taken in frames if taken.reason in _KIND)
        if changed:
            said.append(self.note("screen", at_s))
        elif not kept and reasons:
            worst = reasons.most_common(1)[0][0]
            assert worst is not None
            said.append(self.note(_KIND[worst], at_s))
        self.waits = False
        if not changed:
            self._missed = self._missed + 1 if missed else 0
            if self._missed >= AWAY_LETTERS:
                self._missed, self.waits = 0, True
                said.append(self.note("away", at_s))
            elif missed and self._missed % MISSED_LETTERS == 0:
                said.append(self.note("letters", at_s))
        if frames and rate is not None and rate < SLOW_RATE:
            slow = "camera-slow" if frames[0].clock_ms is None else "link-slow"
            if slow not in self._said:
                said.append(self.note(slow, at_s, rate))
        return said

    def of_gaze(self, dot_cm: tuple[float, float], kept: list[Taken], at_s: float) -> list[str]:
        """Return what is to be said when the gaze of the dots that count does not go where they are."""
        gaze = np.median([taken.sight.gaze_cm or (0.0, 0.0) for taken in kept], axis=0).tolist()
        self._attention.add(dot_cm, (gaze[0], gaze[1]))
        if self._attention.follows() is False:
            self._attention = Attention()  # said once per so many dots
            return [self.note("not-looking", at_s)]
        return []

    def note(self, kind: str, at_s: float, value: float = 0.0) -> str:
        """Write down an event of `SENTENCES`; returns the sentence, with `value` in it."""
        text = SENTENCES[kind].format(value=value)
        self._said.add(kind)
        try:
            self.journal.note(SittingEvent(at_s=round(at_s, 3), kind=kind, text=text))
        except OutputError:
            if kind != "disk":  # there, what cannot be written is the subject of the sentence
                raise
        return text
