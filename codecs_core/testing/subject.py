"""The codec under test: what an author says of it, and what the clauses share."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from numpy.typing import NDArray

from codecs_core.errors import UnsupportedArrayError
from codecs_core.models import Model
from codecs_core.registry import Registry, default
from codecs_core.testing import strategies
from codecs_core.testing.domain import Domain
from codecs_core.testing.elsewhere import Elsewhere
from codecs_core.testing.environments import ENVIRONMENTS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from codecs_core.codec import Codec

_T = TypeVar("_T")

#: Items of a short stack.
FEW_ITEMS = 3


class Subject:
    """What an author says of a codec, as attributes of a class.

    Attributes
    ----------
    codec_id
        Id of the codec, as it is registered.
    configs
        Settings it is tried with; by default none but the defaults.
    model
        A `Model`, or a path or a name of one, for a codec that takes models.
    max_error
        For a lossy codec that promises one: the greatest distance of a decoded value from what was encoded.
    examples
        How many arrays hypothesis draws for a clause and a config.
    trials
        How many damaged payloads of each sort are decoded, and at most how many damaged models.
    short
        Whether the samples that the kit makes are stacks of few items: a chain of many takes long.
    environments
        Rows of the exactness matrix, of `codecs_core.testing.environments.ROWS`; by default all but the last, which stands
        for most of the others.
    vectors
        The folder of golden vectors, such as ``Path(__file__).with_name("vectors")``.
    """

    codec_id: ClassVar[str]
    configs: ClassVar[Sequence[Mapping[str, Any]]] = ({},)
    model: ClassVar[Model | str | None] = None
    max_error: ClassVar[float | None] = None
    examples: ClassVar[int] = 50
    trials: ClassVar[int] = 64
    short: ClassVar[bool] = False
    environments: ClassVar[Sequence[str]] = tuple(ENVIRONMENTS)
    vectors: ClassVar[Path | None] = None

    #: What the last clause has to say if it held, for people.
    detail: str = ""

    # --- what an author may say better -----------------------------------------------------------

    def samples(self) -> Sequence[NDArray[Any]]:
        """Small arrays, not empty, of the kind the codec is for; by default, smooth ones of the shapes that it takes."""
        domain = Domain.of(self.codecs()[0])
        held = [spec for spec in domain.specs if spec.size]
        if self.short:
            held = [spec for spec in held if len(spec.shape) < 3 or spec.shape[0] <= FEW_ITEMS] or held
        largest = {len(spec.shape): spec for spec in held if spec.size <= 2048} or dict(enumerate(held[:1]))
        return [domain.smooth(spec, seed) for seed, spec in enumerate(largest.values())]

    def arrays(self, codec: Codec) -> SearchStrategy[NDArray[Any]]:
        """Arrays that the codec takes; by default, of every shape and dtype that `Codec.check` lets pass."""
        return strategies.arrays(self.domain(codec))

    # --- what clauses ask ------------------------------------------------------------------------

    @property
    def registry(self) -> Registry:
        """Where the codec comes from."""
        return default()

    def codec_class(self) -> type[Codec]:
        """The class under test."""
        return self.registry.codec_class(self.codec_id)

    def found_model(self) -> Model | None:
        """The model, found."""
        return _once(type(self), "model", lambda: self._found_model())

    def codecs(self) -> list[Codec]:
        """The codec, with each of its configs."""
        cls, model = self.codec_class(), self.found_model()
        return [cls.from_config(config, model=model) for config in self.configs]

    def codec(self) -> Codec:
        """The codec with the first config."""
        return self.codecs()[0]

    def domain(self, codec: Codec) -> Domain:
        """What the codec takes, found out once."""
        key = f"domain {codec.config()!r}"
        return _once(type(self), key, lambda: Domain.of(codec, self._samples()))

    def elsewhere(self) -> Elsewhere:
        """A file of every sample with every config, for other processes."""
        return _once(type(self), "elsewhere", lambda: Elsewhere(_folder(), self._parts(), trials=self.trials))

    def taken(self, codec: Codec) -> list[NDArray[Any]]:
        """The samples that a config takes."""
        return [array for array in self._samples() if _takes(codec, array)]

    def for_all(self, codec: Codec, check: Callable[[NDArray[Any]], None]) -> None:
        """Call `check` on the samples, then on arrays that hypothesis draws."""
        for array in self.taken(codec):
            check(array)

        @settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        @given(self.arrays(codec))
        def run(array: NDArray[Any]) -> None:
            try:
                check(array)
            except UnsupportedArrayError:  # a value that the codec has a right to refuse
                reject()

        run()

    def _samples(self) -> Sequence[NDArray[Any]]:
        found = _once(type(self), "samples", self.samples)
        require(len(found) > 0, f"codec {self.codec_id} has no samples, without which no clause says anything")
        return found

    def _found_model(self) -> Model | None:
        from codecs_core.api.codecs import find

        return None if self.model is None else find(self.model, self.codec_id, self.registry)

    def _parts(self) -> dict[str, tuple[Codec, NDArray[Any]]]:
        pairs = [(codec, array) for codec in self.codecs() for array in self.taken(codec)]
        return {f"{number}": pair for number, pair in enumerate(pairs)}


class ClauseError(AssertionError):
    """A clause does not hold; the text is one sentence."""


def require(holds: bool, text: str) -> None:
    """Raise `ClauseError` unless `holds`."""
    if not holds:
        raise ClauseError(text)


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two arrays are the same to the last bit, whatever their layout and byte order."""
    little = a.dtype.newbyteorder("<")
    return (
        a.shape == b.shape
        and little == b.dtype.newbyteorder("<")
        and np.asarray(a, little).tobytes() == np.asarray(b, little).tobytes()
    )


def called(codec: Codec, array: NDArray[Any]) -> str:
    """How a message names them: ``acme.delta {'axis': 0} on uint8 of shape (3, 4)``."""
    return f"{codec.id} {codec.config() or ''}".strip() + f" on {array.dtype} of shape {array.shape}"


def _takes(codec: Codec, array: NDArray[Any]) -> bool:
    try:
        codec.encode(array)
    except UnsupportedArrayError:
        return False
    return True


def _once(cls: type[Subject], key: str, make: Callable[[], _T]) -> _T:
    """A value kept with the class: pytest makes an instance for every clause."""
    kept: dict[str, Any] = cls.__dict__.get("_kept") or {}
    if key not in kept:
        kept[key] = make()
        cls._kept = kept  # type: ignore[attr-defined]
    found: _T = kept[key]
    return found


def _folder() -> Path:
    path = tempfile.mkdtemp(prefix="codecs-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)
