"""What comes back is what went in."""

from __future__ import annotations

from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec
from codecs_core.errors import ConfigError
from codecs_core.stored import store, stored_size
from codecs_core.testing.strategies import LAYOUTS
from codecs_core.testing.subject import Subject, called, require, same
from codecs_core.testing.unstored import unstored


class Values(Subject):
    """Clauses 1, 3, 8 and 10."""

    def test_round_trip(self) -> None:
        """Clause 1: decoding gives the array back to the last bit; of a lossy codec, within its bound."""
        worst = 0.0
        for codec in map(unstored, self.codecs()):

            def check(array: NDArray[Any], codec: Codec = codec) -> None:
                nonlocal worst
                decoded = codec.decode(codec.encode(array), ArraySpec.of(array))
                if codec.info.kind == "lossless":
                    require(same(decoded, array), f"{called(codec, array)} does not come back as it was")
                    return
                distance = _distance(decoded, array)
                worst = max(worst, distance)
                bound = np.inf if self.max_error is None else self.max_error
                require(distance <= bound, f"{called(codec, array)} comes back {distance} off, over {self.max_error}")

            self.for_all(codec, check)
        if self.codec_class().info.kind == "lossy":
            self.detail = f"at most {worst:g} off" + ("; no bound is declared" if self.max_error is None else "")

    def test_layouts(self) -> None:
        """Clause 3: an array gives the same bytes however it lies in memory."""
        for codec in self.codecs():

            def check(array: NDArray[Any], codec: Codec = codec) -> None:
                payload = codec.encode(array)
                for name, lay_out in LAYOUTS.items():
                    require(
                        codec.encode(lay_out(array)) == payload, f"{called(codec, array)} in {name} has other bytes"
                    )

            self.for_all(codec, check)
        self.detail = ", ".join(LAYOUTS)

    def test_stored(self) -> None:
        """Clause 10: a payload is no longer than the values, nor is it empty but where there are none; stored values come back."""
        if self.codec_class().stores_from is None:
            raise SkipTest("the codec has no stored payloads")
        for codec in self.codecs():

            def check(array: NDArray[Any], codec: Codec = codec) -> None:
                spec, payload = ArraySpec.of(array), codec.encode(array)
                require(
                    len(payload) <= stored_size(spec),
                    f"{called(codec, array)} takes more than {stored_size(spec)} bytes",
                )
                require(
                    bool(payload) == bool(spec.size), f"{called(codec, array)} has a payload of {len(payload)} bytes"
                )
                require(
                    same(codec.decode(store(array), spec), array), f"{called(codec, array)} does not come back stored"
                )
                if len(payload) == stored_size(spec):
                    require(payload == store(array), f"{called(codec, array)} has a code as long as its values")

            self.for_all(codec, check)

    def test_previews(self) -> None:
        """Clause 8: a preview has the shape and dtype of what was encoded; a codec without previews says so."""
        codec = self.codec()
        has = type(codec)._preview is not Codec._preview
        for array in self.taken(codec):
            spec, payload = ArraySpec.of(array), codec.encode(array)
            for levels in (0, 1, 99):
                try:
                    coarse = codec.preview(payload, spec, levels)
                except ConfigError:
                    require(not has, f"{called(codec, array)} has no preview of {levels} levels")
                else:
                    require(ArraySpec.of(coarse) == spec, f"the preview of {called(codec, array)} is {coarse.shape}")
        self.detail = "it has previews" if has else "it has none"


def _distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    return float(np.abs(a.astype(wide) - b.astype(wide)).max(initial=0.0))
