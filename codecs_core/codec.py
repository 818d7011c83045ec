"""The Codec contract. A plugin subclasses `Codec`; everything else is looked up from here."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec, normalise
from codecs_core.capabilities import Progress as Progress
from codecs_core.capabilities import (
    SupportsBetween,
    SupportsInformation,
    SupportsOlderPreview,
    SupportsPreview,
    SupportsSamples,
    SupportsScale,
)
from codecs_core.codec_info import CodecInfo as CodecInfo
from codecs_core.decoding import fits, run
from codecs_core.errors import (
    CodecsError,
    ConfigError,
    LongMessageError,
    PluginLoadError,
    UnsupportedArrayError,
    UnsupportedFeatureError,
)
from codecs_core.fields import check
from codecs_core.limits import DEFAULT_LIMITS, Limits
from codecs_core.scale import Grid, ratio
from codecs_core.stored import store, stored_size

if TYPE_CHECKING:
    from fractions import Fraction

    from codecs_core.models import Model

#: Pixels of samples: a hierarchy of networks takes 3 GB for them.
_SAMPLED = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Codec(ABC):
    """Turns one chunk of an array into bytes and back.

    A subclass is a frozen, keyword-only dataclass. Its fields are its config: JSON-able values with defaults; those of
    `codecs_core.fields` say which values they take, and are checked. It sets `id`, `format_version` and `info`, and
    implements `_encode` and `_decode`. What it can do beside that is in `codecs_core.capabilities`: methods that a
    class has or has not. With `stores_from` set, no payload is longer than its values: see there.

    The contract
    ------------
    1. ``decode(encode(a), ArraySpec.of(a))`` equals ``a`` to the last bit for a lossless codec.
    2. `encode` and `decode` are pure: no global state is read or written, no input is mutated, the same
       input gives the same bytes, in any thread, process or batch.
    3. `_encode` sees a C-contiguous, native-endian array that `check` has accepted. `_decode` sees bytes
       whose checksum matched, which may still be hostile: it never allocates more than the spec implies.
    4. Whatever `_decode`, `_preview` or `_scaled` raises reaches the caller as `CorruptDataError`, unless it is of the error tree
       and no `EntropyError`, or tells of the machine (no memory, a full disk, a missing library): then it is a
       `MachineError` or a `PluginLoadError`. What `check` raises before is a `ModelError`.
    5. `config` holds non-default keys only; ``from_config(c.config(), model=c.model) == c``.
    6. A reader decodes every `format_version` up to its own; a stream that older readers cannot decode
       has a new version or a new id.
    7. Arithmetic on the decode path keeps to the exactness contract (``spec/exact.md``).
    8. `preview` returns approximate values in an array of the encoded shape and dtype, and `scaled` values at other places
       than those that were encoded; at scale 1 those of `decode`. No other method ever returns approximate values.
    9. A plugin announces the codec by a `CodecSpec` that says what the class says, from a module that imports nothing
       heavy, so that any process finds it by its id.
    10. From `stores_from` on, a payload is no longer than its values (``spec/codecs/stored.md``).
    11. `information` gives a finite number of bits for each value, and always the same ones.

    `codecs_core.testing.CodecConformance` holds a codec to them.

    Attributes
    ----------
    id, format_version, info
        As in the registered `CodecSpec`.
    stores_from
        The `format_version` from which on payloads may be stored: where what `_encode` gives is no shorter than the values,
        `encode` takes the values as they are, and `decode` knows it by the length. `_encode` and `_decode` see nothing of it, nor
        of arrays without values, whose payload is then empty. None: payloads are always those of `_encode`. An `_encode` that
        takes long pushes on ``Message(most=self.most(spec))``, which ends it as soon as it is too long.
    same_since
        The earliest `format_version` whose payloads were as `_encode` makes them now: since then some are stored, or the codec takes more
        arrays. `decode` reads these versions with `_decode`. None: `_decode_older` reads earlier versions.
    """

    id: ClassVar[str]
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = None
    same_since: ClassVar[int | None] = None
    info: ClassVar[CodecInfo]

    model: Model | None = None

    def __post_init__(self) -> None:
        """Check what the fields of `codecs_core.fields` say of their values; raises `ConfigError`."""
        check(self, f"codec {self.id}")

    # --- what an author writes -------------------------------------------------------------------

    @abstractmethod
    def _encode(self, chunk: NDArray[Any]) -> bytes:
        """Encode a normalised, checked array."""

    @abstractmethod
    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        """Decode to an array of exactly `spec`."""

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        """Decode a stream of an earlier `format_version`; to be written once there is one."""
        if self.same_since is not None and self.same_since <= version < self.format_version:
            return self._decode(payload, spec)
        raise UnsupportedFeatureError(f"codec {self.id} never had a format version {version}; the file is damaged")

    @property
    def learnt(self) -> Model:
        """The model; raises `ConfigError` where there is none."""
        if self.model is None:
            raise ConfigError(f"codec {self.id} needs a model; name one with model=... (--model)")
        return self.model

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the codec (with its model) takes arrays of this spec."""
        if not self.info.accepts(spec):
            raise UnsupportedArrayError(
                f"codec {self.id} takes {' or '.join(self.info.dtypes) or 'any dtype'}"
                f"{' with ' + ' or '.join(map(str, self.info.ndim)) + ' dimensions' if self.info.ndim else ''}, "
                f"not {spec.dtype} of shape {spec.shape}"
            )

    def most(self, spec: ArraySpec) -> int | None:
        """Bytes after which it is no use to go on with a payload, since the values are stored; None: there is no such number."""
        return None if self.stores_from is None else stored_size(spec)

    def default_chunk(self, spec: ArraySpec) -> int:
        """Items along the first axis that make a good chunk: about 16 MiB unless a codec knows better."""
        items = spec.shape[0] if spec.shape else 1
        item_bytes = max(1, spec.nbytes // max(1, items))
        return max(1, min(items, (1 << 24) // item_bytes))

    # --- what everybody calls --------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """The settings and the model alone, for pickles and copies; cached properties are computed again."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def encode(self, chunk: NDArray[Any]) -> bytes:
        """Encode an array of any layout; raises `UnsupportedArrayError` for what the codec cannot take."""
        array = normalise(chunk)
        spec = ArraySpec.of(array)
        self.check(spec)
        if self.stores_from is None:
            return self._encode(array)
        try:
            payload = self._encode(array) if spec.size else b""
        except LongMessageError:
            return store(array)
        return payload if len(payload) < stored_size(spec) else store(array)

    def information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        """Which values of an array the bits of its payload go to: for pictures, since no decoder depends on it.

        Returns
        -------
        NDArray[np.float64]
            Bits, of the shape of `chunk`; their sum is the information content under the model, which the payload is near
            unless it is stored.

        Raises
        ------
        ConfigError
            If the codec cannot tell: it is no `SupportsInformation`.
        UnsupportedArrayError
            For what the codec cannot take.
        """
        array = normalise(chunk)
        self.check(ArraySpec.of(array))
        if not isinstance(self, SupportsInformation):
            raise ConfigError(f"codec {self.id} does not tell which values its bits go to")
        return self._information(array)

    def decode(
        self, payload: bytes, spec: ArraySpec, *, version: int | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> NDArray[Any]:
        """Decode a payload to an array of `spec`; raises `CorruptDataError` where that is impossible.

        Parameters
        ----------
        version
            The `format_version` the payload was written in, if it is an earlier one.
        """
        if version in (None, self.format_version):
            return run(self, self._decode, payload, spec, limits=limits)
        return run(self, self._decode_older, payload, spec, version, version=version, limits=limits)

    def preview(
        self,
        payload: bytes,
        spec: ArraySpec,
        levels: int,
        *,
        version: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> NDArray[Any]:
        """A coarse decode from the deepest `levels` levels only; what it returns is not what was encoded.

        Parameters
        ----------
        levels
            How many, 0 or more; what a level is, the codec says. More than there are means all.
        version
            As for `decode`; payloads of earlier versions may have no previews.

        Raises
        ------
        ConfigError
            If the codec has no previews: it is no `SupportsPreview` or, for a payload of an earlier version, no
            `SupportsOlderPreview`. If `levels` is no such number.
        CorruptDataError
            If the payload is none of this codec's. Damage behind those levels is not seen.
        """
        if type(levels) is not int or levels < 0:
            raise ConfigError(f"levels must be an integer, 0 or more, got {levels!r}")
        if not isinstance(self, SupportsPreview):
            raise ConfigError(f"codec {self.id} has no previews")
        if version in (None, self.format_version):
            return run(self, self._preview, payload, spec, levels, limits=limits)
        if not 1 <= version < self.format_version:
            raise UnsupportedFeatureError(f"codec {self.id} never had a format version {version}; the file is damaged")
        if not isinstance(self, SupportsOlderPreview):
            raise ConfigError(f"codec {self.id} has no previews of payloads of its format version {version}")
        return run(self, self._preview_older, payload, spec, levels, version, version=version, limits=limits)

    def scaled(
        self,
        payload: bytes,
        spec: ArraySpec,
        scale: Fraction | float | str,
        *,
        start: tuple[int, ...] = (),
        version: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> NDArray[Any]:
        """Decode at another resolution; but for scale 1, what it returns is not what was encoded.

        Parameters
        ----------
        scale
            Items for each item along the axes that have a resolution: a number such as 2 or 0.5, or a text such as ``"2/3"``.
        start
            Where the chunk begins along each axis of its array, by default 0: which items are the chunk's depends on it.
        version
            As for `decode`; payloads of earlier versions have no scale.

        Returns
        -------
        NDArray
            Of the dtype of `spec`, and the shape that `codecs_core.Grid` has. Values that are stored as they are stay the same
            from one end of an item to the other.

        Raises
        ------
        ConfigError
            If the codec has no scale: it is no `SupportsScale`. If `scale` is no positive number.
        CorruptDataError
            If the payload is none of this codec's.
        LimitExceededError
            If that array is over the limits.
        """
        factor = ratio(scale)
        if not isinstance(self, SupportsScale):
            raise ConfigError(f"codec {self.id} has no scale: its payloads cannot be evaluated at another resolution")
        if version not in (None, self.format_version):
            raise ConfigError(f"codec {self.id} has no scale for payloads of its format version {version}")
        fits(self, spec)
        grid = Grid.of(spec.shape, self._axes(spec), factor, start)
        limits.check("chunk_bytes", grid.size * spec.itemsize, f"a chunk of codec {self.id} at scale {scale}")
        return run(self, self._scaled, payload, spec, grid, grid=grid, limits=limits)

    def sample(self, items: int, size: tuple[int, int] = (32, 32), *, seed: int = 0) -> NDArray[Any]:
        """What random bits decode to: items that the model holds likely, the same ones for a seed on every machine.

        Parameters
        ----------
        items
            How many, 1 or more.
        size
            Height and width of an image, where the model leaves it open. All images have at most 2^22 pixels together, since
            networks look at all of them at once.
        seed
            From 0 to 2^31 - 1.

        Returns
        -------
        NDArray
            Of an array that the codec takes: `items` along the first axis.

        Raises
        ------
        ConfigError
            If the codec cannot sample: it is no `SupportsSamples`. For a number that is out of range.
        """
        numbers = {"items": (items, 1), "height": (size[0], 1), "width": (size[1], 1), "seed": (seed, 0)}
        for name, (value, least) in numbers.items():
            if type(value) is not int or not least <= value < 1 << 31:
                raise ConfigError(f"{name} must be an integer from {least} to {(1 << 31) - 1}, got {value!r}")
        if not isinstance(self, SupportsSamples):
            raise ConfigError(f"codec {self.id} has no samples")
        if (pixels := items * size[0] * size[1]) > _SAMPLED:
            raise ConfigError(
                f"{items} images of {size[0]}x{size[1]} have {pixels:,} pixels, and samples at most {_SAMPLED:,} together; "
                "ask for fewer or smaller ones"
            )
        from codecs_core.entropy import Message

        return self._sample(Message.random(seed), items, size)

    def between(self, first: NDArray[Any], last: NDArray[Any], items: int) -> NDArray[Any]:
        """Images on the way from one image to another, through what the model makes of them: the same ones on every machine.

        Parameters
        ----------
        first, last
            Images of one shape and dtype that the codec takes as items of a stack.
        items
            How many, 2 or more, both ends included.

        Returns
        -------
        NDArray
            `items` images along the first axis.

        Raises
        ------
        ConfigError
            If the codec knows no such way: it is no `SupportsBetween`. For fewer items.
        UnsupportedArrayError
            For images that are not alike, or that the codec cannot take.
        """
        if type(items) is not int or not 2 <= items < 1 << 31:
            raise ConfigError(f"items must be an integer from 2 to {(1 << 31) - 1}, got {items!r}")
        if not isinstance(self, SupportsBetween):
            raise ConfigError(f"codec {self.id} knows no way from one image to another")
        if first.shape != last.shape or first.dtype != last.dtype:
            raise UnsupportedArrayError(
                f"the images must have one shape and dtype, got {first.dtype} of {first.shape} and {last.dtype} of {last.shape}"
            )
        ends = normalise(np.stack([first, last]))
        self.check(ArraySpec.of(ends))
        return self._between(ends, items)

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
        if missing := sorted(cls.__abstractmethods__):
            raise PluginLoadError(
                f"{cls.__name__}, the class of codec {cls.id}, does not implement {', '.join(missing)}"
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
