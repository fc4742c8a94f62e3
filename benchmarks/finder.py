"""Measure how the eyes are found: by the finder alone, and from nothing to a followed strip.

python benchmarks/finder.py HELD_OUT --finder finder.tflite --model s2-aim.tflite [--every 3]

HELD_OUT is data prepared with --aim from another seed than the training data; all of its splits are used. Both networks
are INT8. For each frame a controller starts with no knowledge and sees the same frame again and again; the row "finder
and aim" runs the finder whenever the controller wants it, "aim alone" scans the frame with wide crops. The strip counts
as found when the controller follows it, its crop's centre is within 0.06 strip widths of the true one and the ratio of
widths within 16 %. The pictures without a person count when the controller follows anything. All frames are synthetic.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import write_csv
from numpy.typing import NDArray

from tinytracker.aim.answer import read_aim
from tinytracker.aim.controller import Controller, State
from tinytracker.aim.finding import read_finder
from tinytracker.aim.fixed import Q4, Q12
from tinytracker.arrays import Floats, Pixels
from tinytracker.data.area import area_strip
from tinytracker.data.index import read_index
from tinytracker.data.inputs import make_inputs_numpy
from tinytracker.evaluate.aim import ON_IT, ON_IT_LN, frames_of
from tinytracker.evaluate.finder import WITHIN, summarize_finder
from tinytracker.interpreters.tflite import DefaultInterpreter
from tinytracker.model.presets import find_preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.progress import bar
from tinytracker.quant.contract import IoContract

SPLITS = ("train", "val", "test")
LIMIT = 8
"""Frames in which the strip should be found."""
ROOM_FRAMES = 24
"""Frames for which a controller looks at a picture without a person."""


class Network:
    """An INT8 file on TensorFlow Lite's default kernels: codes in, raw output as codes 0..255."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        self.contract = IoContract.of(read_tflite(content))
        self._interpreter = DefaultInterpreter(content)

    def __call__(self, image: Pixels) -> NDArray[np.uint8]:
        """Run one image (H, W, C)."""
        tensors = self.contract.encode_all({self.contract.inputs[0].name: image[None]})
        raw = self._interpreter.run(tensors)[0].reshape(1, -1).astype(np.int64)
        return (raw[0] - self.contract.outputs[0].zero_point).astype(np.uint8)


@dataclass
class Looker:
    """The networks, and what a device does with them."""

    finder: Network
    strip: Network
    channels: str

    def find(self, image: Pixels) -> NDArray[np.uint8]:
        """Return the finder's cells for a whole frame."""
        view = make_inputs_numpy(find_preset("finder").input, {"image": image})["image"]
        return self.finder(view).reshape(9, 12, 4)

    def look(self, image: Pixels, place: Floats) -> NDArray[np.uint8]:
        """Return the codes of the aim on a crop (3,): centre and width, px."""
        spec = find_preset(f"tinytracker-{'s2' if self.channels == 'grey' else 'v2'}-aim").input
        codes = self.strip(area_strip(image, place, spec))
        aim = self.strip.contract.aim
        assert aim is not None
        return codes[aim.first : aim.first + aim.codes]

    def acquire(self, image: Pixels, strip: Floats | None, use_finder: bool, limit: int) -> int | None:
        """Return the number of frames until the strip is found (anything, where there is none), or None."""
        height, width = image.shape[:2]
        controller = Controller(width, height)
        for frame in range(1, limit + 1):
            if use_finder and controller.wants_finder:
                controller.found(read_finder(self.find(image), width, height))
            region = controller.region
            place = np.array([region.x, region.y, region.width]) / Q4
            state = controller.update(read_aim(self.look(image, place)), region)
            if state == State.FOLLOWING and (strip is None or _on_it(controller, strip)):
                return frame
        return None


def _on_it(controller: Controller, strip: Floats) -> bool:
    x, y, width = (v / Q4 for v in (controller.region.x, controller.region.y, controller.region.width))
    near = np.hypot(x - strip[0], y - strip[1]) / strip[2] < ON_IT
    return bool(near and abs(np.log(width / strip[2])) < ON_IT_LN)


def measure(held_out: Path, finder: Path, model: Path, every: int) -> list[dict[str, object]]:
    """Return one row per way."""
    index = read_index(held_out)
    strip_network = Network(model)
    channels = "grey" if strip_network.contract.inputs[0].shape[-1] == 1 else "rgb"
    looker = Looker(Network(finder), strip_network, channels)
    needed: dict[bool, list[int | None]] = {True: [], False: []}
    false: dict[bool, list[int | None]] = {True: [], False: []}
    places, scores, strips, nothing, people = [], [], [], [], set()
    with bar("frames", index.frames // every, "frames") as advance:
        for split in SPLITS:
            if not index.splits[split].frames:
                continue
            for frame in frames_of(index, split, every):
                height, width = frame.image.shape[:2]
                find = read_finder(looker.find(frame.image), width, height)
                places.append(np.array([find.x, find.y, find.width]) / Q4)
                scores.append(find.score / Q12)
                strips.append(frame.strip)
                people.add(frame.subject)
                for way in needed:
                    needed[way].append(looker.acquire(frame.image, frame.strip, way, LIMIT))
                if frame.room is not None:
                    room = frame.room
                    nothing.append(read_finder(looker.find(room), room.shape[1], room.shape[0]).score / Q12)
                    for way in false:
                        false[way].append(looker.acquire(room, None, way, ROOM_FRAMES))
                advance(1)
    numbers = summarize_finder(np.array(places), np.array(scores), np.array(strips), np.array(nothing))
    shared = {
        "data": "synthetic, held out", "frames": len(scores), "people": len(people), "rooms": len(nothing),
        "model": model.name,
    }  # fmt: skip
    rows: list[dict[str, object]] = [
        {
            **shared, "way": "finder alone", "model": finder.name, f"within_{WITHIN}_widths": round(numbers.within, 4),
            "median_distance_widths": round(numbers.distance, 4), "p90_distance_widths": round(numbers.distance_p90, 4),
            "median_ln_width": round(numbers.ln_width, 4),
            "recall_at_1_percent_false": None if numbers.recall is None else round(numbers.recall, 4),
        }
    ]  # fmt: skip
    for way, name in ((True, "finder and aim"), (False, "aim alone")):
        found = np.array([LIMIT + 1 if n is None else n for n in needed[way]])
        rows.append(
            {
                **shared, "way": name, f"found_in_{LIMIT}_frames": round(float((found <= LIMIT).mean()), 4),
                "median_frames": float(np.median(found)),
                f"rooms_followed_in_{ROOM_FRAMES}_frames": round(np.mean([n is not None for n in false[way]]), 4),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    """Parse arguments and write benchmarks/results/finder.csv."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("held_out", type=Path)
    parser.add_argument("--finder", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="use every so many frames")
    chosen = parser.parse_args()
    rows = measure(chosen.held_out, chosen.finder, chosen.model, chosen.every)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    write_csv("finder", [{c: row.get(c, "") for c in columns} for row in rows], ("tensorflow",))


if __name__ == "__main__":
    main()
