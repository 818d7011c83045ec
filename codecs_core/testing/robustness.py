"""What other processes make of a codec's files, of damaged payloads, and of damaged models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ModelError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_core.registry import Registry
from codecs_core.testing.elsewhere import PATIENCE
from codecs_core.testing.environments import ROWS, available
from codecs_core.testing.subject import Subject, require, same

#: At most this number of models with a damaged tensor are tried, and of models that lack a tensor.
TRIED = 40


class Processes(Subject):
    """Clauses 1, 2 and 7."""

    def test_process(self) -> None:
        """Clause 2: a fresh process encodes to the same bytes."""
        self._needs_processes()
        here = self.elsewhere()
        there = here.ask("decode")["encoded"]
        wrong = [name for name, digest in here.encoded.items() if there.get(name) != digest]
        require(not wrong, f"another process encodes {len(wrong)} of {len(here.encoded)} samples to other bytes")

    def test_file_alone(self) -> None:
        """Clause 1: a fresh process that has nothing but the file decodes the same values."""
        self._needs_processes()
        self._compare("a fresh process", {})

    def test_matrix(self) -> None:
        """Clause 7: processes with other threads, SIMD levels and BLAS kernels decode the same values."""
        self._needs_processes()
        if self.codec_class().info.exactness == "pinned":
            raise SkipTest("the codec is pinned: it promises nothing for other builds")
        rows = {name: ROWS[name] for name in self.environments if available(name)}
        for name, variables in rows.items():
            self._compare(name, variables)
        self.detail = ", ".join(rows)

    def _compare(self, name: str, variables: dict[str, str]) -> None:
        here = self.elsewhere()
        there = here.ask("decode", variables)["decoded"]
        wrong = {part: there.get(part) for part, digest in here.decoded.items() if there.get(part) != digest}
        require(
            not wrong, f"{name} decodes {len(wrong)} of {len(here.decoded)} samples otherwise: {[*wrong.values()][:1]}"
        )

    def _needs_processes(self) -> None:
        if self.codec_id not in Registry().codecs:
            raise SkipTest("the plugin is registered by hand, so that other processes do not know it")


class Damage(Processes):
    """Clauses 3 and 4. All payloads are decoded in a process of their own, which they may bring down."""

    def test_truncation(self) -> None:
        """Clause 4: a payload that is cut short or goes on raises errors of the project and no other."""
        self._damaged("cuts")

    def test_bit_flips(self) -> None:
        """Clause 4: a payload with bits or bytes changed raises errors of the project, or decodes to something of its spec."""
        self._damaged("flips")

    def test_other_specs(self) -> None:
        """Clause 4: a payload decoded as another shape raises errors of the project and no other."""
        self._damaged("specs")

    def test_bounds(self) -> None:
        """Clause 3: no damaged payload makes the decoder hang or allocate more than the spec implies."""
        self._damaged("memory")
        self.detail = f"in {PATIENCE} s for all"

    def _damaged(self, kind: str) -> None:
        self._needs_processes()
        found = self.elsewhere().ask("damage")
        wrong = [text for text in found["wrong"] if text.startswith(kind)]
        require(not wrong, f"{len(wrong)} payloads: {wrong[:1]}")
        self.detail = f"{found.get(kind)} payloads"


class Models(Subject):
    """What of clause 4 concerns models."""

    def test_models_without_a_tensor(self) -> None:
        """Clause 4: a model that lacks one of its tensors is a `ModelError`, unless that changes nothing."""
        model = self._model()
        array = self.taken(self.codec())[0]
        payload = self.codec().encode(array)
        tensors = model.tensors()
        for name in sorted(tensors)[:: 1 + len(tensors) // self._most]:
            less = _remade(model, {key: value for key, value in tensors.items() if key != name})
            found = self._encoded(less, array, f"a model without the tensor {name}")
            require(found in (None, payload), f"a model without the tensor {name} is taken, and codes other bytes")
        self.detail = f"{len(tensors)} tensors"

    def test_damaged_models(self) -> None:
        """Clause 4: a model with a flipped bit is a `ModelError`, or decodes what it encodes."""
        model = self._model()
        array = self.taken(self.codec())[0]
        refused = 0
        for name, damaged in _damaged(model, self._most):
            what = f"a model with a flipped bit in the tensor {name}"
            payload = self._encoded(damaged, array, what)
            if payload is None:
                refused += 1
                continue
            codec = self.codec_class().from_config(self.configs[0], model=damaged)
            decoded = codec.decode(payload, ArraySpec.of(array))
            lossless = codec.info.kind == "lossless"
            require(not lossless or same(decoded, array), f"{what} is taken, and decodes other values")
        self.detail = f"{self._most} tried, {refused} refused"

    @property
    def _most(self) -> int:
        return min(self.trials, TRIED)

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


def _damaged(model: Model, count: int) -> Iterator[tuple[str, Model]]:
    """Models that differ in one bit of a tensor, whose name is given: the same ones everywhere."""
    tensors = {name: value for name, value in model.tensors().items() if value.nbytes}
    names, bits = sorted(tensors), np.random.Philox(7)
    for draw in np.asarray(bits.random_raw(count)).tolist():
        name = names[draw % len(names)]
        raw = bytearray(np.ascontiguousarray(tensors[name]).tobytes())
        at = (draw >> 16) % (8 * len(raw))
        raw[at // 8] ^= 1 << at % 8
        value = np.frombuffer(bytes(raw), tensors[name].dtype).reshape(tensors[name].shape)
        yield name, _remade(model, {**tensors, name: value})
