"""How a candidate does on a sample, and the choice that follows from it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.api.choosing import sample
from codecs_core.api.choosing.candidate import Candidate
from codecs_core.api.parallel import aside
from codecs_core.arrays import ArraySpec
from codecs_core.container.grid import n_chunks, simplest
from codecs_core.errors import ConfigError, UnsupportedArrayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from codecs_core.api.choosing.sample import Excerpt
    from codecs_core.api.items import Items
    from codecs_core.codec import Codec
    from codecs_core.container.grid import Chunk

#: About what the container spends on a chunk beside its payload.
CHUNK_OVERHEAD = 68


@dataclass(kw_only=True)
class Trial:
    """How a candidate did: an estimate in bytes for all of the data, or the reason why it is out.

    `sizes` are the bytes of each excerpt of the sample it was last tried on, `model_bytes` what its model adds to the file; `proof` is
    a piece that it encoded, and the payload.
    """

    candidate: Candidate
    codec: Codec | None = None
    sizes: list[float] = field(default_factory=list)
    estimate: int | None = None
    model_bytes: int = 0
    error: Exception | None = None
    seconds: float = 0.0
    proof: tuple[NDArray[Any], bytes] | None = None

    @property
    def size(self) -> int:
        """Estimated bytes, with those of the model."""
        return (self.estimate or 0) + self.model_bytes

    @property
    def sha256(self) -> str | None:
        """Of its model."""
        return None if self.codec is None or self.codec.model is None else self.codec.model.sha256

    def run(self, group: Sequence[Items], on: Sequence[Excerpt], chunk: Chunk | None) -> Trial:
        """Let the candidate encode a sample of a group."""
        start = time.perf_counter()
        try:
            if self.codec is None:
                self.codec = self.candidate.build()
                for spec in {items.spec for items in group}:
                    self.codec.check(spec)
            self.sizes = [self.bytes_of(one, chunk, max(1, sample.PIECES // len(on))) for one in on]
            total, seen = sum(items.spec.nbytes for items in group), sum(one.nbytes for one in on)
            chunks = sum(_chunks(self.codec, items.spec, chunk) for items in group)
            self.estimate = round(sum(self.sizes) * (total / seen if seen else 1.0)) + CHUNK_OVERHEAD * chunks
        except Exception as error:  # a third-party codec that fails is left out, and does not stop the choice
            self.error = error
        self.seconds += time.perf_counter() - start
        return self

    def bytes_of(self, one: Excerpt, chunk: Chunk | None, most: int) -> float:
        """About how many bytes an excerpt takes; at most `most` pieces of it are encoded."""
        try:
            return self._encoded(one, chunk, most)
        except UnsupportedArrayError:
            if not one.cropped:
                raise
            items = one.uncropped()
            return self._encoded(items, chunk, most) * one.nbytes / items.nbytes

    def _encoded(self, one: Excerpt, chunk: Chunk | None, most: int) -> float:
        codec = self._built()
        cut = one.pieces(codec, chunk, most)
        payloads = [codec.encode(piece) for piece in cut]
        if cut and self.proof is None:
            self.proof = cut[0], payloads[0]
        seen = sum(piece.nbytes for piece in cut)
        return sum(map(len, payloads)) * (one.nbytes / seen if seen else 1.0)

    def wrong(self) -> bool:
        """Whether the candidate is out after all, which is noted: a piece of the sample does not come back as it went in."""
        if self.proof is None:
            return False
        codec, (piece, payload) = self._built(), self.proof
        try:
            back = aside(partial(codec.decode, payload, ArraySpec.of(piece)))
        except Exception as error:
            self.error = error
            return True
        if back.tobytes() != np.ascontiguousarray(piece).tobytes():
            self.error = ConfigError(f"codec {codec.id} does not decode what it encoded")
        return self.error is not None

    def report(self) -> dict[str, Any]:
        """The trial as JSON."""
        return {
            "codec": self.candidate.id,
            "model": self.candidate.model,
            "bytes": None if self.error else self.estimate,
            "model_bytes": self.model_bytes,
            "error": None if self.error is None else f"{self.error}",
            "unsupported": isinstance(self.error, UnsupportedArrayError),
            "seconds": round(self.seconds, 4),
        }

    def _built(self) -> Codec:
        if self.codec is None:  # never: what is asked for follows `run`
            raise ConfigError(f"codec {self.candidate.id} was never built")
        return self.codec


@dataclass(kw_only=True)
class Choice:
    """The codec for some entries, and what comes next should it refuse one of them after all."""

    ranked: list[Trial] = field(default_factory=list)
    tried: dict[str, Any] | None = None

    @property
    def codec(self) -> Codec:
        """The codec that is on."""
        codec = self.ranked[0].codec
        if codec is None:  # never: only trials with a codec are ranked
            raise ConfigError("no codec is left")
        return codec

    @property
    def others(self) -> bool:
        """Whether there is another codec."""
        return len(self.ranked) > 1

    def drop(self, error: Exception) -> bool:
        """Give up on the codec; whether there is another."""
        if not self.others:
            return False
        self.ranked.pop(0).error = error
        return True

    def report(self) -> dict[str, Any] | None:
        """What was tried, as JSON; None where there was nothing to choose."""
        if self.tried is None:
            return None
        trials: list[Trial] = self.tried["candidates"]
        chosen = self.ranked[0].candidate
        return {
            **self.tried,
            "chosen": {"codec": chosen.id, "model": chosen.model},
            "candidates": [trial.report() for trial in trials],
        }


def fixed(codec: Codec) -> Choice:
    """The choice where there is none."""
    return Choice(ranked=[Trial(candidate=Candidate(id=codec.id, model=None, build=lambda: codec), codec=codec)])


def _chunks(codec: Codec, spec: ArraySpec, chunk: Chunk | None) -> int:
    return n_chunks(spec.shape, simplest(spec.shape, chunk or codec.default_chunk(spec)))
