"""`open` a file and index its entries like arrays, `load` all of it, or `inspect` it without any codec."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from codecs_core.api import labelled
from codecs_core.api.checking.verify import verify
from codecs_core.api.codecs import find
from codecs_core.api.opening.decoder import Decoder
from codecs_core.api.opening.view import EntryView
from codecs_core.api.parallel import job_count, ordered
from codecs_core.arrays import logical
from codecs_core.container import Reader
from codecs_core.container.source import is_url
from codecs_core.errors import InputError
from codecs_core.limits import DEFAULT_LIMITS, Limits
from codecs_core.models import Model
from codecs_core.registry import default
from codecs_core.report import html
from codecs_core.report.info import describe

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from codecs_core.api.codecs import ModelChoice
    from codecs_core.codec import Progress
    from codecs_core.container import Entry
    from codecs_core.registry import Registry


def open(
    path: str | os.PathLike[str],
    *,
    limits: Limits = DEFAULT_LIMITS,
    models: ModelChoice | Iterable[ModelChoice] | None = None,
    registry: Registry | None = None,
    jobs: int | None = None,
    fill: complex | None = None,
) -> File:
    """Open a container file; no codec is imported before something is decoded.

    Parameters
    ----------
    path
        The file, or a URL that fsspec knows.
    limits
        Caps on what it may make this process allocate.
    models
        Models that are neither in the file nor installed nor in the store: paths, names or `Model` objects.
    registry
        Where codecs come from; by default the installed plugins.
    jobs
        Number of threads that decode; by default the CPUs at hand.
    fill
        The value to put where chunks are missing from a file that was recovered; without it they are errors.

    Raises
    ------
    InputError
        If the file cannot be read.
    NotAContainerError, TruncatedFileError, CorruptDataError, UnsupportedFeatureError, LimitExceededError
        If it is not a whole container that this version can read.
    """
    return File(path, limits=limits, models=models, registry=registry, jobs=jobs, fill=fill)


def load(
    path: str | os.PathLike[str],
    *,
    limits: Limits = DEFAULT_LIMITS,
    models: ModelChoice | Iterable[ModelChoice] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
    fill: complex | None = None,
    xarray: bool = False,
) -> Any:
    """Decode a file: the array that was saved, or a dict of the arrays that were saved by name.

    Parameters
    ----------
    path, limits, models, jobs, registry, fill
        As for `open`.
    progress
        Called with the fraction done and a message.
    xarray
        Whether to return the Dataset or DataArray of xarray that was saved, rather than its arrays.

    Raises
    ------
    CodecsError
        As `open` and `EntryView`.
    ConfigError
        If `xarray` is true and the file was not saved from such.
    MissingDependencyError
        If a library for what was saved (xarray, or ml_dtypes for bfloat16) is missing.
    """
    with open(path, limits=limits, models=models, registry=registry, jobs=jobs, fill=fill) as file:
        return file.load(progress=progress, xarray=xarray)


def inspect(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """What is in a file, as ``codecs info --json`` prints it; imports no codec. Raises as `open`."""
    with Reader.open(path, limits=limits) as reader:
        return describe(reader, path)


class File(Mapping[str, EntryView]):
    """An open container: a mapping of names to entries. May be used from several threads, and pickled."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        limits: Limits = DEFAULT_LIMITS,
        models: ModelChoice | Iterable[ModelChoice] | None = None,
        registry: Registry | None = None,
        jobs: int | None = None,
        fill: complex | None = None,
    ) -> None:
        if not isinstance(path, str | os.PathLike):
            raise InputError(
                f"a file is opened by its path or URL, got {type(path).__name__}; write bytes to a file first"
            )
        self.path = os.fspath(path)
        self._jobs = job_count(jobs)
        registry = registry if registry is not None else default()
        given = [find(model, None, registry) for model in _several(models)]
        self._reader = Reader.open(path, limits=limits)
        self._decoder = Decoder(self._reader, self.path, limits=limits, models=given, registry=registry, fill=fill)

    # --- a mapping -------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> EntryView:
        if name not in self._reader.entries:
            known = ", ".join(map(repr, list(self._reader.entries)[:10]))
            raise KeyError(f"{self.path} has no entry {name!r}; it has {known or 'none'}")
        return EntryView(self, self._decoder, self._reader.entries[name], self._jobs)

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader.entries)

    def __len__(self) -> int:
        return len(self._reader.entries)

    def _repr_html_(self) -> str:
        return html.describe(self.info())

    def __repr__(self) -> str:
        return f"<codecs_core.File {self.path!r}: {len(self)} entries>"

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    # --- what it holds ---------------------------------------------------------------------------

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes of the file as a whole."""
        return self._reader.attrs

    def info(self) -> dict[str, Any]:
        """As `inspect`."""
        return describe(self._reader, self.path)

    def load(self, *, progress: Progress | None = None, xarray: bool = False) -> Any:
        """Decode everything; see `codecs_core.load`."""
        arrays = dict(self.arrays(progress=progress))
        if xarray:
            return labelled.restore(self.path, arrays, {name: self[name].attrs for name in arrays})
        return arrays[""] if set(arrays) == {""} else arrays

    def arrays(self, *, progress: Progress | None = None, stored: bool = False) -> Iterator[tuple[str, NDArray[Any]]]:
        """Names and decoded arrays in the order of the file, a few at a time: for more than memory holds.

        Parameters
        ----------
        progress
            Called with the fraction done and a message.
        stored
            Whether to leave logical dtypes (bfloat16, datetime64) aside, and give the integers that are stored for them.

        Raises
        ------
        CodecsError
            As `codecs_core.load`; before the first array, if one of them is over the limits.
        """
        entries = list(self._reader.entries.values())
        for entry in entries:
            self._decoder.limits.check("array_bytes", entry.spec.nbytes, f"{_called(entry)} of {self.path}")
        total = max(1, sum(entry.spec.nbytes for entry in entries))
        begun: dict[str, NDArray[Any]] = {}

        def tasks() -> Iterator[tuple[Entry, int | None]]:
            for entry in entries:
                begun[entry.name] = self._decoder.room(entry, range(entry.n_chunks), entry.spec.shape)
                yield from ((entry, i) for i in range(entry.n_chunks))
                yield entry, None  # results come in order: when this one is back, the array is complete

        def decode(task: tuple[Entry, int | None]) -> tuple[Entry, int | None]:
            entry, i = task
            if i is not None:
                begun[entry.name][entry.chunk_slice(i)] = self._decoder.decode(entry, i)
            return task

        done = 0
        for entry, i in ordered(decode, tasks(), jobs=self._jobs):
            if i is None:
                array = begun.pop(entry.name)
                yield entry.name, array if stored else logical(array, entry.attrs.get("dtype"))
                continue
            done += entry.chunk_spec(i).nbytes
            if progress is not None:
                progress(min(1.0, done / total), entry.name or entry.codec)

    def verify(self, *, decode: bool = False, progress: Progress | None = None) -> dict[str, Any]:
        """Check every stored byte against its checksum and, if asked, decode it and compare the digest.

        Parameters
        ----------
        decode
            Whether to decode.
        progress
            Called with the fraction done and a message.

        Returns
        -------
        dict
            ``{"path", "ok", "decoded", "entries": [{"name", "chunks", "ok", "missing", "damaged": [{"chunk", "code",
            "message"}], "error": {"code", "message"} | None}], "models": [{"name", "sha256", "embedded", "ok",
            "error"}]}``; for an entry, ``"ok"`` counts whole chunks, ``"missing"`` those that a recovered file lacks, and
            ``"error"`` says why none could be decoded.
        """
        return verify(self._decoder, decode=decode, jobs=self._jobs, progress=progress)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        decoder = self._decoder
        path = self.path if is_url(self.path) else os.path.abspath(self.path)
        return (_reopen, (path, decoder.limits, list(decoder.models.values()), self._jobs, decoder.fill))


def _called(entry: Entry) -> str:
    return f"entry {entry.name!r}" if entry.name else "the array"


def _several(models: ModelChoice | Iterable[ModelChoice] | None) -> list[ModelChoice]:
    if models is None:
        return []
    return [models] if isinstance(models, str | os.PathLike | Model) else list(models)


def _reopen(path: str, limits: Limits, models: list[Model], jobs: int, fill: complex | None) -> File:
    file = File(path, limits=limits, models=models, jobs=jobs, fill=fill)
    weakref.finalize(file, file._reader.close)  # nobody else closes it, if only its entries were pickled
    return file
