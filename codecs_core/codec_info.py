"""What a codec is for, as its registration says it: known before the codec is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from codecs_core.arrays import ArraySpec


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
        Whether models can be trained: the `CodecSpec` names a `Trainer`.
    needs_model
        Whether an instance needs a `Model`.
    models_of
        Id of the codec whose models it takes; empty: its own. Whoever trains one names that codec.
    auto
        Whether ``--codec auto`` may choose it.
    files
        Whether ``--codec auto`` may choose it for files that are kept whole: arrays of uint8 in one dimension.
    ragged
        Whether the trainer takes a list of arrays of different shapes.
    resumable
        Whether the trainer takes ``checkpoint``, a path that it writes its state to now and then and goes on from
        if it exists.
    trains_up_to
        ``codecs train auto`` may choose the codec for items of at most this number of values; of several it takes the one that names
        the fewest. 0: it never does.
    labelled
        Whether the trainer takes labelled items: a mapping of two arrays of one length, ``images`` and ``labels``.
    sizes_models
        Whether the trainer takes ``items``, how many items the model will code, and makes it of a size that pays for them.
    speed
        About how many megabytes a second one thread encodes. ``--codec auto`` looks at less of the data where the
        candidates are slow; a codec that says nothing counts as slow.
    """

    summary: str
    dtypes: tuple[str, ...] = ()
    ndim: tuple[int, ...] = ()
    kind: Literal["lossless", "lossy"] = "lossless"
    exactness: Literal["portable", "pinned"] = "portable"
    trainable: bool = False
    needs_model: bool = False
    models_of: str = ""
    auto: bool = True
    files: bool = False
    speed: float = 1.0
    ragged: bool = False
    resumable: bool = False
    trains_up_to: int = 0
    sizes_models: bool = False
    labelled: bool = False

    def accepts(self, spec: ArraySpec) -> bool:
        """Whether arrays of this dtype and number of dimensions are within the codec's domain."""
        return (not self.dtypes or spec.dtype in self.dtypes) and (not self.ndim or len(spec.shape) in self.ndim)
