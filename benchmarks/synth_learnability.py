"""Test whether a network can learn gaze from the synthetic data, and whether it learns it from the eyes.

Trains one small network (minimalistic MobileNetV3-Small, random start) on one kind of input cut from the frames, and
compares its error on held-out subjects with that of the best constant. The controls are the same with the eyes painted
over, and a ridge regression on the face box alone. A constant for each orientation is the second baseline, because
the orientation of a device says much about the position of its screen. Each run appends one row to a CSV file.

    tinytracker synth data/learn --subjects 900 --frames 60 --seed 1
    python benchmarks/synth_learnability.py data/learn --input ridge --train-frames 20000
    python benchmarks/synth_learnability.py data/learn --input ridge-by-orientation --train-frames 20000
    python benchmarks/synth_learnability.py data/learn --input band --train-frames 20000 40000 10000 5000
    python benchmarks/synth_learnability.py data/learn --input face --train-frames 20000
    python benchmarks/synth_learnability.py data/learn --input masked --train-frames 20000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import append_csv
from numpy.typing import NDArray
from PIL import Image

from tinytracker.arrays import Floats32

SIZES = {"face": (112, 112), "masked": (112, 112), "band": (192, 64), "band-masked": (192, 64)}
"""Width and height of each kind of input."""
BAND_PER_FACE = 0.75
MASK_GROWTH = 1.15
LONG_SIDE = 640.0


@dataclass
class Data:
    """Frames with face and eyes found: images (n, h, w, 3), boxes (n, 3), gaze (n, 2) cm, orientation 1 to 4."""

    pictures: NDArray[np.uint8]
    boxes: Floats32
    gaze: Floats32
    subject: NDArray[np.int64]
    orientation: NDArray[np.int64]

    def first(self, frames: int) -> Data:
        """Return the first subjects that together have at least this many frames; images are shared, not copied.

        Raises:
            SystemExit: the data has fewer frames.
        """
        if frames > len(self.gaze):
            raise SystemExit(
                f"{frames} training frames were asked for; the data has {len(self.gaze)}. Draw more subjects."
            )
        end = int(np.searchsorted(self.subject, self.subject[frames - 1], side="right"))
        return Data(
            self.pictures[:end], self.boxes[:end], self.gaze[:end], self.subject[:end], self.orientation[:end]
        )


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def cut(frame: Image.Image, kind: str, face: Any, left: Any, right: Any) -> NDArray[np.uint8]:
    """Return the network's input from one frame; boxes are (x, y, w, h) in px of the frame."""
    if kind.endswith("masked"):
        frame = frame.copy()
        grey = tuple(int(v) for v in np.asarray(frame.resize((1, 1), Image.Resampling.BOX))[0, 0])
        for x, y, w, h in (left, right):
            extra_w, extra_h = w * (MASK_GROWTH - 1) / 2, h * (MASK_GROWTH - 1) / 2
            frame.paste(
                grey, (int(x - extra_w), int(y - extra_h), int(x + w + extra_w), int(y + h + extra_h))
            )
    width, height = SIZES[kind]
    if kind.startswith("band"):
        cx = (left[0] + left[2] / 2 + right[0] + right[2] / 2) / 2
        cy = (left[1] + left[3] / 2 + right[1] + right[3] / 2) / 2
        w = face[2] * BAND_PER_FACE
        h = w * height / width
        box = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    else:
        box = (face[0], face[1], face[0] + face[2], face[1] + face[3])
    # `resize` refuses boxes that extend beyond the image; the area outside is black, as in GazeCapture.
    whole = tuple(int(v) for v in (np.floor(box[0]), np.floor(box[1]), np.ceil(box[2]), np.ceil(box[3])))
    part = frame.crop(whole)
    inner = (box[0] - whole[0], box[1] - whole[1], box[2] - whole[0], box[3] - whole[1])
    return np.asarray(part.resize((width, height), Image.Resampling.BILINEAR, box=inner))


@dataclass
class Part:
    """The usable frames of one subject, before they are joined into arrays."""

    split: str
    pictures: list[NDArray[np.uint8]]
    boxes: list[list[float]]
    gaze: list[list[float]]
    orientation: list[int]


def read_subject(folder: Path, kind: str) -> Part:
    """Read the JSON files and cut the inputs of one subject."""
    names = ("appleFace", "appleLeftEye", "appleRightEye", "dotInfo", "frames", "info", "screen")
    tables = {name: read_json(folder / f"{name}.json") for name in names}
    face, left, right, dots = (tables[name] for name in names[:4])
    part = Part(tables["info"]["Dataset"], [], [], [], [])
    for i, name in enumerate(tables["frames"]):
        if not (face["IsValid"][i] and left["IsValid"][i] and right["IsValid"][i]):
            continue
        f = [face[k][i] for k in "XYWH"]
        eyes = [[e["X"][i] + f[0], e["Y"][i] + f[1], e["W"][i], e["H"][i]] for e in (left, right)]
        with Image.open(folder / "frames" / name) as frame:
            width, height = frame.size
            if kind in SIZES:
                part.pictures.append(cut(frame.convert("RGB"), kind, f, *eyes))
        middle = [(f[0] + f[2] / 2 - width / 2) / LONG_SIDE, (f[1] + f[3] / 2 - height / 2) / LONG_SIDE]
        part.boxes.append([*middle, f[2] / LONG_SIDE])
        part.gaze.append([dots["XCam"][i], dots["YCam"][i]])
        part.orientation.append(tables["screen"]["Orientation"][i])
    return part


def join(parts: list[tuple[int, Part]]) -> Data:
    """Read numbered subjects into arrays."""
    return Data(
        pictures=np.array([p for _, part in parts for p in part.pictures], np.uint8),
        boxes=np.array([b for _, part in parts for b in part.boxes], np.float32),
        gaze=np.array([g for _, part in parts for g in part.gaze], np.float32),
        subject=np.array([number for number, part in parts for _ in part.gaze]),
        orientation=np.array([o for _, part in parts for o in part.orientation], np.int64),
    )


def read_data(root: Path, kind: str, train_frames: int | None, threads: int) -> tuple[Data, Data]:
    """Return train and held-out (val and test) frames; train subjects are added until `train_frames` is reached."""
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    train: list[tuple[int, Part]] = []
    held: list[tuple[int, Part]] = []
    with ThreadPoolExecutor(threads) as pool:
        for number, part in enumerate(pool.map(lambda p: read_subject(p, kind), folders)):
            if part.split != "train":
                held.append((number, part))
            elif not train_frames or sum(len(p.gaze) for _, p in train) < train_frames:
                train.append((number, part))
    return join(train), join(held)


def error(predicted: Floats32, truth: Floats32) -> float:
    """Return the mean Euclidean distance in cm."""
    return float(np.linalg.norm(predicted - truth, axis=1).mean())


def best_constant(gaze: Floats32) -> Floats32:
    """Return the point with the least mean distance (geometric median, Weiszfeld's iteration)."""
    point = gaze.mean(0)
    for _ in range(200):
        weight = 1 / np.maximum(np.linalg.norm(gaze - point, axis=1), 1e-6)
        point = (gaze * weight[:, None]).sum(0) / weight.sum()
    return point


def constant_error(train: Data, held: Data) -> float:
    """Return the mean distance, cm, of the held-out gaze from the best constant of the train set."""
    return error(np.broadcast_to(best_constant(train.gaze), held.gaze.shape), held.gaze)


def constant_error_by_orientation(train: Data, held: Data) -> float:
    """Return the same with a constant for each orientation, which shows the value of knowing the orientation."""
    point = {o: best_constant(train.gaze[train.orientation == o]) for o in np.unique(held.orientation)}
    return error(np.stack([point[o] for o in held.orientation]), held.gaze)


def within_subject_correlation(predicted: Floats32, data: Data) -> list[float]:
    """Return the correlation of x and of y after removing each subject's mean."""
    p, g = predicted.copy(), data.gaze.copy()
    for s in np.unique(data.subject):
        mine = data.subject == s
        p[mine] -= p[mine].mean(0)
        g[mine] -= g[mine].mean(0)
    return [
        float((p[:, k] * g[:, k]).sum() / np.sqrt((p[:, k] ** 2).sum() * (g[:, k] ** 2).sum() + 1e-12))
        for k in (0, 1)
    ]


def ridge_by_orientation(train: Data, held: Data) -> tuple[Floats32, Floats32]:
    """Fit a regression for each orientation, as in a program that knows how the device is held."""
    results = np.zeros_like(train.gaze), np.zeros_like(held.gaze)
    for orientation in np.unique(train.orientation):
        masks = [data.orientation == orientation for data in (train, held)]
        parts = [
            Data(data.pictures[:0], data.boxes[m], data.gaze[m], data.subject[m], data.orientation[m])
            for data, m in zip((train, held), masks, strict=True)
        ]
        for result, mask, predicted in zip(results, masks, ridge(*parts), strict=True):
            result[mask] = predicted
    return results


def ridge(train: Data, held: Data) -> tuple[Floats32, Floats32]:
    """Fit a quadratic ridge regression on the face box; return predictions for both sets."""

    def features(boxes: Floats32) -> NDArray[np.float64]:
        b = np.column_stack([boxes, 1 / boxes[:, 2:]])
        pairs = [b[:, i] * b[:, j] for i in range(4) for j in range(i, 4)]
        return np.column_stack([b, *pairs])

    x = features(train.boxes)
    mean, scale = x.mean(0), x.std(0) + 1e-9
    design = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    weights = np.linalg.solve(design.T @ design + np.eye(design.shape[1]), design.T @ train.gaze)

    def predict(data: Data) -> Floats32:
        return (
            np.column_stack([(features(data.boxes) - mean) / scale, np.ones(len(data.boxes))]) @ weights
        ).astype(np.float32)

    return predict(train), predict(held)


RIDGES = {"ridge": ridge, "ridge-by-orientation": ridge_by_orientation}


def build_model(size: tuple[int, int]) -> Any:
    """Return the network: trunk, 1 x 1 convolution to 16, flatten, concatenated face box, 128 units, gaze."""
    import tensorflow as tf

    keras = tf.keras
    trunk = keras.applications.MobileNetV3Small(
        input_shape=(size[1], size[0], 3),
        minimalistic=True,
        include_top=False,
        weights=None,
        include_preprocessing=False,
    )
    for layer in trunk.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = (
                0.95  # Keras' 0.999 needs thousands of steps before the held-out error is meaningful
            )
    trunk = keras.models.model_from_json(trunk.to_json())
    picture, box = keras.Input((size[1], size[0], 3)), keras.Input((3,))
    x = keras.layers.Conv2D(16, 1, use_bias=False)(trunk(picture))
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.95)(x))
    x = keras.layers.Concatenate()([keras.layers.Flatten()(x), box])
    x = keras.layers.Dense(128, activation="relu")(x)
    return keras.Model([picture, box], keras.layers.Dense(2)(x))


def train_network(
    train: Data, held: Data, size: tuple[int, int], epochs: int, batch: int, seed: int
) -> tuple[Floats32, Floats32, int]:
    """Train; return predictions for both sets and the number of parameters."""
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # TensorFlow leaves it off without AVX-512
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    model = build_model(size)
    spread = train.boxes.std(0) + 1e-6
    box_mean = train.boxes.mean(0)
    centre, scale = train.gaze.mean(0), train.gaze.std()
    steps = int(np.ceil(len(train.gaze) / batch))
    schedule = tf.keras.optimizers.schedules.CosineDecay(
        2e-3, steps * epochs, warmup_target=2e-3, warmup_steps=steps // 2
    )
    optimizer = tf.keras.optimizers.AdamW(schedule, weight_decay=1e-4)

    # Normal random numbers are expensive: all noise comes from one stock, read from another place for each batch.
    places = 1 << 20
    stock = tf.random.normal([batch * size[0] * size[1] * 3 + places], 0, 0.02)

    def pixels(p: Any) -> Any:
        return tf.cast(p, tf.float32) / 128.0 - 1.0

    @tf.function(jit_compile=True)  # one pass over the images instead of eight
    def vary(p: Any, flip: Any, gain: Any, shift: Any, noise: Any) -> Any:
        x = pixels(p)
        x = tf.where(flip[:, None, None, None] > 0, x[:, :, ::-1], x)
        return tf.clip_by_value(x * gain + shift + noise, -1, 1)

    def uniform(low: float, high: float) -> Any:
        return tf.random.uniform([batch, 1, 1, 1], low, high)

    @tf.function
    def step(p: Any, b: Any, g: Any) -> Any:
        flip = tf.cast(tf.random.uniform([batch]) < 0.5, tf.float32)
        start = tf.random.uniform([], 0, places, tf.int32)
        noise = tf.reshape(stock[start : start + batch * size[0] * size[1] * 3], [batch, size[1], size[0], 3])
        x = vary(p, flip, uniform(0.75, 1.25), uniform(-0.15, 0.15), noise)
        sign = tf.stack([1 - 2 * flip, tf.ones([batch])], 1)
        b = b * tf.concat([sign, tf.ones([batch, 1])], 1)
        g = g * sign
        with tf.GradientTape() as tape:
            out = model([x, (b - box_mean) / spread], training=True) * scale + centre
            loss = tf.reduce_mean(tf.sqrt(tf.reduce_sum((out - g) ** 2, 1) + 1e-3))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    @tf.function
    def forward(p: Any, b: Any) -> Any:
        return model([pixels(p), (b - box_mean) / spread], training=False) * scale + centre

    def predict(data: Data) -> Floats32:
        parts = [
            forward(data.pictures[i : i + 256], data.boxes[i : i + 256]).numpy()
            for i in range(0, len(data.gaze), 256)
        ]
        return np.concatenate(parts)

    rng = np.random.default_rng(seed)

    def batches() -> Iterator[NDArray[np.int64]]:
        order = rng.permutation(len(train.gaze))
        for i in range(0, len(order) - batch + 1, batch):
            yield np.sort(order[i : i + batch])

    for epoch in range(epochs):
        start = time.time()
        losses = [float(step(train.pictures[k], train.boxes[k], train.gaze[k])) for k in batches()]
        held_error = (
            error(predict(held), held.gaze) if epoch % 4 == 1 or epoch == epochs - 1 else float("nan")
        )
        print(
            f"epoch {epoch + 1}/{epochs} train {np.mean(losses):.3f} held {held_error:.3f} cm, "
            f"{time.time() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return predict(train), predict(held), model.count_params()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--input", choices=[*SIZES, *RIDGES], default="face")
    parser.add_argument("--train-frames", type=int, nargs="+", help="one run each; default: all frames")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="threads that read the images")
    arguments = parser.parse_args()
    most = max(arguments.train_frames) if arguments.train_frames else None
    everything, held = read_data(arguments.data, arguments.input, most, arguments.threads)
    for frames in arguments.train_frames or [len(everything.gaze)]:
        row = measure(arguments, everything.first(frames), held)
        append_csv("synth_learnability", row, ["tensorflow"])
        print(json.dumps(row))


def measure(arguments: argparse.Namespace, train: Data, held: Data) -> dict[str, Any]:
    """Train or fit on one set of frames; return the row of results."""
    start = time.time()
    epochs = 0 if arguments.input in RIDGES else arguments.epochs
    parameters = 0
    if arguments.input in RIDGES:
        on_train, on_held = RIDGES[arguments.input](train, held)
    else:
        on_train, on_held, parameters = train_network(
            train, held, SIZES[arguments.input], epochs, arguments.batch, arguments.seed
        )
    constant, by_orientation = constant_error(train, held), constant_error_by_orientation(train, held)
    held_error = error(on_held, held.gaze)
    correlation = within_subject_correlation(on_held, held)
    made_with = read_json(arguments.data / "synth.json") if (arguments.data / "synth.json").exists() else {}
    return {
        "input": arguments.input,
        "train_frames": len(train.gaze),
        "train_subjects": len(np.unique(train.subject)),
        "held_frames": len(held.gaze),
        "held_subjects": len(np.unique(held.subject)),
        "epochs": epochs,
        "seed": arguments.seed,
        "parameters": parameters,
        "train_cm": round(error(on_train, train.gaze), 3),
        "held_cm": round(held_error, 3),
        "constant_cm": round(constant, 3),
        "ratio": round(held_error / constant, 3),
        "orientation_constant_cm": round(by_orientation, 3),
        "orientation_ratio": round(held_error / by_orientation, 3),
        "r_x": round(correlation[0], 3),
        "r_y": round(correlation[1], 3),
        "seconds": round(time.time() - start),
        "generator_version": made_with.get("generator_version", ""),
        "difficulty": made_with.get("difficulty", ""),
    }


if __name__ == "__main__":
    main()
