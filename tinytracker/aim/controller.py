"""Places the next frame's crop from the network's answers, in integers (deploy/common/tt_aim.c computes the same).

States: searching (nothing is known), following, and lost (the last place is known). Every answer is matched to the
region on which it was computed, so it does not matter how many frames are on their way through camera and network.
docs/aim.md explains the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.finding import Find
from tinytracker.aim.fixed import Q8, Q12, divided, limited
from tinytracker.aim.region import Region
from tinytracker.aim.search import AROUND, around, scan, scan_looks
from tinytracker.aim.track import SUB, Sight, Track, sight

NEAR_X, NEAR_Y, NEAR_LN = 819, 410, 1843
"""An answer is near when the strip is at most 0.2 widths beside and 0.1 above or below the crop's centre, and its
width within a factor of 1.57 of the crop's, Q12: it confirms a track."""

SHOWN_LN = 1229
"""The gaze of such a crop counts if the width is even within a factor of 1.35, Q12."""

GATE, GATE_PER_MISS = (
    77,
    26,
)  # of 256 widths: a sight farther from the track needs a second one; more after misses
DOUBTFUL = 26  # of 256 widths: and farther than this when its presence is low
CONFIRMED_BY = 64  # of 256 widths: how near the second sight must be to the first
REACH_X, REACH_Y = 102, 51  # of 256 widths of the region: eyes farther from its centre may be missed
OPENED_PER_MISS = 38  # of 256: the crop opens by this much with each frame without eyes
NEW_OPENING = 384  # of 256: and for a track that is not confirmed yet
TENTATIVE_MISSES = 1
TENTATIVE_FRAMES = 12
ROUNDS = 2  # around the last place, before the whole frame is scanned
STILL, STILL_WIDTH = 3, 12  # of 256 widths: a crop that would change by less stays
WIDEST = 9  # of 16 longer sides of the frame: a wider strip is a mistake
SMALLEST = 24  # the frame's longer side divided by this is the least width of a region
FINDER_PAUSE = 12  # looks of the scan after a find that was not confirmed


LARGEST_SIDE = 8192
"""Of a frame, px."""


class State(IntEnum):
    """What the controller knows."""

    SEARCHING = 0
    FOLLOWING = 1
    LOST = 2


@dataclass(frozen=True)
class AimSettings:
    """What differs between devices and networks.

    Attributes:
        delay: frames that are started between the one whose answer is given and the first that a new region can
            still reach; 0 when the next frame is cut by the region.
        enter: presence that confirms a track, logit in Q12. Half way from `stay` suffices to propose one.
        stay: presence from which eyes that are followed are believed, logit in Q12.
        misses: frames without eyes after which the track is lost.
        find: score from which the finder is believed, logit in Q12.
    """

    delay: int = 0
    enter: int = 2 * Q12
    stay: int = 0
    misses: int = 4
    find: int = 0

    def __post_init__(self) -> None:
        for name, value, low, high in (("delay", self.delay, 0, 8), ("misses", self.misses, 1, 1000)):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; it must be from {low} to {high}")


class Controller:
    """Decides where the next frame's crop lies.

    Args:
        frame_width: px.
        frame_height: px.
        settings: of the device.

    Example:
        >>> controller = Controller(640, 480)
        >>> controller.state.name, controller.region.box
        ('SEARCHING', (0, 134, 640, 213))
    """

    def __init__(self, frame_width: int, frame_height: int, settings: AimSettings = AimSettings()) -> None:
        if not (1 <= frame_width <= LARGEST_SIDE and 1 <= frame_height <= LARGEST_SIDE):
            raise ValueError(f"frame is {frame_width} x {frame_height} px; sides must be 1 to {LARGEST_SIDE}")
        self._width, self._height, self._settings = frame_width, frame_height, settings
        self._state = State.SEARCHING
        self._track: Track | None = None
        self._last: Sight | None = None  # where eyes were followed last
        self._doubt: Sight | None = None  # a sight that waits for a second one
        self._misses = 0  # frames without eyes where they should be
        self._age = 0  # frames of the track
        self._look = 0  # number of the next look around the last place, or of the scan
        self._pause = 0  # looks until the finder is wanted again
        self._from_finder = False
        self._has_eyes = False
        self._region: Region
        self._aim()

    @property
    def state(self) -> State:
        """What is known."""
        return self._state

    @property
    def region(self) -> Region:
        """The crop for the next frame that is started."""
        return self._region

    @property
    def wants_finder(self) -> bool:
        """Whether to run the finder on the next whole frame, if there is a finder. Without one, use `region`."""
        return self._state == State.SEARCHING and self._track is None and self._pause == 0

    @property
    def has_eyes(self) -> bool:
        """Whether the gaze of the frame whose answer came last may be shown."""
        return self._has_eyes

    def update(self, answer: AimAnswer, region: Region) -> State:
        """Take the answer of one frame.

        Args:
            answer: of the network.
            region: the one that this frame was cut by.
        """
        following = self._state == State.FOLLOWING
        anywhere = sight(answer, region)
        stay, enter = self._settings.stay, self._settings.enter
        enough = answer.presence >= (stay if following else divided(stay + enter, 2))
        seen = enough and self._shows_eyes(anywhere)
        place = self._inside(anywhere)
        if self._track is None:
            if seen:
                self._begin(place, from_finder=False)
        else:
            self._track.advance(self._width, self._height)
            self._follow(self._track, answer, region, place if seen else None)
        self._confirm(answer, seen)
        sharp = _near(answer) and abs(answer.ln_scale) <= SHOWN_LN
        self._has_eyes = self._state == State.FOLLOWING and seen and sharp
        self._aim()
        return self._state

    def found(self, find: Find) -> State:
        """Take what the finder found in a whole frame; only a search needs it."""
        if self._state != State.FOLLOWING and self._track is None and find.score >= self._settings.find:
            self._begin(self._inside(Sight(SUB * find.x, SUB * find.y, SUB * find.width)), from_finder=True)
            self._aim()
        return self._state

    def _begin(self, place: Sight, *, from_finder: bool) -> None:
        """Start a track that answers still have to confirm."""
        self._track, self._doubt = Track.begin(place), None
        self._misses, self._age, self._from_finder = 0, 0, from_finder

    def _follow(self, track: Track, answer: AimAnswer, region: Region, place: Sight | None) -> None:
        """Correct the track by a sight, doubt the sight, or count a miss."""
        self._age += 1
        following = self._state == State.FOLLOWING
        agrees = place is not None and not self._is_doubtful(track, answer, region, place)
        repeated = (
            place is not None and self._doubt is not None and _apart(place, self._doubt) <= CONFIRMED_BY
        )
        if place is not None and agrees:
            track.correct(place)
        elif place is not None and (repeated or not following):
            self._track = Track.begin(place)
        elif self._covers(region, track):
            self._misses += 1
            track.coast()
        sure = agrees or repeated
        self._misses = 0 if sure else self._misses
        self._doubt = None if sure else place
        limit = self._settings.misses if following else TENTATIVE_MISSES
        too_old = not following and self._age > TENTATIVE_FRAMES + 2 * self._settings.delay
        if self._misses >= limit or too_old:
            self._give_up()

    def _is_doubtful(self, track: Track, answer: AimAnswer, region: Region, place: Sight) -> bool:
        """Whether a sight is farther from the track than the errors of answers explain: they grow with the crop."""
        sure = answer.presence >= self._settings.enter
        gate = (GATE if sure else DOUBTFUL) + GATE_PER_MISS * self._misses
        return track.distance(place) > divided(gate * max(SUB * region.width, track.width), track.width)

    def _give_up(self) -> None:
        """Forget the track; what was followed is lost, what was not confirmed was nothing."""
        track, self._track = self._track, None
        if self._state == State.FOLLOWING and track is not None:
            self._state, self._look = State.LOST, 0
            self._last = self._inside(Sight(track.x, track.y, track.width))
        if self._from_finder:
            self._pause, self._from_finder = FINDER_PAUSE, False

    def _confirm(self, answer: AimAnswer, seen: bool) -> None:
        """Follow a track whose strip was seen where it should be; in a search, not at first sight."""
        if self._track is None or not seen or self._state == State.FOLLOWING:
            return
        if answer.presence < self._settings.enter or not _near(answer):
            return
        if self._age > 0 or self._state == State.LOST:
            self._state, self._from_finder, self._pause = State.FOLLOWING, False, 0

    def _aim(self) -> None:
        """Choose the region of the next frame."""
        if self._track is None:
            self._region = self._bounded(self._next_look())
            return
        following = self._state == State.FOLLOWING
        opening = Q8 + OPENED_PER_MISS * self._misses if following else NEW_OPENING
        crop = self._track.ahead(self._settings.delay + 1, opening)
        region = self._bounded(crop)
        if not (following and self._rests(region)):
            self._region = region

    def _rests(self, region: Region) -> bool:
        """Whether a region is so near to the present one that the crop had better stay still."""
        now = self._region
        moved = max(abs(region.x - now.x), abs(region.y - now.y))
        return (
            Q8 * moved <= STILL * now.width and Q8 * abs(region.width - now.width) <= STILL_WIDTH * now.width
        )

    def _next_look(self) -> Sight:
        """Return where to look next while nothing is tracked."""
        look, self._look = self._look, self._look + 1
        if self._state == State.LOST and self._last is not None:
            if look < ROUNDS * len(AROUND):
                return around(self._last, look)
            self._state, look, self._look = State.SEARCHING, 0, 1
        self._pause = max(self._pause - 1, 0)
        looks = scan_looks(self._width, self._height)
        if look >= looks:
            self._look = 0
            if self._last is not None:
                return around(self._last, 1)
            look, self._look = 0, 1
        return scan(self._width, self._height, look)

    def _covers(self, region: Region, track: Track) -> bool:
        """Whether eyes at the track's place would be seen in a region."""
        dx, dy = abs(track.x - SUB * region.x), abs(track.y - SUB * region.y)
        width = SUB * region.width
        return Q8 * dx <= REACH_X * width and Q8 * dy <= REACH_Y * width

    def _shows_eyes(self, place: Sight) -> bool:
        """Whether both eyes of a strip would be in the picture, and the face not larger than it."""
        aside, above = place.width // 4, place.width // 12
        return (
            aside <= place.x <= Q8 * self._width - aside
            and above <= place.y <= Q8 * self._height - above
            and 16 * place.width <= WIDEST * Q8 * max(self._width, self._height)
        )

    def _inside(self, place: Sight) -> Sight:
        """Limit a strip to the frame (its centre) and to sensible widths."""
        longer = Q8 * max(self._width, self._height)
        return Sight(
            limited(place.x, 0, Q8 * self._width),
            limited(place.y, 0, Q8 * self._height),
            limited(place.width, longer // SMALLEST, longer),
        )

    def _bounded(self, crop: Sight) -> Region:
        """Return the region of a crop, limited like a strip, in whole px."""
        inside = self._inside(crop)
        return Region(divided(inside.x, SUB), divided(inside.y, SUB), divided(inside.width, SUB)).snapped


def _near(answer: AimAnswer) -> bool:
    return abs(answer.dx) <= NEAR_X and abs(answer.dy) <= NEAR_Y and abs(answer.ln_scale) <= NEAR_LN


def _apart(a: Sight, b: Sight) -> int:
    """Return how far two strips are apart, in 1/256 of the second's width."""
    return divided(Q8 * max(abs(a.x - b.x), abs(a.y - b.y)), b.width)
