"""An interval over people needs people: with one, tables say so instead of showing two equal numbers."""

import io

from rich.console import Console

from tinytracker.cli.evaluate import error_table
from tinytracker.evaluate.metrics import ErrorNumbers, Errors


def test_one_person_has_no_interval():
    def numbers(subjects, ci95_cm):
        return ErrorNumbers(
            frames=9, subjects=subjects, error_cm=7.7, median_cm=7.0, dot_error_cm=7.1, ci95_cm=ci95_cm, constant_cm=8.0
        )  # fmt: skip

    one, three = numbers(1, (7.7, 7.7)), numbers(3, (6.1, 9.2))
    errors = Errors(
        overall=three, by_family={"phone": one}, by_orientation={"1": three}, by_device={"iPhone 6": one}, by_subject={}
    )  # fmt: skip
    console = Console(file=io.StringIO(), width=160)
    console.print(error_table("test", errors))
    text = console.file.getvalue()
    assert text.count("one person") == 2
    assert text.count("6.10 to 9.20") == 2
    assert "7.70 to 7.70" not in text
