"""Versions and unknown keys of documents, on toy ones."""

import json
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tinytracker.documents import Document, Part
from tinytracker.errors import InputFileError
from tinytracker.runs import RunDescription


class Size(Part):
    width: float
    height: float = 1.0


class Sheet(Document):
    """Version 2 has a size where version 1 had a width."""

    title: ClassVar[str] = "a sheet"
    way_out: ClassVar[str] = "Cut another."
    newest: ClassVar[int] = 2
    migrations = {1: lambda old: {"name": old["name"], "size": {"width": old["width"]}}}  # noqa: RUF012

    name: str
    size: Size
    colour: str | None = None


def put(path, **document):
    path.write_text(json.dumps(document))
    return path


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_what_is_written_is_read_again_byte_for_byte(tmp_path_factory, name, width, coloured):
    path = tmp_path_factory.mktemp("sheet") / "sheet.json"
    sheet = Sheet(name=name, size=Size(width=width), **({"colour": None} if coloured else {}))
    before = sheet.write(path).read_bytes()
    assert list(json.loads(before)) == ["schema_version", "name", "size", *(["colour"] if coloured else [])]
    assert Sheet.read(path).write(path).read_bytes() == before


def test_an_unknown_key_is_an_error_where_a_document_is_made():
    with pytest.raises(ValidationError, match="Sheet has no 'nmae'"):
        Sheet(name="a", nmae="b", size=Size(width=1.0))
    with pytest.raises(ValidationError, match="Size has no 'depth'"):
        Sheet(name="a", size={"width": 1.0, "depth": 2.0})


def test_an_unknown_key_is_ignored_where_one_is_read(tmp_path):
    path = put(tmp_path / "s", schema_version=2, name="a", later=1, size={"width": 1.0, "later": [2]})
    assert Sheet.read(path) == Sheet(schema_version=2, name="a", size=Size(width=1.0))


def test_an_older_version_is_migrated(tmp_path):
    read = Sheet.read(put(tmp_path / "s", schema_version=1, name="a", width=3.0))
    assert (read.schema_version, read.size.width) == (2, 3.0)
    assert read.as_json()["schema_version"] == 2


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"schema_version": 3}, r"schema version 3, but this release reads 2 at most. Update tinytracker"),
        ({"schema_version": 0}, r"schema version 0 is too old; this release reads 2. Cut another"),
        ({"schema_version": True}, r"not a sheet .schema_version is True"),
        ({"schema_version": "2"}, r"not a sheet .schema_version is '2'"),
        ({}, r"not a sheet .no schema_version.*Cut another"),
        (
            {"schema_version": 2, "name": "a", "size": {"width": float("nan")}},
            r"size\.width: .*finite number",
        ),
        ({"schema_version": 2, "name": "a"}, r"not a sheet .size: Field required"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, document, sentence):
    with pytest.raises(InputFileError, match=sentence):
        Sheet.read(put(tmp_path / "s", **document))


@pytest.mark.parametrize("text", ["", "[]", "null", "3", "{", '"x"'])
def test_what_is_no_document_is_a_sentence(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputFileError, match=r"run\.json: not "):
        RunDescription.read(tmp_path / "run.json")
