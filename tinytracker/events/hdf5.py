"""HDF5 files, read with sentences instead of tracebacks, and written so that equal content gives equal bytes."""

from __future__ import annotations

import io
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading, write_bytes
from tinytracker.requirements import require

_NEEDED_FOR = "reading and writing events"


class Hdf5Reader:
    """An open HDF5 file; `with` closes it.

    Raises:
        InputFileError: the file is missing, cut short, or not HDF5.
        MissingDependencyError: h5py is not installed.
    """

    def __init__(self, path: Path, hint: str = "") -> None:
        require("h5py", "h5py", _NEEDED_FOR, "train")
        import h5py

        self._path, self._hint = path, hint
        with opened_for_reading(path, hint) as file:
            start = file.read(8)
        if start != b"\x89HDF\r\n\x1a\n":
            raise InputFileError(path, "this is not an HDF5 file", hint)
        try:
            self.file = h5py.File(path, "r")
        except OSError as error:
            raise InputFileError(
                path, f"the HDF5 file is damaged or cut short ({_first(error)})", hint
            ) from error

    def __enter__(self) -> Hdf5Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
        # What h5py raises where a file's own description of itself is damaged.
        if isinstance(error, OSError | RuntimeError | KeyError):
            raise InputFileError(
                self._path, f"the HDF5 file is damaged ({_first(error)})", self._hint
            ) from error

    def array(self, name: str, dtype: DTypeLike, columns: int = 1) -> NDArray[Any]:
        """Return a data set as (n,) or, with `columns` above 1, (n, columns).

        Raises:
            InputFileError: it is absent, has another shape, holds values that `dtype` does not, or cannot be read.
        """
        import h5py

        found = self.file.get(name)
        if not isinstance(found, h5py.Dataset):
            held = ", ".join(sorted(self.file)) or "nothing"
            raise InputFileError(
                self._path, f"there is no data set {name} (the file holds {held})", self._hint
            )
        if len(found.shape) != (1 if columns == 1 else 2) or (columns > 1 and found.shape[1] != columns):
            wanted = "(n,)" if columns == 1 else f"(n, {columns})"
            raise InputFileError(self._path, f"{name} has the shape {found.shape}, not {wanted}", self._hint)
        return self.converted(name, self._read(name), dtype)

    def converted(self, name: str, values: NDArray[Any], wanted: DTypeLike) -> NDArray[Any]:
        """Return values as another type.

        Raises:
            InputFileError: they are not numbers, or not all of them fit.
        """
        dtype = np.dtype(wanted)
        if values.dtype.kind not in "iufb":
            raise InputFileError(self._path, f"{name} holds {values.dtype}, not numbers", self._hint)
        if dtype.kind in "iu" and len(values):
            low, high, limits = values.min(), values.max(), np.iinfo(dtype)
            if values.dtype.kind == "f" or low < limits.min or high > limits.max:
                problem = (
                    f"{name} holds values from {low} to {high} ({values.dtype}), which do not fit {dtype}"
                )
                raise InputFileError(self._path, problem, self._hint)
        return values.astype(dtype, copy=False)

    def whole_number(self, name: str) -> int:
        """Return the only number of a data set.

        Raises:
            InputFileError: it is absent, not a data set, or not one whole number.
        """
        values = self._read(name).ravel() if self.is_array(name) else np.zeros(0)
        if len(values) != 1 or values.dtype.kind not in "iu":
            raise InputFileError(self._path, f"{name} is not a whole number", self._hint)
        return int(values[0])

    def records(self, name: str, fields: tuple[str, ...]) -> NDArray[Any]:
        """Return a data set of records (n,) that has these fields.

        Raises:
            InputFileError: a field is absent, or it cannot be read.
        """
        dtype = self.file[name].dtype
        if dtype.names is None or not set(fields) <= set(dtype.names):
            raise InputFileError(self._path, f"{name} has no fields {', '.join(fields)}", self._hint)
        return self._read(name)

    def is_array(self, name: str) -> bool:
        """Whether the file holds a data set of this name."""
        import h5py

        return isinstance(self.file.get(name), h5py.Dataset)

    def is_group(self, name: str) -> bool:
        """Whether the file holds a group of this name."""
        import h5py

        return isinstance(self.file.get(name), h5py.Group)

    def _read(self, name: str) -> NDArray[Any]:
        try:
            return np.asarray(self.file[name][()])
        except (OSError, ValueError, RuntimeError) as error:
            filters = _filters(self.file[name])
            if filters:
                problem = f"{name} is compressed by {filters}, which this installation of HDF5 does not have"
                hint = "Install the filter as a plug-in of HDF5 (docs/events.md), or write the file again with deflate."
                raise InputFileError(self._path, problem, hint) from error
            raise InputFileError(
                self._path, f"{name} cannot be read ({_first(error)})", self._hint
            ) from error

    def attribute(self, name: str) -> int:
        """Return a whole number among the file's attributes.

        Raises:
            InputFileError: it is absent or something else.
        """
        return self.attribute_tuple(name, 1)[0]

    def attribute_tuple(self, name: str, size: int) -> tuple[int, ...]:
        """Return `size` whole numbers of one attribute.

        Raises:
            InputFileError: it is absent or something else.
        """
        values = np.asarray(self.file.attrs.get(name, ())).ravel()
        if len(values) != size or values.dtype.kind not in "iu":
            wanted = "a whole number" if size == 1 else f"{size} whole numbers"
            raise InputFileError(self._path, f"the attribute {name} is not {wanted}", self._hint)
        return tuple(int(v) for v in values)

    def text(self, name: str) -> str:
        """Return a text among the file's attributes, "" when it is absent."""
        value = self.file.attrs.get(name, "")
        return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


_FILTERS = {
    0x8ECF: "Prophesee's codec ECF",
    32001: "Blosc",
    32026: "Blosc2",
    32004: "LZ4",
    32015: "Zstandard",
}
"""By the number that the HDF Group registered, except for ECF's, which its authors chose."""


def _filters(found: Any) -> str:
    """Return the names of a data set's filters that are not installed, "" for none."""
    import h5py

    plist = found.id.get_create_plist()
    codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    missing = [code for code in codes if not h5py.h5z.filter_avail(code)]
    return " and ".join(_FILTERS.get(code, f"filter {code}") for code in missing)


def _first(error: BaseException) -> str:
    """Return the first line of a library's message."""
    return (str(error).splitlines() or [type(error).__name__])[0]


class Hdf5Writer:
    """An HDF5 file that appears, complete, when the `with` block ends without an error.

    It is made in memory: libraries stamp no time into it, and an interrupted run leaves nothing behind.
    """

    def __init__(self, path: Path) -> None:
        require("h5py", "h5py", _NEEDED_FOR, "train")
        import h5py

        self._path = path
        self._memory = io.BytesIO()
        self._file = h5py.File(self._memory, "w", track_order=False)

    def __enter__(self) -> Hdf5Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is None:
            write_bytes(self._path, self._memory.getvalue())

    def array(self, name: str, values: NDArray[Any] | np.generic) -> None:
        """Store an array, compressed by what every HDF5 library can read (deflate with byte shuffling)."""
        options: dict[str, Any] = {}
        if np.ndim(values) and np.size(values):
            options = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
        self._file.create_dataset(name, data=values, track_times=False, **options)

    def attributes(self, values: dict[str, Any]) -> None:
        """Store attributes of the file: whole numbers, texts and small arrays."""
        for name, value in values.items():
            self._file.attrs[name] = value
