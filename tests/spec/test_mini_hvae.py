"""The mini reader decodes what ``bbans.hvae`` encodes with corrections: two programs, one of them written from the specification alone."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.corrections import Corrected
from codecs_bbans.testing import random_hierarchy
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.testing import unstored

MINI = Path(__file__).parents[2] / "spec" / "mini"


@pytest.fixture(scope="module")
def mini() -> Any:
    """The modules of the mini reader, under their own names, and out of the way again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(MINI))
        for name in ("entropy", "exact", "idf", "hvae"):
            patch.delitem(sys.modules, name, raising=False)
        yield {name: importlib.import_module(name) for name in ("exact", "entropy", "hvae")}
        for name in ("entropy", "exact", "idf", "hvae"):
            sys.modules.pop(name, None)


def pixels(*shape: int) -> NDArray[np.uint8]:
    words = np.asarray(np.random.Philox(80).random_raw(int(np.prod(shape))))
    return (118 + words % np.uint64(12)).astype(np.uint8).reshape(shape)


@pytest.mark.parametrize("shape", [(2, 17, 16, 1), (16, 17, 3), (15, 17, 3), (16, 16, 4)])
def test_corrected(mini: dict[str, ModuleType], shape: tuple[int, ...]) -> None:
    model = random_hierarchy(shape[-1], latents=(2, 1), features=3, width=4)
    codec, x = unstored(HierarchicalCodec(model=model, effort="smallest")), pixels(*shape)
    payload = codec.encode(x)
    named = codec._stack_codec(ArraySpec.of(x)).base
    assert isinstance(named, Corrected) == (shape[-3] * shape[-2] >= 256)
    assert not isinstance(named, Corrected) or named._told(Message.from_bytes(payload)) is not None
    parsed = mini["exact"].parse_model(model.data)
    found = mini["hvae"].decode(parsed, codec.config(), payload, shape, "uint8", version=3)
    assert np.array_equal(found, x)


def test_an_effort_that_version_2_had_not(mini: dict[str, ModuleType]) -> None:
    model, x = random_hierarchy(1, latents=(1,), features=3, width=4), pixels(16, 16)
    payload = unstored(HierarchicalCodec(model=model)).encode(x)
    parsed = mini["exact"].parse_model(model.data)
    with pytest.raises(mini["entropy"].Corrupt, match="another effort"):
        mini["hvae"].decode(parsed, {"effort": "smallest"}, payload, x.shape, "uint8", version=2)
