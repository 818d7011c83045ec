"""The network of a model with predictors: what it says values cost is what they cost once it is frozen."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from codecs_ar import neighbours  # noqa: E402
from codecs_ar.stack.fitted import Fitted, Scene  # noqa: E402
from codecs_ar.stack.fitted_network import FEATURE_BITS, Network, frozen  # noqa: E402
from codecs_ar.stack.testing import fitted_model  # noqa: E402

from codecs_core.entropy import Message  # noqa: E402


def test_frozen_networks_cost_what_they_say() -> None:
    model = fitted_model((12, 12, 3))
    look = Fitted(model.config, model.tensors())
    slope = np.arange(12)[:, None, None] * 9 + np.arange(12)[:, None] * 5 + np.arange(3) * 20
    x = (slope + np.random.default_rng(0).integers(0, 6, (8, 12, 12, 3))).astype(np.uint8)
    x[0, :2], x[1, :2] = 0, 255  # the outer bins take in the tails
    torch.manual_seed(1)
    networks = [Network(plane.network.inputs, width=12, narrow=8, components=3).eval() for plane in look.planes]
    scene, examples, bits = Scene.of(look, x), [], 0.0
    for i, network in enumerate(networks):
        torch.nn.init.normal_(network.last.weight, std=0.2)
        rows, told = scene.rows(i, 0, len(x))
        examples.append(rows)
        values = torch.from_numpy(scene.by_place(i).T.reshape(-1)).float()
        with torch.inference_mode():
            found = network.bits(torch.from_numpy(rows) * 2.0**-FEATURE_BITS, values, torch.from_numpy(told[:, :2]))
        bits += float(found.sum())
    made = frozen(
        networks,
        [plane.window for plane in look.planes],
        [model.tensors()[f"plane{i}.prior"] for i in range(3)],
        examples,
        config={key: model.config[key] for key in ("shape", "order", "decays", "periods")},
        attrs={},
    )
    message = Message()
    Fitted(made.config, made.tensors()).push(message, x)
    assert message.bits == pytest.approx(bits, rel=0.01)
    assert examples[2].shape == (8 * 144, neighbours.features(2) + len(look.planes[2].window))
