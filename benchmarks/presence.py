"""What is saved while nobody looks: finder and network behind `tinytracker.cascade.presence`.

    tinytracker synth held --aim --subjects 110 --frames 5 --seed 5108
    python benchmarks/presence.py held --finder finder.tflite --model s2-aim.tflite

HELD is data of `synth --aim`, from another seed than the training data: of every subject the first picture of the
room without a person, and the first frame, for a person who is suddenly there. Every picture is shown for a minute,
at 30 frames per second. The device looks when `Presence` says so: with the finder while nothing is known, with the
network at what it proposes. Work is emulated (docs/cascade.md), load modelled for a Spresense main core; saved is
compared with the network run always. The pictures are synthetic.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from aim_sequences import Finder
from common import write_csv
from numpy.typing import NDArray
from PIL import Image

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import Controller, State
from tinytracker.aim.finding import Find
from tinytracker.aim.region import Region
from tinytracker.cascade.costs import Costs, frames_of
from tinytracker.cascade.presence import Presence, PresenceSettings
from tinytracker.cascade.strip_network import StripNetwork

RATE = 30
FINDER_INSTRUCTIONS = 3_550_000
"""Of a look of the finder with its view of the whole frame, emulated: docs/cascade.md."""
SECONDS = 60
ALONE = 3 * RATE
"""Frames without anybody before a person is there: the device looks seldom by then."""

Pixels = NDArray[np.uint8]


@dataclass
class Scene:
    """A picture that does not change: what finder and network say of it is computed once for each crop."""

    picture: Pixels
    finder: Finder
    network: StripNetwork

    def __post_init__(self) -> None:
        self._found: Find | None = None
        self._answers: dict[Region, AimAnswer] = {}

    def find(self) -> Find:
        """Return what the finder proposes."""
        if self._found is None:
            self._found = self.finder.find(self.picture)
        return self._found

    def answer(self, region: Region) -> AimAnswer:
        """Return what the network says of a crop."""
        if region not in self._answers:
            self._answers[region] = self.network.look([self.network.input(self.picture, region)])[1][0]
        return self._answers[region]


@dataclass
class Watch:
    """What happened while a scene was shown: looks of both networks, and the frame from which eyes were followed."""

    frames: int = 0
    finds: int = 0
    looks: int = 0
    followed_at: int = -1


def watch(scene: Scene, settings: PresenceSettings, frames: int, alone: int = 0) -> Watch:
    """Show a scene to a device that has seen nobody for `alone` frames."""
    height, width = scene.picture.shape[:2]
    controller, presence, seen = Controller(width, height), Presence(settings), Watch(frames)
    for _ in range(alone):
        presence.looks(following=False)
    for number in range(frames):
        if not presence.looks(following=controller.state == State.FOLLOWING):
            continue
        if controller.wants_finder:
            seen.finds += 1
            controller.found(scene.find())
            continue
        seen.looks += 1
        region = controller.region
        controller.update(scene.answer(region), region)
        if controller.state == State.FOLLOWING and seen.followed_at < 0:
            seen.followed_at = number
    return seen


def rows_of(rooms: list[Scene], people: list[Scene], costs: Costs) -> list[dict[str, object]]:
    rows = []
    look = costs.network(costs.little_macs)
    always = look / max(frames_of(look, RATE), 1)  # the network run whenever it is free
    for every in (15, 30):
        settings = PresenceSettings(every=every)
        seen = [watch(room, settings, SECONDS * RATE, ALONE) for room in rooms]
        work = np.array([(w.finds * FINDER_INSTRUCTIONS + w.looks * look) / w.frames for w in seen])
        quiet = np.array([w.followed_at < 0 for w in seen])
        phases = np.linspace(0, every, 4, endpoint=False).astype(int)
        comes = [watch(p, settings, 4 * RATE + 2 * every, ALONE + int(k)) for p in people for k in phases]
        found = np.array([w.followed_at for w in comes if w.followed_at >= 0])
        rows.append(
            {
                "looks_per_second": RATE / every, "rooms": len(rooms), "rooms_followed": int((~quiet).sum()),
                "load_of_a_core": round(float(frames_of(work.mean(), RATE)), 4),
                "load_in_rooms_not_followed": round(float(frames_of(work[quiet].mean(), RATE)), 4),
                "saved": round(float(1 - work.mean() / always), 4),
                "saved_in_rooms_not_followed": round(float(1 - work[quiet].mean() / always), 4),
                "people": len(people), "people_found": round(len(found) / len(comes), 4),
                "frames_until_followed_mean": round(float(found.mean()), 1),
                "frames_until_followed_p95": round(float(np.percentile(found, 95)), 1),
                "evidence": "synthetic, modelled",
            }
        )  # fmt: skip
    return rows


def pictures(paths: list[Path]) -> list[Pixels]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("held", type=Path)
    parser.add_argument("--finder", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--every", type=int, default=2, help="use every so-manieth subject")
    options = parser.parse_args()
    model = options.model.read_bytes()
    finder, network = Finder(options.finder.read_bytes()), StripNetwork(model, "model")
    rooms, people = (
        [Scene(picture, finder, network) for picture in pictures(paths)]
        for paths in (
            [min(folder.glob("*.jpg")) for folder in sorted(options.held.glob(f"*/{kind}"))[:: options.every]]
            for kind in ("rooms", "frames")
        )
    )
    write_csv("presence", rows_of(rooms, people, Costs.of(model, model)), ["numpy", "tensorflow"])


if __name__ == "__main__":
    main()
