"""Frozen networks code what they were trained for at the rate they were trained to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_lbb.grid import Grid
from codecs_lbb.model import FlowModel
from numpy.typing import NDArray

from codecs_core.entropy import Chain, Message

torch = pytest.importorskip("torch")

SMALL: dict[str, Any] = {"couplings": (2, 1), "width": 8, "blocks": 1, "coupling_width": 8, "components": 2, "batch": 8}


def images(n: int, channels: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    ramp = np.add.outer(6 * np.arange(12), 3 * np.arange(8))[None, :, :, None] + 40 * rng.random((n, 1, 1, 1))
    return (ramp + rng.normal(0, 4, (n, 12, 8, channels)) + 20).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(("kind", "noise"), [("flow++", 8), ("flow++", 0), ("realnvp", 0), ("nice", 0), ("nice", 8)])
@pytest.mark.parametrize("channels", [1, 3])
def test_frozen_flow(kind: str, noise: int, channels: int) -> None:
    from codecs_lbb.freeze import frozen
    from codecs_lbb.train import Settings, evaluate, fit, tensor

    from codecs_core.learn import Run

    x = images(64, channels)
    settings = Settings(kind=kind, noise_width=noise, steps=30, centre=128 if kind == "flow++" else 0, **SMALL)
    network, _ = fit(x, x, settings, Run())
    model = frozen(network, tensor(x), grid=Grid(), attrs={})
    flow = FlowModel(model.config, model.tensors())
    codec = flow.codec(*x.shape[:3])
    message = Message()
    codec.push(message, x)
    bits = message.bits
    assert np.array_equal(codec.pop(message), x)
    message.verify_end()
    # a few images with one sample of noise each, so the rates of two samples differ
    assert abs(bits / x.size - evaluate(network, x)) < 0.35
    chain = Chain(lambda n: flow.codec(n, 12, 8), 10, 4)
    chain.push(message, x[:10])
    assert np.array_equal(chain.pop(message), x[:10])
