"""One array of an open file, to be indexed like a numpy array."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.api.opening.scaled import scaled
from codecs_core.api.opening.selection import select
from codecs_core.api.parallel import aside, ordered
from codecs_core.arrays import logical, logical_dtype
from codecs_core.report import html, info
from codecs_core.scale import ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from numpy.typing import DTypeLike, NDArray

    from codecs_core.api.opening.decoder import Decoder
    from codecs_core.api.opening.file import File
    from codecs_core.api.opening.selection import Part
    from codecs_core.container import Entry


#: A single chunk of more bytes than that is decoded by another thread: slow codecs take more than a moment for it.
_ASIDE = 1 << 14


class EntryView:
    """One array of an open file. Indexing decodes only the chunks it touches, and gives what numpy would.

    It may be pickled, and is what ``dask.array.from_array`` takes.

    Raises
    ------
    CorruptDataError, DecodeMismatchError
        If a chunk is damaged, or decodes to something else than was encoded.
    MissingChunkError
        If a chunk is missing, and `codecs_core.open` was given nothing to fill it with.
    UnknownCodecError, PluginLoadError, ModelNotFoundError, UnsupportedFeatureError
        If the codec or its model cannot be had, or is too old.
    LimitExceededError
        If more is asked for than the limits allow.
    """

    def __init__(self, file: File, decoder: Decoder, entry: Entry, jobs: int, *, as_stored: bool = False) -> None:
        self._file = file
        self._decoder = decoder
        self._entry = entry
        self._jobs = jobs
        self._logical = None if as_stored else entry.attrs.get("dtype")

    @property
    def stored(self) -> EntryView:
        """The same entry without its logical dtype: of bfloat16, datetime64 and the like the integers that are stored."""
        return EntryView(self._file, self._decoder, self._entry, self._jobs, as_stored=True)

    @property
    def name(self) -> str:
        """Name of the entry."""
        return self._entry.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._entry.spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype, in the byte order of this machine; a logical one where the entry has such."""
        return logical_dtype(np.dtype(self._entry.spec.dtype), self._logical)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return self._entry.spec.size

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded array."""
        return self._entry.spec.nbytes

    @property
    def codec(self) -> str:
        """Id of the codec."""
        return self._entry.codec

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes of the entry."""
        return self._entry.attrs

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of a chunk; the last one along an axis may be shorter."""
        return self._entry.chunk_shape

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return self._entry.n_chunks

    @property
    def missing(self) -> int:
        """How many chunks are missing, since the file was recovered from a damaged one."""
        return self.n_chunks - len(self._decoder.reader.chunks(self.name))

    def __getitem__(self, key: Any) -> Any:
        entry, decoder = self._entry, self._decoder
        return self._take(key, partial(decoder.decode, entry), alone=partial(decoder.chunk, entry))

    def preview(self, levels: int, key: Any = ...) -> Any:
        """A coarse decode from the deepest `levels` levels of each chunk only; it is **not** the data that was saved.

        Parameters
        ----------
        levels
            How many, 0 or more; what a level is, the codec says.
        key
            What of the entry, as one would index it; by default all.

        Raises
        ------
        ConfigError
            If the codec has no previews, or `levels` is no such number.
        CodecsError
            Otherwise as indexing does, but for `DecodeMismatchError`: there is no digest of a preview.
        """
        entry, decoder = self._entry, self._decoder

        def chunk(i: int) -> NDArray[Any]:
            return decoder.preview(entry, i, levels)

        return self._take(key, chunk, alone=chunk)

    def scaled(self, scale: Fraction | float | str, key: Any = ...) -> Any:
        """The entry at another resolution, for codecs that hold a function of the place; but for scale 1 it is **not** what was saved.

        At a lower resolution it takes less time, since fewer places are evaluated.

        Parameters
        ----------
        scale
            Items for each item along the axes that have a resolution: a number such as 2 or 0.5, or a text such as ``"2/3"``.
            An axis of n items gets n scale of them, rounded to the nearest number and a half down.
        key
            What of the entry, in items as they were saved: slices without a step; by default all.

        Raises
        ------
        ConfigError
            If the codec has no scale, `scale` is no positive number, or nothing would be left at it.
        IndexError
            For a key that is no slice of each axis.
        CodecsError
            Otherwise as indexing does, but for `DecodeMismatchError`: there is no digest of other values.
        """
        found = scaled(self._decoder, self._entry, ratio(scale), key, jobs=self._jobs)
        return logical(found, self._logical)

    def _take(self, key: Any, chunk: Callable[[int], NDArray[Any]], *, alone: Callable[[int], NDArray[Any]]) -> Any:
        """What `key` asks for, of chunks by their number; `alone` gives a chunk that no other is needed beside."""
        entry, decoder = self._entry, self._decoder
        if not entry.spec.shape:
            return logical(alone(0).copy(), self._logical)[key]
        selection = select(key, entry.spec.shape, entry.chunk_shape)
        wanted = f"{selection.shape} values of entry {entry.name!r} of {decoder.path}"
        decoder.limits.check("array_bytes", math.prod(selection.shape) * entry.spec.itemsize, wanted)
        parts = list(selection.parts) if entry.spec.size else []
        taken = decoder.room(entry, (part.chunk for part in parts), selection.shape)
        if len(parts) == 1:
            # What takes a while is computed aside, where it does not hold up signals.
            get = partial(alone, parts[0].chunk)
            held = aside(get, jobs=self._jobs) if entry.chunk_spec(parts[0].chunk).nbytes > _ASIDE else get()
            taken[parts[0].into] = parts[0].of(held)
        else:

            def decode(part: Part) -> None:
                taken[part.into] = part.of(chunk(part.chunk))

            for _ in ordered(decode, parts, jobs=self._jobs):
                pass
        return logical(taken, self._logical)[selection.key]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("an entry of a file becomes an array only by decoding it, which is a copy")
        return np.asarray(self[...], dtype=dtype)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an entry without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self._entry.chunk, int):  # the chunk that an item is in is kept for the next item
            yield from (self[index] for index in range(len(self)))
        else:
            step = self.chunks[0]
            yield from (item.copy() for start in range(0, len(self), step) for item in self[start : start + step])

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        # Dask names what it computes by this: the same entry of the same file, as long as the file stays what it is.
        decoder = self._decoder
        return (
            "codecs_core.EntryView",
            decoder.path,
            decoder.reader.stamp,
            self.name,
            repr(decoder.fill),
            self._logical is None,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (_entry, (self._file, self.name, self._logical is None))

    def _repr_html_(self) -> str:
        decoder = self._decoder
        return html.entry(info.entry(decoder.reader, self._entry), decoder.path)

    def __repr__(self) -> str:
        return f"<entry {self.name!r}: {self.dtype} {self.shape}, codec {self.codec}, {self.n_chunks} chunks>"


def _entry(file: File, name: str, as_stored: bool) -> EntryView:
    return file[name].stored if as_stored else file[name]
