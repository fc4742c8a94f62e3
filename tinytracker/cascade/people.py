"""The people of several data sets of sequences, as strategies are compared on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinytracker.cascade.looking import sequence_folders, viewings
from tinytracker.cascade.numbers import FIRST, judged
from tinytracker.cascade.simulation import Prepared
from tinytracker.errors import InputFileError, UsageError
from tinytracker.files import StrPath


def load_people(
    big: bytes, little: bytes, sequences: Sequence[StrPath], keep: StrPath
) -> tuple[tuple[str, ...], list[Prepared]]:
    """Compute or load the viewings of all people.

    Args:
        big: content of a .tflite file.
        little: likewise.
        sequences: folders that `tinytracker synth --sequences` has written.
        keep: folder for finished viewings.

    Raises:
        InputFileError: a folder holds no sequences, a file is damaged, or a person cannot be judged.
        ModelError: a network does not see a strip, or does not aim.
        UsageError: there are fewer than two people, or one is there twice.
    """
    names, folders = find_people(sequences)
    people = []
    for folder, (_, viewing) in zip(folders, viewings(folders, big, little, keep), strict=True):
        if not judged(viewing).any():
            raise InputFileError(
                folder, f"in none of its {len(viewing)} frames are both eyes visible and open after the first {FIRST}",
                "Remove this folder, or draw longer sequences: `tinytracker synth OUT --sequences --frames 500`.",
            )  # fmt: skip
        people.append(Prepared(viewing))
    return names, people


def find_people(sequences: Sequence[StrPath]) -> tuple[tuple[str, ...], list[Path]]:
    """Return names and folders of all people, without looking at a frame.

    Args:
        sequences: see `load_people`.

    Raises:
        InputFileError: a folder holds no sequences.
        UsageError: see `load_people`.
    """
    folders = [folder for data in sequences for folder in sequence_folders(data)]
    _require_people(folders)
    return tuple(f"{folder.parent.name}/{folder.name}" for folder in folders), folders


def _require_people(folders: Sequence[Path]) -> None:
    """Refuse what cannot be cross-validated, before the networks look at anything."""
    if len(folders) < 2:
        raise UsageError("There is a sequence of only one person.", "Give sequences of two people or more.")
    places = [folder.resolve() for folder in folders]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise UsageError(
                f"{folders[number]} is given twice: its person would be judged with thresholds chosen on itself.",
                "Give each folder of --sequences once.",
            )
