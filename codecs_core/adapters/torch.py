"""Container files as PyTorch datasets, for `torch.utils.data.DataLoader` with any number of workers.

Each process opens the file for itself when it first needs it, so that a dataset may be handed to workers that are forked
as well as to those that are spawned.
"""

from __future__ import annotations

import os
import weakref
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core import api
from codecs_core.arrays import SMALL
from codecs_core.errors import ConfigError, MissingDependencyError

try:
    import torch
    from torch.utils.data import Dataset
except ImportError as error:
    raise MissingDependencyError("datasets of torch take torch: pip install 'codecs-core[torch]'") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Transform = Callable[[Any], Any]


class _OfFile(Dataset[Any]):
    """A dataset over an open file, which each process opens for itself.

    Parameters
    ----------
    path
        A container file, or its URL.
    names
        The entries to take.
    transform
        Applied to each sample.
    **options
        As `codecs_core.open` takes them: ``models``, ``limits``, ``fill``, ``jobs`` (here 1 unless given, since workers
        are what runs at once).
    """

    def __init__(
        self, path: str | os.PathLike[str], names: Sequence[str] | None, transform: Transform | None, **options: Any
    ) -> None:
        self.path = os.fspath(path)
        self.transform = transform
        self._options = {"jobs": 1, **options}
        self._file: api.File | None = None
        self._process = 0
        known = list(self.file)
        self.names = known if names is None else list(names)
        if strange := [name for name in self.names if name not in known]:
            raise ConfigError(f"{self.path} has no entry {strange[0]!r}; it has {', '.join(map(repr, known[:10]))}")
        if not self.names:
            raise ConfigError(f"{self.path} has no entries to take samples from")

    @property
    def file(self) -> api.File:
        """The file, as this process has it open."""
        # What a parent process had opened before it forked is the parent's.
        if self._file is None or self._process != os.getpid():
            self._file, self._process = api.open(self.path, **self._options), os.getpid()
            weakref.finalize(self, self._file.close)
        return self._file

    @abstractmethod
    def __len__(self) -> int: ...

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}

    def _sample(self, sample: Any) -> Any:
        return sample if self.transform is None else self.transform(sample)


class Items(_OfFile):
    """The items along the first axis of an entry, or of several side by side (images and their labels).

    A sample is a tensor, or a tuple of tensors in the order of `names`. A batch decodes each chunk that it touches once;
    for samples in random order, encode with small chunks (``chunk=``, ``--chunk``).

    Parameters
    ----------
    path
        A container file, or its URL.
    names
        Entries of as many items each; by default all of the file.
    transform
        Applied to each sample.
    **options
        As for `codecs_core.open`.

    Raises
    ------
    ConfigError
        If there is no such entry, or the entries differ in their number of items.
    CodecsError
        As `codecs_core.open`, and on access as `codecs_core.EntryView`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        names: str | Sequence[str] | None = None,
        *,
        transform: Transform | None = None,
        **options: Any,
    ) -> None:
        super().__init__(path, [names] if isinstance(names, str) else names, transform, **options)
        counts = {name: self.file[name].shape[:1] for name in self.names}
        if len(set(counts.values())) != 1 or () in counts.values():
            said = ", ".join(f"{name!r} {count[0] if count else 'none'}" for name, count in list(counts.items())[:10])
            raise ConfigError(
                f"entries of {self.path} differ in their number of items: {said}; name those that belong together, "
                "or take whole entries as samples with Entries(...)"
            )

    def __len__(self) -> int:
        return len(self.file[self.names[0]])

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Samples at several places; what a DataLoader asks for a batch."""
        chosen = np.asarray(indices, dtype=np.intp)
        columns = [_tensors(self.file[name], chosen) for name in self.names]
        return [self._sample(row[0] if len(row) == 1 else row) for row in zip(*columns, strict=True)]


class Entries(_OfFile):
    """The entries of a file, each a sample: the images of a folder, of many sizes perhaps.

    Parameters
    ----------
    path, transform, **options
        As for `Items`.
    names
        Which entries, in which order; by default all of the file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        names: Sequence[str] | None = None,
        *,
        transform: Transform | None = None,
        **options: Any,
    ) -> None:
        super().__init__(path, names, transform, **options)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Any:
        view = self.file[self.names[index]]
        return self._sample(_tensor(view, view.stored[...]))


def _tensors(view: api.EntryView, chosen: NDArray[np.intp]) -> list[torch.Tensor]:
    # Copies, since a sample that outlives its batch must not keep all of it.
    return [_tensor(view, np.array(item)) for item in view.stored[chosen]]


def _tensor(view: api.EntryView, stored: NDArray[Any]) -> torch.Tensor:
    """Stored values of an entry: bfloat16 and float8 as torch has them, times as their integers."""
    tensor, name = torch.from_numpy(stored), view.attrs.get("dtype")
    dtype = getattr(torch, str(name), None) if SMALL.get(str(name)) == stored.dtype.name else None
    return tensor if dtype is None or not dtype.is_floating_point else tensor.view(dtype)
