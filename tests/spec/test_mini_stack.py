"""The mini reader decodes what ``ar.stack`` encodes: two programs, one written from the text."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_ar.stack.fitted import Fitted
from codecs_ar.stack.model import Stack
from codecs_ar.stack.testing import fitted_model, random_model

from codecs_core.entropy import Message
from codecs_core.testing.random import Draw

MINI = Path(__file__).parents[2] / "spec" / "mini"
#: Modules of the mini reader, which another test may have loaded from elsewhere.
NAMES = ("entropy", "exact", "arrays", "ar", "ar_fast", "ar_smallest", "ar_wide")


@pytest.fixture(scope="module")
def mini() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(MINI))
        spec = importlib.util.spec_from_file_location("mini_stack", MINI / "stack.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        for name in NAMES:
            patch.delitem(sys.modules, name, raising=False)
        spec.loader.exec_module(module)
        for name in NAMES:
            del sys.modules[name]
        yield module


@pytest.mark.parametrize(
    ("shape", "more"),
    [
        ((4, 5, 1), {}),
        ((3, 4, 3), {}),
        ((4, 4, 3), {"referred": True}),
        ((5, 4, 1), {"symbols": 2}),
        ((3, 3, 2), {"symbols": 7}),
    ],
)
def test_the_same_images(mini: Any, shape: tuple[int, int, int], more: dict[str, Any]) -> None:
    model = random_model(shape, **more)
    x = Draw(5)(0, more.get("symbols", 256) - 1, 4, *shape).astype(np.uint8)
    x[1] = 0
    message = Message()
    Stack(model.config, model.tensors()).push(message, x)
    parsed = model.codec, model.config, model.tensors()
    np.testing.assert_array_equal(mini.decode(parsed, {}, message.to_bytes(), x.shape, "uint8"), x)


@pytest.mark.parametrize(("shape", "seed"), [((4, 6, 3), 0), ((6, 5, 1), 1), ((3, 9, 3), 2)])
def test_the_same_images_with_predictors(mini: Any, shape: tuple[int, int, int], seed: int) -> None:
    model = fitted_model(shape, seed=seed)
    x = (Draw(seed)(0, 40, 3, *shape) + 100).astype(np.uint8)
    x[1] = 7
    message = Message()
    Fitted(model.config, model.tensors()).push(message, x)
    parsed = model.codec, model.config, model.tensors()
    np.testing.assert_array_equal(mini.decode(parsed, {}, message.to_bytes(), x.shape, "uint8"), x)
