"""What `save` is given: arrays, things that can be sliced like arrays, and sources that are read when their turn comes."""

from __future__ import annotations

import sys
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from codecs_core import media
from codecs_core.api.mapped import guarded, private
from codecs_core.arrays import ArraySpec, logical_name, normalise, stored, stored_dtype, tensor
from codecs_core.errors import ConfigError, InputError, UnsupportedArrayError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import EllipsisType

    from numpy.typing import NDArray

    from codecs_core.media.glimpse import Glimpse

    Where = slice | tuple[slice, ...] | EllipsisType

#: Libraries whose objects have names of rows, columns or dimensions: the types that do, and what to save instead.
_LABELLED = {
    "pandas": (("DataFrame", "Series"), "its to_xarray()"),
    "xarray": (("Dataset", "DataArray", "DataTree", "Variable"), "a Dataset or a DataArray"),
}


@runtime_checkable
class Source(Protocol):
    """An array that is not in memory yet. `save` reads it when its turn comes and then lets go of it.

    `read` may be called from several threads and more than once.
    """

    @property
    def spec(self) -> ArraySpec:
        """Shape and dtype, known without reading."""

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Attributes to keep with the entry."""

    def read(self) -> NDArray[Any]:
        """The array, of exactly `spec`."""


@runtime_checkable
class Sliceable(Protocol):
    """Something with the shape, the dtype and the slices of an array: a memory map, a dataset, an entry of another file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of its axes."""

    @property
    def dtype(self) -> Any:
        """Type of its values, as NumPy has it or another library."""

    def __getitem__(self, where: Any, /) -> Any:
        """A part of it."""


class Items(ABC):
    """An array to be stored; its parts can be read one by one."""

    spec: ArraySpec
    attrs: dict[str, Any]
    #: Shape of the chunks in which the array lies where it comes from, if it is in such.
    chunks: tuple[int, ...] | None = None
    #: Of the bytes of a file that is kept whole, what they are like; see `codecs_core.media.Source`.
    hint: str = ""
    #: Whether several threads may call `part` at a time.
    shared: bool = False

    @abstractmethod
    def peek(self) -> Any:
        """Something that can be sliced, for a look at the data; it is not kept."""

    @abstractmethod
    def expect(self, parts: int) -> None:
        """Say how many times `part` is going to be called, so that the last call can let go of the array."""

    @abstractmethod
    def part(self, where: Where) -> Any:
        """Items `where`; raises `InputError` if there is something else than the spec said."""


class Held(Items):
    """An array, or something like one."""

    def __init__(self, array: Sliceable) -> None:
        self.array = guarded(array)
        self.spec = ArraySpec(tuple(int(n) for n in array.shape), _dtype_name(stored_dtype(array.dtype)))
        name = logical_name(array.dtype)
        self.attrs = {} if name is None else {"dtype": name}
        self.chunks = _chunk_shape(getattr(array, "chunks", None), self.spec)

    def peek(self) -> Any:  # noqa: D102
        return _Stored(self.array) if self.attrs else self.array

    def expect(self, parts: int) -> None:  # noqa: D102
        pass

    def part(self, where: Where) -> Any:  # noqa: D102
        try:
            part = self.array[where]
            return stored(np.asarray(part)) if self.attrs else part
        except OSError as error:
            raise InputError(f"an array cannot be read: {error}") from error


class _Stored:
    """What can be sliced, of a logical dtype: slices are of the integers that are stored for it."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __getitem__(self, where: Any) -> NDArray[Any]:
        return stored(np.asarray(self._array[where]))


class Deferred(Items):
    """The array of a `Source`, in memory from its first part to its last."""

    shared = True

    def __init__(self, source: Source) -> None:
        self.source = source
        self.spec = source.spec
        self.attrs = dict(source.attrs)
        said = self.attrs.get("media")
        self.chunks = _chunk_shape(said.get("chunks"), self.spec) if isinstance(said, dict) else None
        self._array: Any = None
        self._left = 0
        self._lock = threading.Lock()

    def peek(self) -> Any:  # noqa: D102
        return self._read()

    def expect(self, parts: int) -> None:  # noqa: D102
        with self._lock:
            self._left = parts

    def part(self, where: Where) -> Any:  # noqa: D102
        with self._lock:
            array = self._read() if self._array is None else self._array
            self._left -= 1
            self._array = array if self._left > 0 else None
        return array[where]

    def _read(self) -> Any:
        try:
            array = guarded(self.source.read())
        except OSError as error:
            raise InputError(f"a source cannot be read: {error}") from error
        if ArraySpec(tuple(array.shape), _dtype_name(array.dtype)) != self.spec:
            raise InputError(
                f"a source turned out {array.dtype} of shape {array.shape} where it had said {self.spec.dtype} "
                f"of {self.spec.shape}; did its file change?"
            )
        return array


class OfFile(Deferred):
    """An array of a file of the user: a piece of an image is in memory already, and more of it is read once."""

    def __init__(self, source: media.Source) -> None:
        super().__init__(source)
        self.hint = source.hint
        self._glimpse = source.glimpse

    def peek(self) -> Any:  # noqa: D102
        return self._read() if self._glimpse is None else _Glimpsed(self._glimpse, self._hold)

    def _hold(self) -> Any:
        """The whole image, which stays in memory until its last part is taken."""
        with self._lock:
            if self._array is None:
                self._array = self._read()
            return self._array


class _Glimpsed:
    """Something that can be sliced like an image. One piece of the image is in memory; what goes beyond that piece is read."""

    def __init__(self, glimpse: Glimpse, whole: Callable[[], Any]) -> None:
        self._glimpse, self._whole = glimpse, whole

    def __getitem__(self, where: Any) -> Any:
        kept = self._glimpse.take(where)
        return self._whole()[where] if kept is None else kept


class Announced(Items):
    """An array that comes later, by the side of this; only its spec is known."""

    def __init__(self, spec: ArraySpec) -> None:
        self.spec = spec
        self.attrs = {}

    def peek(self) -> Any:  # noqa: D102
        raise ConfigError("the data of this entry has not come yet")

    def expect(self, parts: int) -> None:  # noqa: D102
        pass

    def part(self, where: Where) -> Any:  # noqa: D102
        raise ConfigError("the data of this entry has not come yet")


def items(value: Any) -> Items:
    """Wrap what the caller gave.

    Raises
    ------
    UnsupportedArrayError
        If that is not an array, or one that no container holds.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise UnsupportedArrayError("a masked array cannot be stored; fill it, or store its mask as another entry")
    if isinstance(value, media.Source):
        return OfFile(value)
    if isinstance(value, Source):
        return Deferred(value)
    _refuse_names(value)
    if (bits := tensor(value)) is not None:
        held = Held(bits[0])
        held.attrs = {"dtype": bits[1]}
        return held
    if isinstance(value, Sliceable) and isinstance(value.dtype, np.dtype):
        return Held(value)
    try:
        return Held(np.asarray(value))
    except (ValueError, TypeError, RuntimeError) as error:
        raise UnsupportedArrayError(f"a {type(value).__name__} cannot be stored as an array: {error}") from error


def _refuse_names(value: Any) -> None:
    """Refuse what has names beside its values, which an array does not keep; also in a list."""
    for library, (names, instead) in _LABELLED.items():
        module = sys.modules.get(library)  # where nobody imported it, there is nothing of it
        types = tuple(vars(module)[name] for name in names if name in vars(module)) if module else ()
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, types):
                raise UnsupportedArrayError(
                    f"a {type(one).__name__} of {library} has names beside its values, which an array does not keep; save "
                    f"{instead}, or the values alone with numpy.asarray"
                )


def _chunk_shape(chunks: Any, spec: ArraySpec) -> tuple[int, ...] | None:
    """What an array says of its chunks, as the shape of one of them: dask has all lengths along each axis."""
    try:
        lengths = tuple(int(max(one)) if isinstance(one, tuple) else int(one) for one in chunks)
    except (TypeError, ValueError):
        return None
    return lengths if len(lengths) == len(spec.shape) and all(n > 0 for n in lengths) else None


def exactly(array: Any, spec: ArraySpec) -> NDArray[Any]:
    """A part as codecs take it, and nobody else's; raises `InputError` if it is not what the spec of the whole implies.

    What is encoded and what is digested are the same bytes, whatever becomes of the array meanwhile.
    """
    part = normalise(private(array))
    if ArraySpec.of(part) != spec:
        raise InputError(
            f"a part of an array must be {spec.dtype} of shape {spec.shape}, got {part.dtype} of shape {part.shape}"
        )
    return part


def _dtype_name(dtype: np.dtype[Any]) -> str:
    return ArraySpec.of(np.empty(0, dtype)).dtype
