"""Documents: JSON with a schema version, each written and read through one pydantic model.

What is written may hold only keys that its model knows: a key that nobody declared is a defect of this code. What is
read may hold others, which are ignored: an addition does not change the version, so that files of a later release with
the same version can be read. A change that readers must know of raises `Versioned.newest`.
"""

from __future__ import annotations

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
    """A part of a document. Keys are written in the order of the fields; fields that were never set are left out."""

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
        """What is written, JSON-able."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude_unset=True)
        return document


class Versioned(Part):
    """Something on disk with a schema version, in a field of that name.

    Attributes:
        title: what the file is, for sentences: "the description of a run".
        way_out: for a file that is something else, or damaged.
        newest: schema version that is written.
        migrations: from an older version to the next: changes the JSON document of version N to that of N + 1.
    """

    title: ClassVar[str]
    way_out: ClassVar[str] = ""
    newest: ClassVar[int] = 1
    migrations: ClassVar[Mapping[int, Migration]] = {}

    @classmethod
    def read(cls: type[V], path: Path) -> V:
        """The document in a file.

        Raises:
            InputFileError: missing, not JSON, something else, damaged, or of a version that cannot be read.
        """
        return cls.parse(path, read_json(path, cls.way_out))

    @classmethod
    def parse(cls: type[V], path: Path, document: Any) -> V:
        """The document in what was read from a file already; raises like `read`.

        Args:
            path: of the file, for sentences.
            document: its JSON.
        """
        document = versioned(path, document, cls)
        try:
            return cls.model_validate(document, context=_READING)
        except ValidationError as error:
            raise InputFileError(path, f"not {cls.title} ({explained(error)})", cls.way_out) from None


class Document(Versioned):
    """A JSON file whose first key is its schema version."""

    schema_version: int = 1

    def as_json(self) -> dict[str, Any]:
        """What is written, JSON-able; the version first."""
        return {"schema_version": self.newest} | super().as_json()

    def write(self, path: Path) -> Path:
        """Write the file; returns its path."""
        return write_json(path, self.as_json())


def versioned(path: Path, document: Any, kind: type[Versioned]) -> dict[str, Any]:
    """The JSON object of a document in the newest version, migrated when it is older.

    Raises:
        InputFileError: no JSON object, without a version, of a newer one, or of one from which nothing leads here.
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


def explained(error: ValidationError) -> str:
    """The first problem of a validation: where and what."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
