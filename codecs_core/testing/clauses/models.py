"""Models that are damaged in some way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ModelError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_core.testing.subject import Subject, require, same

#: Models of which one tensor is damaged, and tensors that are left out, at most.
TRIED = 40


class Models(Subject):
    """What of clause 4 concerns models."""

    def test_models_without_a_tensor(self) -> None:
        """Clause 4: a model that lacks one of its tensors is a `ModelError`, unless that changes nothing."""
        model = self._model()
        array = self.taken(self.codec())[0]
        payload = self.codec().encode(array)
        tensors = model.tensors()
        for name in sorted(tensors)[:: 1 + len(tensors) // TRIED]:
            less = _remade(model, {key: value for key, value in tensors.items() if key != name})
            found = self._encoded(less, array, f"a model without the tensor {name}")
            require(found in (None, payload), f"a model without the tensor {name} is taken, and codes other bytes")
        self.detail = f"{len(tensors)} tensors"

    def test_damaged_models(self) -> None:
        """Clause 4: a model with a flipped bit is a `ModelError`, or decodes what it encodes."""
        model = self._model()
        array = self.taken(self.codec())[0]
        refused = 0
        for name, damaged in _damaged(model):
            what = f"a model with a flipped bit in the tensor {name}"
            payload = self._encoded(damaged, array, what)
            if payload is None:
                refused += 1
                continue
            codec = self.codec_class().from_config(self.configs[0], model=damaged)
            decoded = codec.decode(payload, ArraySpec.of(array))
            lossless = codec.info.kind == "lossless"
            require(not lossless or same(decoded, array), f"{what} is taken, and decodes other values")
        self.detail = f"{TRIED} tried, {refused} refused"

    def _model(self) -> Model:
        model = self.found_model()
        if model is None or not model.tensors():
            raise SkipTest(f"{self.codec_id} is tried without a model")
        return model

    def _encoded(self, model: Model, array: NDArray[Any], what: str) -> bytes | None:
        """A payload, or None where the model is refused."""
        try:
            return self.codec_class().from_config(self.configs[0], model=model).encode(array)
        except (ModelError, UnsupportedArrayError):
            return None
        except CodecsError:  # a model that loads and then cannot code this says so
            return None
        except Exception as error:
            require(False, f"{what} ends in {type(error).__name__}: {error}")
            raise


def _remade(model: Model, tensors: dict[str, NDArray[Any]]) -> Model:
    return Model.create(codec=model.codec, config=model.config, tensors=tensors, attrs=model.attrs)


def _damaged(model: Model) -> Iterator[tuple[str, Model]]:
    """Models that differ in one bit of a tensor, whose name is given: the same ones everywhere."""
    tensors = {name: value for name, value in model.tensors().items() if value.nbytes}
    names, bits = sorted(tensors), np.random.Philox(7)
    for draw in np.asarray(bits.random_raw(TRIED)).tolist():
        name = names[draw % len(names)]
        raw = bytearray(np.ascontiguousarray(tensors[name]).tobytes())
        at = (draw >> 16) % (8 * len(raw))
        raw[at // 8] ^= 1 << at % 8
        value = np.frombuffer(bytes(raw), tensors[name].dtype).reshape(tensors[name].shape)
        yield name, _remade(model, {**tensors, name: value})
