"""JSON documents with a schema version, each written and read through one pydantic model.

A written document may hold only the keys of its model: an undeclared key is a bug in this code. A document that is
read may hold others, which are ignored: an addition does not change the version, so that files of a later release with
the same version can be read. A change that readers must know of increments `Versioned.newest`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, ValidationInfo, model_validator

from tinytracker.errors import InputFileError
from tinytracker.files import read_json, write_json

__all__ = ["Document", "JsonValue", "Part", "Versioned", "explained", "versioned"]

_READING = object()
"""Context of a validation whose input comes from a file."""

Migration = Callable[[dict[str, Any]], dict[str, Any]]
V = TypeVar("V", bound="Versioned")


class Part(BaseModel):
    """A part of a document. Keys are written in the order of the fields; fields that were never set are omitted."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: Any, info: ValidationInfo) -> Any:
        is_closed = cls.model_config.get("extra") != "allow"
        if isinstance(data, dict) and is_closed and info.context is not _READING:
            unknown = [key for key in data if key not in cls.model_fields]
            if unknown:
                raise ValueError(f"{cls.__name__} has no {', '.join(map(repr, unknown))}")
        return data

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object to write."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude_unset=True)
        return document


class Versioned(Part):
    """A document on disk with its schema version in the field `schema_version`.

    Attributes:
        title: what the file is, for messages: "the description of a run".
        way_out: hint for a file that is something else or damaged.
        newest: schema version of written files.
        migrations: by version N: turns the JSON document of version N into that of N + 1.
    """

    title: ClassVar[str]
    way_out: ClassVar[str] = ""
    newest: ClassVar[int] = 1
    migrations: ClassVar[Mapping[int, Migration]] = {}

    @classmethod
    def read(cls: type[V], path: Path) -> V:
        """Read the document in a file.

        Raises:
            InputFileError: the file is missing, damaged, not JSON, another document, or of an unsupported version.
        """
        return cls.parse(path, read_json(path, cls.way_out))

    @classmethod
    def parse(cls: type[V], path: Path, document: Any) -> V:
        """Check a document that was already read from a file; raises like `read`.

        Args:
            path: the file, for messages.
            document: its JSON.
        """
        document = versioned(path, document, cls)
        try:
            found = cls.model_validate(document, context=_READING)
        except ValidationError as error:
            raise InputFileError(path, f"not {cls.title} ({explained(error)})", cls.way_out) from None
        if strange := _not_finite(document):
            raise InputFileError(path, f"not {cls.title} ({strange} is not a finite number)", cls.way_out)
        return found


class Document(Versioned):
    """A JSON file whose first key is its schema version."""

    schema_version: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object to write, the version first."""
        return {"schema_version": self.newest} | super().as_json()

    def write(self, path: Path) -> Path:
        """Write the file; returns its path."""
        return write_json(path, self.as_json())


def versioned(path: Path, document: Any, kind: type[Versioned]) -> dict[str, Any]:
    """Return the JSON object of a document in the newest version, migrated when it is older.

    Raises:
        InputFileError: not a JSON object, or its version is missing, newer, or too old to migrate.
    """
    if not isinstance(document, dict):
        raise InputFileError(path, f"not {kind.title} (it is not a JSON object)", kind.way_out)
    version = document.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool):
        problem = f"schema_version is {version!r}" if "schema_version" in document else "no schema_version"
        raise InputFileError(path, f"not {kind.title} ({problem})", kind.way_out)
    if version > kind.newest:
        raise InputFileError(
            path,
            f"schema version {version}, but this release reads {kind.newest} at most",
            "Update tinytracker.",
        )
    found: dict[str, Any] = document
    for step in range(version, kind.newest):
        if step not in kind.migrations:
            raise InputFileError(
                path, f"schema version {version} is too old; this release reads {kind.newest}", kind.way_out
            )
        found = {**kind.migrations[step](found), "schema_version": step + 1}
    return found


def _not_finite(value: Any) -> str:
    """Return where a document holds NaN or infinity, which Python accepts in JSON although they are not JSON.

    Fields of any content, such as what a board says about itself, are not checked by their models.
    """
    left: list[tuple[str, Any]] = [("", value)]
    while left:  # not by recursion: a file may be nested as deeply as Python can read
        where, part = left.pop()
        if isinstance(part, float) and not math.isfinite(part):
            return f"{where}: {part}"
        parts = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        left += [(f"{where}.{key}" if where else str(key), inner) for key, inner in parts]
    return ""


def explained(error: ValidationError) -> str:
    """Return the first problem of a validation: where and what."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    what = str(first["msg"]).removeprefix(
        "Value error, "
    )  # of pydantic, before the words of our own validators
    return f"{where}: {what}" if where else what
