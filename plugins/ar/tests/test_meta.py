"""Networks as a beginning: layers in balance, and weights from which learning gets far."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from codecs_ar.data import priors_of
from codecs_ar.meta import LARGEST, Passes, adapt, drawn
from codecs_ar.network import Network
from codecs_ar.train import Settings, begun
from numpy.typing import NDArray


def spotted(n: int) -> list[NDArray[np.uint8]]:
    """Smooth grey images with noise of three values, which no network expects that knows nothing."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:32, :32]
    smooth = 120 + 60 * np.sin(x / 9 + y / 23) + rng.uniform(-20, 20, (n, 1, 1))
    return list((smooth + rng.choice([-5, 0, 0, 5], smooth.shape))[..., None].astype(np.uint8))


def passes(images: list[NDArray[np.uint8]], rates: tuple[int, int] = (10, 8)) -> Passes:
    networks = begun(1, Settings(hidden=(12, 8), components=2))
    return Passes(networks, priors_of(images), (4, 16), rates)


def test_balanced_layers_say_the_same() -> None:
    torch.manual_seed(0)
    network, x = Network(20, hidden=(16, 12), components=2), torch.randn(30, 20)
    for layer in network.linear:
        torch.nn.init.normal_(layer.bias)
    before = network.layers(x)
    network.balance()
    torch.testing.assert_close(network.layers(x), before)
    sizes = [float(layer.weight.detach().square().mean().sqrt()) for layer in network.linear]
    assert sizes == pytest.approx([sizes[0]] * 3)


def test_a_pass_ends_where_the_coder_does() -> None:
    """Of a rate of 0 that is where it began; otherwise a step leads there."""
    images = spotted(2)
    still = passes(images, (0, 0))
    before = [layer.weight.clone() for layer in still.networks[0].linear]
    still.step(images, 1.0)
    for layer, weight in zip(still.networks[0].linear, before, strict=True):
        torch.testing.assert_close(layer.weight, weight, rtol=0, atol=2.0**-20)
    moving = passes(images)
    _, (end,) = moving.over(images[0])
    moving.step(images[:1], 1.0)
    for layer, (weights, biases) in zip(moving.networks[0].linear, end.layers, strict=True):
        outputs, inputs = layer.weight.shape
        np.testing.assert_allclose(layer.weight.detach().numpy(), weights[:inputs, :outputs].T, rtol=1e-6)
        np.testing.assert_allclose(layer.bias.detach().numpy(), biases[:, :outputs].mean(0), rtol=1e-5, atol=1e-7)


def test_learning_gets_further() -> None:
    images = spotted(6)
    learnt = passes(images[:-1])
    before, told = learnt.rate(images[-1:]), list[str]()
    rng = np.random.default_rng(0)
    taken = adapt(
        learnt,
        images[:-1],
        images[-1:],
        enlarge=0.0,
        budget=1.0,
        steps=8,
        rng=rng,
        progress=lambda _, message: told.append(message),
    )
    assert taken == 8
    assert learnt.rate(images[-1:]) < before - 0.03
    assert told[-1].startswith("8 steps by passes: ")


def test_what_gets_worse_is_not_kept() -> None:
    """Passes over noise teach nothing about smooth images."""
    noise = list(np.random.default_rng(1).integers(0, 256, (3, 32, 32, 1), np.uint8))
    held_out = [np.full((32, 32, 1), 100, np.uint8)]
    learnt = passes(spotted(2))
    before = learnt.state()
    adapt(learnt, noise, held_out, enlarge=0.0, budget=1.0, steps=2, rng=np.random.default_rng(0))
    for network, state in zip(learnt.networks, before, strict=True):
        for name, weights in network.state_dict().items():
            torch.testing.assert_close(weights, state[name], rtol=0, atol=0)


def test_parts_of_images() -> None:
    rng, image = np.random.default_rng(0), np.zeros((LARGEST + 40, 30, 3), np.uint8)
    for enlarge in (0.0, 1.0):
        part = drawn([image], enlarge, rng)
        assert part.shape[0] <= LARGEST
        assert part.dtype == np.uint8
        assert (part.shape[1] > 30) == (enlarge == 1.0)
