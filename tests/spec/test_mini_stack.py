"""The mini reader decodes what ``ar.stack`` encodes: two programs, one written from the text."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_ar.stack.model import Stack
from codecs_ar.stack.testing import random_model

from codecs_core.entropy import Message
from codecs_core.testing.random import Draw

MINI = Path(__file__).parents[2] / "spec" / "mini"


@pytest.fixture(scope="module")
def mini() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(MINI))
        spec = importlib.util.spec_from_file_location("mini_stack", MINI / "stack.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        for name in ("entropy", "exact"):
            patch.delitem(sys.modules, name, raising=False)
        spec.loader.exec_module(module)
        for name in ("entropy", "exact"):
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
