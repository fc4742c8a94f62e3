"""What the page of `tinytracker collect` shows and does: one person at a time, before one screen and one camera."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinytracker.adapt.division import LEAST_DOTS
from tinytracker.collect.device import device_of
from tinytracker.collect.eyes import Watcher
from tinytracker.collect.journal import Head, Journal, as_row, journals
from tinytracker.collect.judging import LeftOut
from tinytracker.collect.recorder import Outcome, Sitting, free_bytes
from tinytracker.collect.removal import remove_all, remove_person, remove_sitting
from tinytracker.collect.requests import consenting_person, points_of, seconds
from tinytracker.collect.shots import Shot, ShotRate
from tinytracker.collect.subject import finish, write_report
from tinytracker.collect.told import as_plan, as_seen, as_session
from tinytracker.data.gazecapture import SUBJECT_NAME
from tinytracker.errors import InputFileError, OutputError, TinyTrackerError, UsageError
from tinytracker.evaluate.calibration_identity import today
from tinytracker.files import make_folder
from tinytracker.live.hub import Hub
from tinytracker.live.requests import number, own_screen_of, text
from tinytracker.live.screen import Screen, own_screen
from tinytracker.live.webcam_finder import Finder
from tinytracker.live.webcam_network import AimedNetwork
from tinytracker.measure.host_clock import now_ns

SILENT_S = 5.0
"""A page that has not sent anything for so long no longer records."""

_PICTURED_NS = 300_000_000
"""The page gets a board's picture at most so often: it is only looked at."""


class Desk:
    """The state behind the page. Methods may be called from any thread.

    Args:
        session: folder of the subjects.
        screen: to begin with.
        network: places the strip.
        finder: for the first look.
        dots: after so many, a sitting is complete.
        device: name of the screen as a device; None for one that follows from its measures.
        board: name of the board that frames come from, by `shot`; "" when the page's camera sends them.
        clock: seconds, rising.
        free: returns the room on the disk of a folder, bytes.

    Raises:
        OutputError: the folder cannot be written.
        InputFileError: what is in it is damaged.
    """

    def __init__(
        self,
        session: Path,
        screen: Screen,
        network: AimedNetwork,
        finder: Finder | None = None,
        dots: int = 230,
        device: str | None = None,
        board: str = "",
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.hub = Hub()
        self.session, self.screen, self.dots = make_folder(session), screen, dots
        self._network, self._finder, self._device = network, finder, device
        self._clock, self._free = clock, free
        self._lock = threading.RLock()
        self._preview = Watcher(network, finder)
        self._sitting: Sitting | None = None
        self._tab, self._heard = "", float("-inf")
        self._board = board
        self._zero: tuple[float, float] | None = (
            None  # of the sitting: host s, and how far it can be wrong, ms
        )
        self._rate = ShotRate()
        self._counted = 0
        self._pictured_ns = -_PICTURED_NS
        self.hub.send(
            "origin",
            {
                "model": network.sha256[:12],
                "folder": str(self.session.resolve()),
                "given": str(session),
                "dots": dots,
                "least_dots": LEAST_DOTS,
                "board": board,
            },
        )
        self.hub.send("screen", screen.as_json())
        self._say_session()

    def act(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do what the page asks; see `tinytracker.live.server.Served`."""
        actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "/screen/own": self._choose_screen,
            "/clock": lambda _: {"host_s": now_ns() / 1e9},
            "/sitting/begin": self._begin,
            "/sitting/continue": self._continue,
            "/sitting/show": self._show,
            "/sitting/dot": self._end_dot,
            "/sitting/note": self._note,
            "/sitting/finish": self._finish,
            "/delete": self._delete,
        }
        if path not in actions:
            raise UsageError(f"There is no request {path}.")
        with self._lock:
            return actions[path](request)

    def frame(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Take one frame, a JPEG; `query` has `tab`, and `captured_s` while a dot is shown.

        Returns:
            what was seen: state, eyes, light, dark, far, strip.

        Raises:
            UsageError: it is not a picture, or another page records.
        """
        with self._lock:
            captured = query.get("captured_s")
            if captured is not None and self._sitting is not None:
                self._require(query.get("tab", ""))
                taken = self._sitting.take(body, seconds(captured))
            else:
                taken = Sitting.preview(self._preview, body)
            return as_seen(taken)

    def shot(self, shot: Shot) -> None:
        """Take one frame of the board, and tell the page what was seen.

        Its time becomes that of the page, which has told how its clock and this computer's differ.
        """
        with self._lock:
            rate = self._rate.take(shot.captured_ns)
            content: dict[str, Any] = {"rate": rate}
            sitting, zero = self._sitting, self._zero
            if sitting is not None and zero is not None and sitting.is_showing:
                captured = shot.captured_ns / 1e9 - zero[0]
                taken = sitting.take(shot.jpeg, captured, shot, round(zero[1] + shot.bound_ns / 1e6, 3))
                self._counted += taken.reason is not LeftOut.BEFORE
                content["counted"] = self._counted
            else:
                taken = Sitting.preview(self._preview, shot.jpeg, 0.0, shot.strip)
                if shot.captured_ns - self._pictured_ns >= _PICTURED_NS:
                    self._pictured_ns = shot.captured_ns
                    content["source"] = "data:image/jpeg;base64," + b64encode(shot.jpeg).decode("ascii")
            self.hub.send("shot", content | as_seen(taken))

    def close(self) -> None:
        """Finish the sitting that is being recorded, and every other one that is not; what has no frames goes.

        Raises:
            OutputError: a subject cannot be written; its journal stays.
        """
        with self._lock:
            self._sitting = None
            for journal in journals(self.session):
                finish(journal)
            write_report(self.session)

    def _choose_screen(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._sitting is not None:
            raise UsageError("The screen cannot change while a sitting is recorded.", "Finish it first.")
        self.screen = own_screen(*own_screen_of(request))
        self.hub.send("screen", self.screen.as_json())
        return {}

    def _begin(self, request: dict[str, Any]) -> dict[str, Any]:
        person = consenting_person(request)
        self._own(text(request, "tab"))
        points = points_of(request)
        device = device_of(self.screen, points, self._device)
        now = today()
        head = Head(
            person=person, began=now, consented=now, source=self._board or "webcam",
            network_sha256=self._network.sha256, device=as_row(device), screen_cm=self.screen.edges, points=points,
            seed=self._seed(person),
        )  # fmt: skip
        self._sitting = Sitting.begin(self.session, head, Watcher(self._network, self._finder), self._free)
        return self._next()

    def _continue(self, request: dict[str, Any]) -> dict[str, Any]:
        journal = self._journal(text(request, "subject"))
        self._own(text(request, "tab"))
        head, points = journal.head(), points_of(request)
        if points != head.points:
            raise UsageError(
                f"The screen has {points[0]} x {points[1]} points now and had {head.points[0]} x {head.points[1]} when "
                "this sitting began.", "Finish it, and begin another one.",
            )  # fmt: skip
        self.screen = Screen(self.screen.name, None, *head.screen_cm)
        self.hub.send("screen", self.screen.as_json())
        self._sitting = Sitting.resume(journal, Watcher(self._network, self._finder), self._free)
        return self._next()

    def _show(self, request: dict[str, Any]) -> dict[str, Any]:
        sitting = self._recording(request)
        if self._board:
            self._zero = (number(request, "zero_s"), number(request, "bound_ms"))
        self._counted = 0
        sitting.show(number(request, "shown_s"))
        return {}

    def _end_dot(self, request: dict[str, Any]) -> dict[str, Any]:
        sitting = self._recording(request)
        rate = (
            self._rate.rate
            if self._board
            else number(request, "rate")
            if request.get("rate") is not None
            else None
        )
        outcome: Outcome = sitting.end_dot(text(request, "typed"), rate, request.get("changed") is True)
        return {
            "outcome": {"kept": outcome.is_kept, "frames": outcome.frames, "left_out": outcome.left_out},
            "said": list(outcome.said), "waits": outcome.waits, **self._next(),
        }  # fmt: skip

    def _note(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"said": [self._recording(request).note(text(request, "kind"), number(request, "at_s"))]}

    def _finish(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request.get("subject")
        if name is not None:
            finish(self._journal(text(request, "subject")))
            subject = None
        else:
            sitting = self._recording(request)
            subject = sitting.finish()
            self._sitting = None
        self._say_session()
        return {"subject": None if subject is None else subject.name}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._sitting is not None:
            raise UsageError("A sitting is being recorded.", "Finish it first.")
        if request.get("all") is True:
            count = remove_all(self.session)
        elif "person" in request:
            count = remove_person(self.session, text(request, "person"))
        else:
            count = remove_sitting(self.session, text(request, "subject"))
        self._say_session()
        return {"deleted": count}

    def _next(self) -> dict[str, Any]:
        assert self._sitting is not None
        return as_plan(self._sitting, self.dots)

    def _own(self, tab: str) -> None:
        """Let a page record; an earlier sitting is left as it is, and can be continued."""
        if self._sitting is not None and tab != self._tab and self._clock() - self._heard < SILENT_S:
            raise UsageError("Another tab of this page is recording.", "Finish there first.")
        self._sitting = None
        self._tab, self._heard = tab, self._clock()

    def _require(self, tab: str) -> None:
        if tab != self._tab:
            raise UsageError("Another tab of this page is recording.", "Finish there first.")
        self._heard = self._clock()

    def _recording(self, request: dict[str, Any]) -> Sitting:
        self._require(text(request, "tab"))
        if self._sitting is None:
            raise UsageError("No sitting is being recorded.", "Reload the page.")
        return self._sitting

    def _journal(self, name: str) -> Journal:
        for journal in journals(self.session):
            if journal.name == name:
                return journal
        raise UsageError(f"There is no unfinished sitting {name!r}.", "Reload the page.")

    def _seed(self, person: str) -> int:
        """Return another order of dots for each sitting of a person."""
        subjects = [path for path in self.session.iterdir() if SUBJECT_NAME.fullmatch(path.name)]
        return sum(map(ord, person)) * 1000 + len(subjects) + len(journals(self.session))

    def _say_session(self) -> None:
        try:
            report = write_report(self.session)
        except (InputFileError, OutputError) as error:
            self.hub.send("problem", {"text": str(error)})
            return
        self.hub.send("session", as_session(report))

    def fail(self, error: TinyTrackerError) -> None:
        """Show on the page why no more can be recorded."""
        self.hub.send("problem", {"text": str(error), "ended": True})
