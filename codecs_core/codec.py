"""The Codec contract. A plugin subclasses `Codec`; everything else is looked up from here."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec, normalise
from codecs_core.errors import (
    CodecsError,
    ConfigError,
    CorruptDataError,
    EntropyError,
    UnsupportedArrayError,
    UnsupportedFeatureError,
)
from codecs_core.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from codecs_core.models import Model

#: `progress(fraction_done, message)`, called now and then by long work; fraction is in [0, 1].
Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class CodecInfo:
    """What a codec is for, known without importing its implementation.

    Parameters
    ----------
    summary
        One line for people.
    dtypes
        Numpy names the codec accepts; empty means every dtype a container holds.
    ndim
        Numbers of dimensions the codec accepts; empty means any.
    kind
        ``"lossless"``: decoding gives the array back to the last bit. ``"lossy"``: it does not.
    exactness
        ``"portable"``: decodes to the same bits on every machine. ``"pinned"``: on the same build only.
    trainable
        Whether `Codec.train` exists.
    needs_model
        Whether an instance needs a `Model`.
    auto
        Whether ``--codec auto`` may choose it.
    """

    summary: str
    dtypes: tuple[str, ...] = ()
    ndim: tuple[int, ...] = ()
    kind: Literal["lossless", "lossy"] = "lossless"
    exactness: Literal["portable", "pinned"] = "portable"
    trainable: bool = False
    needs_model: bool = False
    auto: bool = True

    def accepts(self, spec: ArraySpec) -> bool:
        """Whether arrays of this dtype and number of dimensions are within the codec's domain."""
        return (not self.dtypes or spec.dtype in self.dtypes) and (not self.ndim or len(spec.shape) in self.ndim)


@dataclass(frozen=True, kw_only=True)
class Codec(ABC):
    """Turns one chunk of an array into bytes and back.

    A subclass is a frozen, keyword-only dataclass. Its fields are its config: JSON-able values with
    defaults. It sets `id`, `format_version` and `info`, and implements `_encode` and `_decode`.

    The contract
    ------------
    1. ``decode(encode(a), ArraySpec.of(a))`` equals ``a`` to the last bit for a lossless codec.
    2. `encode` and `decode` are pure: no global state is read or written, no input is mutated, the same
       input gives the same bytes, in any thread, process or batch.
    3. `_encode` sees a C-contiguous, native-endian array that `check` has accepted. `_decode` sees bytes
       whose checksum matched, which may still be hostile: it never allocates more than the spec implies.
    4. Whatever `_decode` raises reaches the caller as `CorruptDataError`, unless it is of the error tree and no
       `EntropyError`.
    5. `config` holds non-default keys only; ``from_config(c.config(), model=c.model) == c``.
    6. A reader decodes every `format_version` up to its own; a stream that older readers cannot decode
       has a new version or a new id.
    7. Arithmetic on the decode path keeps to the exactness contract (``spec/exact.md``).
    """

    id: ClassVar[str]
    format_version: ClassVar[int] = 1
    info: ClassVar[CodecInfo]

    model: Model | None = None

    # --- what an author writes -------------------------------------------------------------------

    @abstractmethod
    def _encode(self, chunk: NDArray[Any]) -> bytes:
        """Encode a normalised, checked array."""

    @abstractmethod
    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        """Decode to an array of exactly `spec`."""

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        """Decode a stream of an earlier `format_version`; to be written once there is one."""
        raise UnsupportedFeatureError(f"codec {self.id} never had a format version {version}; the file is damaged")

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the codec (with its model) takes arrays of this spec."""
        if not self.info.accepts(spec):
            raise UnsupportedArrayError(
                f"codec {self.id} takes {' or '.join(self.info.dtypes) or 'any dtype'}"
                f"{' with ' + ' or '.join(map(str, self.info.ndim)) + ' dimensions' if self.info.ndim else ''}, "
                f"not {spec.dtype} of shape {spec.shape}"
            )

    def default_chunk(self, spec: ArraySpec) -> int:
        """Items along the first axis that make a good chunk: about 16 MiB unless a codec knows better."""
        items = spec.shape[0] if spec.shape else 1
        item_bytes = max(1, spec.nbytes // max(1, items))
        return max(1, min(items, (1 << 24) // item_bytes))

    @classmethod
    def train(cls, data: NDArray[Any], *, budget: float, progress: Progress | None = None, **hyper: Any) -> Model:
        """Train a model on `data` (items along the first axis) for about `budget` seconds."""
        raise ConfigError(f"codec {cls.id} has nothing to train")

    # --- what everybody calls --------------------------------------------------------------------

    def encode(self, chunk: NDArray[Any]) -> bytes:
        """Encode an array of any layout; raises `UnsupportedArrayError` for what the codec cannot take."""
        array = normalise(chunk)
        self.check(ArraySpec.of(array))
        return self._encode(array)

    def decode(
        self, payload: bytes, spec: ArraySpec, *, version: int | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> NDArray[Any]:
        """Decode a payload to an array of `spec`; raises `CorruptDataError` where that is impossible.

        Parameters
        ----------
        version
            The `format_version` the payload was written in, if it is an earlier one.
        """
        limits.check("chunk_bytes", spec.nbytes, f"a chunk of codec {self.id}")
        try:
            self.check(spec)
            if version in (None, self.format_version):
                array = np.asanyarray(self._decode(bytes(payload), spec))
            else:
                array = np.asanyarray(self._decode_older(bytes(payload), spec, version))
        except UnsupportedArrayError as error:
            raise CorruptDataError(
                f"payload of codec {self.id} cannot be {spec.dtype} of shape {spec.shape}: {error}"
            ) from error
        except EntropyError as error:
            raise CorruptDataError(
                f"payload of {len(payload)} bytes is no stream of codec {self.id}: {error}"
            ) from error
        except CodecsError:
            raise
        except Exception as error:
            raise CorruptDataError(
                f"payload of {len(payload)} bytes is no stream of codec {self.id}: {type(error).__name__}: {error}"
            ) from error
        if tuple(array.shape) != spec.shape or array.dtype != np.dtype(spec.dtype):
            raise CorruptDataError(
                f"codec {self.id} decoded {array.dtype} of shape {array.shape} where {spec.dtype} of {spec.shape} is due"
            )
        return array

    def config(self) -> dict[str, Any]:
        """The non-default settings, JSON-able; the model is not among them (files name it by its hash)."""
        return {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if f.name != "model" and getattr(self, f.name) != _default(f)
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, model: Model | None = None) -> Self:
        """Inverse of `config`; raises `ConfigError` for an unknown key or a value out of range."""
        known = {f.name for f in dataclasses.fields(cls)} - {"model"}
        unknown = sorted(set(config) - known)
        if unknown:
            raise ConfigError(
                f"codec {cls.id} has no setting {unknown[0]!r}; it has {', '.join(sorted(known)) or 'none'}"
            )
        if cls.info.needs_model and model is None:
            raise ConfigError(f"codec {cls.id} needs a model; name one with model=... (--model)")
        try:
            return cls(**config, model=model)
        except CodecsError:
            raise
        except (TypeError, ValueError) as error:
            raise ConfigError(f"codec {cls.id} cannot take the settings {dict(config)!r}: {error}") from error


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
