"""Aiming a camera that cuts the region itself, some frames after it was told to, and does not say when (the IMX500).

Every answer has to be matched to the region on which it was computed, so the delay must be known. It is measured at the
start: once eyes are found, the region steps aside by a fifth of its width, and the frames are counted until the answer
shows the step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import AimSettings, Controller, State
from tinytracker.aim.finding import Find
from tinytracker.aim.fixed import Q4, Q12
from tinytracker.aim.region import Region

DEFAULT_DELAY = 2
"""Frames, see `AimSettings.delay`; assumed while nobody is there to measure it with."""

HOLD = 9
"""Frames for which a region stays while the delay is not known; longer than any delay that can be measured."""

_STEP = 5  # a step is width / 5
_NOTICED = (
    Q12 // 10
)  # a change of dx that shows a step of 0.2 widths and that a head does not make in a frame
_STEPS = 12
_AGREE = 2
_PATIENCE = 300  # frames
_SURE = 8 * Q12


@dataclass(frozen=True)
class Sighting:
    """What is known of one frame.

    Attributes:
        region: that the network saw, as far as it is known.
        state, has_eyes: of the controller after the frame.
    """

    region: Region
    state: State
    has_eyes: bool


def inside(region: Region, frame_width: int, frame_height: int) -> Region:
    """Return the nearest region inside a frame: a sensor cannot cut what it does not have.

    Args:
        region: as a controller wants it.
        frame_width: px.
        frame_height: px.

    Example:
        >>> inside(Region(0, 16 * 50, 16 * 90), 320, 240).box
        (0, 35, 90, 30)
    """
    x, y, width, height = region.box
    if width > frame_width or height > frame_height:
        width = min(frame_width, 3 * frame_height)
        return Region(Q4 * frame_width // 2, Q4 * frame_height // 2, Q4 * width).snapped
    left, top = min(max(x, 0), frame_width - width), min(max(y, 0), frame_height - height)
    return Region(Q4 * left + Q4 // 2 * width, Q4 * top + Q4 // 2 * height, Q4 * width)


class DelayProbe:
    """Finds eyes without knowing the delay, by waiting long after each new region, and then counts it.

    Args:
        frame_width: of the whole frame, px.
        frame_height: px.
    """

    def __init__(self, frame_width: int, frame_height: int) -> None:
        self._size = frame_width, frame_height
        self._controller = Controller(frame_width, frame_height)
        self.region = inside(self._controller.region, *self._size)
        self._first: int | None = None
        self._set_at = 0
        self._stepping = False
        self._before: AimAnswer | None = None
        self._arrival: int | None = None
        self._answered = 0  # the last frame with a result
        self._aside = False
        self._steps = 0
        self._delays: Counter[int] = Counter()  # steps that each delay explains
        self.done = False

    @property
    def delay(self) -> int | None:
        """The delay in frames, once `done`; None when it could not be measured."""
        (best, count), (_, second) = [*self._delays.most_common(2), (0, 0), (0, 0)][:2]
        return best if count >= _AGREE and count > second else None

    @property
    def found(self) -> bool:
        """Whether eyes are in the region."""
        return self._stepping

    def take(self, number: int, answer: AimAnswer | None) -> None:
        """Take the answer of a frame, or None for one without a result, and perhaps change `region`.

        Args:
            number: of the frame, counted by the camera.
            answer: of the network.
        """
        if self._first is None:
            self._first = self._set_at = number
        if number - self._first > _PATIENCE:
            self.done = True
        elif answer is not None and self._stepping:
            self._watch(number, answer)
        elif answer is not None and number - self._set_at >= HOLD:
            self._look(number, answer)

    def _look(self, number: int, answer: AimAnswer) -> None:
        """Come nearer, or step once the eyes are where they should be."""
        state = self._controller.update(answer, self.region)
        if state == State.FOLLOWING and self._controller.has_eyes:
            self._stepping = True
            self._step(number, answer)
        else:
            self._move(number, self._controller.region)

    def _watch(self, number: int, answer: AimAnswer) -> None:
        """Wait for the answer that shows the step."""
        assert self._before is not None
        if self._arrival is None and abs(answer.dx - self._before.dx) >= _NOTICED:
            self._arrival = number
            # After frames without a result, the step may have come with any of them.
            before = max(self._answered, self._set_at)
            self._delays.update(range(before - self._set_at, number - self._set_at))
        self._answered = number
        if self.delay is not None:
            self.done = True
        elif (
            number - self._set_at >= HOLD + self._steps % 3
        ):  # not in step with frames that regularly have no result
            if self._steps >= _STEPS:
                self.done = True
            else:
                self._step(number, answer)

    def _step(self, number: int, answer: AimAnswer) -> None:
        """Step aside, or back."""
        direction = -1 if self._aside else 1
        target = Region(
            self.region.x + direction * self.region.width // _STEP, self.region.y, self.region.width
        )
        if inside(target.snapped, *self._size) != target.snapped:
            direction = -direction
            target = Region(
                self.region.x + direction * self.region.width // _STEP, self.region.y, self.region.width
            )
        self._aside, self._steps = direction > 0, self._steps + 1
        self._before, self._arrival = answer, None
        self._move(number, target.snapped)

    def _move(self, number: int, region: Region) -> None:
        self.region, self._set_at = inside(region, *self._size), number


class DelayedAim:
    """Steers a camera's region from the network's answers.

    Args:
        frame_px: width and height of the camera's whole frame.
        set_region: tells the camera; called from `take`.
        delay: frames, see `AimSettings.delay`; None to measure it.
        find: runs the finder on the present frame, or None to search without one.

    Attributes:
        delay: in use; None while it is being measured.
        is_measured: whether it was measured.
    """

    def __init__(
        self,
        frame_px: tuple[int, int],
        set_region: Callable[[Region], None],
        delay: int | None = None,
        find: Callable[[], Find] | None = None,
    ) -> None:
        self._size = frame_px
        self._set_region = set_region
        self._find = find
        self.delay = delay
        self.is_measured = False
        self._probe = DelayProbe(*frame_px) if delay is None else None
        self._controller = Controller(*frame_px, AimSettings(delay=delay or 0))
        first = self._probe.region if self._probe else inside(self._controller.region, *frame_px)
        self._regions = [(0, first)]  # the first frame that each reaches
        set_region(first)

    def take(self, number: int, answer: AimAnswer | None) -> Sighting:
        """Take one frame's answer and set the region of a later one.

        Args:
            number: of the frame, counted by the camera from any start, rising.
            answer: of the network; None for a frame without a result.
        """
        region = self.region_at(number)
        if self._probe is not None:
            return self._measure(self._probe, number, answer, region)
        if answer is not None:
            self._controller.update(answer, region)
        if self._find is not None and self._controller.wants_finder:
            self._controller.found(self._find())
        self._put(number, inside(self._controller.region, *self._size), self.delay or 0)
        eyes = answer is not None and self._controller.has_eyes
        return Sighting(region, self._controller.state, eyes)

    def region_at(self, number: int) -> Region:
        """Return the region that a frame was cut by."""
        while len(self._regions) > 1 and self._regions[1][0] <= number:
            del self._regions[0]
        return self._regions[0][1]

    def _measure(self, probe: DelayProbe, number: int, answer: AimAnswer | None, region: Region) -> Sighting:
        probe.take(number, answer)
        if probe.done:
            measured = probe.delay
            self.delay, self.is_measured = (
                (DEFAULT_DELAY if measured is None else measured),
                measured is not None,
            )
            self._controller = Controller(*self._size, AimSettings(delay=self.delay))
            if probe.found:
                at = probe.region
                self._controller.found(Find(at.x, at.y, at.width, _SURE))
            self._probe = None
            # What was set before has arrived, or arrives as late as anything that is set now.
            self._regions = [(number, probe.region)]
            self._put(number, inside(self._controller.region, *self._size), self.delay)
        else:
            self._put(number, probe.region, 0)
        return Sighting(region, State.SEARCHING, False)

    def _put(self, number: int, region: Region, delay: int) -> None:
        if region != self._regions[-1][1]:
            self._regions.append((number + 1 + delay, region))
            self._set_region(region)
