"""The entries of a file, in its order: as stored, checked once and parsed when asked for.

There may be a million in a file, which as Python objects would take more than a gigabyte.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

import msgpack  # type: ignore[import-untyped]
import numpy as np
import xxhash

from codecs_core.container.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


#: Entries that are looked up at a time, and kinds of them that are remembered, if they have up to `SHORT` bytes.
_BLOCK, SHORT = 1 << 12, 1 << 10
#: The first byte of a packed list of six values, which is what an entry is.
_SIX = 0x96


class Entries(Sequence[Entry]):
    """Entries of a file, in its order.

    Parameters
    ----------
    data
        The header.
    starts
        Where each entry starts in it, and where the last one ends.
    chunks
        How many chunks each has.
    keys
        `key` of each name.
    key
        A hash of a name, of 64 bits. It is another one for each header, so that no file can have many names of one hash.
    parse
        An entry from the value that stands for it in the header.
    grid
        Whether one of them is cut along other axes than the first.
    """

    def __init__(
        self,
        data: bytes,
        starts: NDArray[np.int64],
        chunks: NDArray[np.int64],
        keys: NDArray[np.uint64],
        key: Callable[[bytes], int],
        parse: Callable[[Any], Entry],
        grid: bool,
    ) -> None:
        self.grid = grid
        self._data, self._starts, self.chunks, self._key, self._parse = data, starts, chunks, key, parse
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._at = lru_cache(maxsize=64)(self._parsed)
        self._known: dict[bytes, Entry] = {}

    def __len__(self) -> int:
        return len(self.chunks)

    @overload
    def __getitem__(self, i: int) -> Entry: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, i: int | slice) -> Entry | tuple[Entry, ...]:
        numbers = range(len(self))[i]
        return self._at(numbers) if isinstance(numbers, int) else tuple(map(self._parsed, numbers))

    def __iter__(self) -> Iterator[Entry]:
        known: dict[bytes, Entry] = {}
        for i in range(0, len(self), _BLOCK):
            for start, stop in pairwise(self._starts[i : i + _BLOCK + 1].tolist()):
                yield self._read(start, stop, known)

    def _parsed(self, i: int) -> Entry:
        start, stop = self._starts[i : i + 2].tolist()
        return self._read(start, stop, self._known)

    def _read(self, start: int, stop: int, known: dict[bytes, Entry]) -> Entry:
        """The entry of these bytes. Many are alike but for their names; of `known` ones only the names are looked at."""
        packed = self._data[start:stop]
        first, last = name_in(packed) if len(packed) <= SHORT else (0, 0)
        like = known.get(packed[last:]) if last else None
        if like is None:
            like = self._parse(msgpack.unpackb(packed))
            if not last or len(known) >= _BLOCK:
                return like
            known[packed[last:]] = like
        return like.called(packed[first:last].decode(), _copied(like.attrs))

    @property
    def by_name(self) -> ByName:
        """The same by their names."""
        return ByName(self)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def find(self, name: str) -> int | None:
        """Position of the entry of this name, if there is one."""
        key = np.uint64(self._key(name.encode("utf-8", "surrogatepass")))
        start, stop = (int(np.searchsorted(self._keys, key, side)) for side in ("left", "right"))
        return next((i for i in self._order[start:stop].tolist() if self[i].name == name), None)

    def twice(self) -> str | None:
        """A name that two entries have, if there is one."""
        again = self._keys[1:][self._keys[1:] == self._keys[:-1]]
        seen: set[str] = set()
        # not by the table that numpy 2.0.0 makes for itself, which does not hold 64 bits
        for i in self._order[np.isin(self._keys, again, kind="sort")].tolist():
            name: str = self[i].name
            if name in seen:
                return name
            seen.add(name)
        return None


class ByName(Mapping[str, Entry]):
    """The same by their names."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries

    def __getitem__(self, name: str) -> Entry:
        i = self.entries.find(name)
        if i is None:
            raise KeyError(name)
        return self.entries[i]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.entries.find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (entry.name for entry in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def values(self) -> ValuesView[Entry]:
        """The entries, in the order of the file."""
        return _Values(self)

    def items(self) -> ItemsView[str, Entry]:
        """Names and entries, in the order of the file."""
        return _Items(self)


class _Values(ValuesView[Entry]):
    _mapping: ByName

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._mapping.entries)


class _Items(ItemsView[str, Entry]):
    _mapping: ByName

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return ((entry.name, entry) for entry in self._mapping.entries)


def _copied(value: Any) -> Any:
    """Attributes once more, so that each entry has its own."""
    if type(value) is dict:
        return {key: _copied(one) for key, one in value.items()} if value else {}
    return [_copied(one) for one in value] if type(value) is list else value


def name_in(packed: bytes) -> tuple[int, int]:
    """Where the name of a packed entry starts and ends; two zeros for one that is long, or not where it should be."""
    if packed[0] == _SIX:
        kind = packed[1]
        if 0xA0 <= kind < 0xC0:  # text of up to 31 bytes
            return 2, kind - 0xA0 + 2
        if kind == 0xD9 and packed[2] > 31:  # of up to 255
            return 3, packed[2] + 3
    return 0, 0


def hashing(seed: int) -> Callable[[bytes], int]:
    """A hash of names, as UTF-8."""
    return partial(xxhash.xxh3_64_intdigest, seed=seed)
