"""What trainers stand on: settings, the loop and its checkpoints, lists of images, the device."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from codecs_core import learn  # noqa: E402
from codecs_core.errors import ConfigError, OutputError, UnsupportedArrayError  # noqa: E402
from codecs_core.learn import groups_of, inner_weights, loop, machine, residual  # noqa: E402
from codecs_core.learn.loop import LOOKS  # noqa: E402
from codecs_core.learn.muon import Muon  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Sizes(learn.Settings):
    """Of a test."""

    width: int = learn.whole(8, 1, 64)
    rate: float = learn.number(0.05, above=True)
    share: float = learn.number(0.5, 0, 1)
    levels: Sequence[int] = learn.counts((2, 1), 0, 9, lengths=(1, 3))
    kind: str = learn.one_of("plain", ("plain", "fancy"))
    mirror: bool = True
    name: str = ""


def test_settings() -> None:
    sizes = Sizes.of(
        "test.codec", {"width": 3, "levels": [1, 2, 3], "rate": 1, "checkpoint": "x"}, beside=("checkpoint",)
    )
    assert (sizes.width, sizes.levels, sizes.rate, sizes.mirror) == (3, (1, 2, 3), 1, True)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"width": 0}, "width must be an integer from 1 to 64, got 0"),
        ({"width": 2.0}, "width must be an integer"),
        ({"width": True}, "width must be an integer"),
        ({"rate": 0}, "rate must be a number above 0, got 0"),
        ({"rate": math.inf}, "rate must be a number above 0"),
        ({"rate": "a"}, "rate must be a number"),
        ({"share": 1.5}, "share must be a number from 0 to 1, got 1.5"),
        ({"levels": [1, 2, 3, 4]}, "levels must be a list of 1 to 3 integers from 0 to 9"),
        ({"levels": [10]}, "levels must be"),
        ({"levels": 3}, "levels must be"),
        ({"kind": "odd"}, "kind must be one of plain, fancy, got 'odd'"),
        ({"mirror": 1}, "mirror must be true or false, got 1"),
        ({"name": 3}, "name must be a text"),
        ({"colour": 3}, "training of test.codec has no setting 'colour'; it has kind, levels"),
    ],
)
def test_settings_out_of_range(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Sizes.of("test.codec", wrong)


def line(seed: int = 0) -> nn.Module:
    """A line through the origin, to be fitted to y = 3 x."""
    torch.manual_seed(seed)
    return nn.Linear(1, 1, bias=False)


def run(network: nn.Module, **more: Any) -> int:
    """Fit a line; what is held out is how far its slope is from 3."""
    rng = np.random.default_rng(0)

    def loss(done: float) -> Tensor:
        assert 0 < done <= 1
        x = torch.from_numpy(rng.random((16, 1), np.float32)).to(learn.device())
        return (network(x) - 3 * x).square().mean()

    settings = {"rate": 0.1, "budget": 60.0, "steps": 200, "rng": rng}
    return learn.fit(network, loss, lambda: abs(network.weight.item() - 3), **(settings | more))


def test_fit() -> None:
    network, told = line(), []
    assert run(network, progress=lambda done, message: told.append((done, message))) == 200
    assert network.weight.item() == pytest.approx(3, abs=0.05)
    assert not network.training
    assert next(network.parameters()).device.type == "cpu"
    done, message = told[-1]
    assert done == 1
    assert len(told) == LOOKS
    assert message.startswith("step 200: 0.0")
    assert message.endswith(" bits per value on what is held out")


def test_matrices_by_muon(tmp_path: Path) -> None:
    """A group of matrices takes steps of one size whatever the gradient; its state is in the checkpoint."""
    network = line()
    groups = [{"params": [network.weight], "matrices": True}]
    run(network, groups=groups, checkpoint=tmp_path / "state")
    assert network.weight.item() == pytest.approx(3, abs=0.1)
    again = line(1)
    run(again, groups=[{"params": [again.weight], "matrices": True}], checkpoint=tmp_path / "state", steps=201)
    assert again.weight.item() == pytest.approx(3, abs=0.1)


def test_convolutions_by_muon() -> None:
    """Weights of windows count as matrices, and those of one shape take their steps together, as they do alone."""
    rng = torch.Generator().manual_seed(0)
    weights = [torch.randn(4, 3, 3, 3, generator=rng) for _ in range(2)]
    gradients = [torch.randn(4, 3, 3, 3, generator=rng) for _ in range(2)]

    def moved(which: list[int]) -> list[torch.Tensor]:
        parameters = [nn.Parameter(weights[i].clone()) for i in which]
        optimiser = Muon([{"params": parameters, "matrices": True}], 0.5)
        for p, i in zip(parameters, which, strict=True):
            p.grad = gradients[i].clone()
        optimiser.step()
        return [(p.detach() - weights[i]) / -0.5 for p, i in zip(parameters, which, strict=True)]

    together = moved([0, 1])
    for i, step in enumerate(together):
        assert torch.allclose(step, moved([i])[0], atol=1e-3)
        values = torch.linalg.svdvals(step.flatten(1))
        assert 0.6 < float(values.min()) <= float(values.max()) < 1.3


def test_inner_weights_are_those_of_all_layers_but_the_last() -> None:
    network = nn.ModuleList([residual(2, 5, width=4, blocks=2), nn.Conv2d(2, 5, 3)])
    found = inner_weights(network)
    assert [w.shape for w in found] == [(4, 2, 3, 3)] + [(4, 4, 3, 3)] * 4
    groups = groups_of(network, found, gain=7.0)
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_the_same_again() -> None:
    slopes = []
    for _ in range(2):
        network = line()
        run(network, steps=20)
        slopes.append(network.weight.item())
    assert slopes[0] == slopes[1]


def test_a_budget_ends_it() -> None:
    network = line()
    assert run(network, steps=0, budget=0.2) > 0


@pytest.mark.parametrize("budget", [0, -1, math.inf, "1h"])
def test_budget_out_of_range(budget: Any) -> None:
    with pytest.raises(ConfigError, match="budget must be a positive number of seconds"):
        run(line(), budget=budget)


def test_the_best_weights_stay() -> None:
    network, rates = line(), iter([5.0, 1.0, 3.0, 4.0])
    seen = []

    def held_out() -> float:
        seen.append(network.weight.item())
        return next(rates)

    rng = np.random.default_rng(0)
    loss = lambda _: network(torch.ones(1, 1).to(learn.device())).sum()  # noqa: E731
    learn.fit(network, loss, held_out, rate=0.1, budget=60, steps=4, interval=0.0, rng=rng)
    assert network.weight.item() == seen[1]


def test_patience() -> None:
    network, told = line(), []
    rng = np.random.default_rng(0)
    loss = lambda _: network(torch.ones(1, 1).to(learn.device())).square().sum()  # noqa: E731
    steps = learn.fit(
        network,
        loss,
        lambda: 1.0 + len(told),
        rate=0.1,
        budget=60,
        steps=100,
        interval=0.0,
        patience=3,
        rng=rng,
        progress=lambda done, message: told.append(done),
    )
    apart = math.ceil(100 / LOOKS)
    assert (steps, len(told), told[-1]) == (4 * apart, 4, 1.0)


@pytest.mark.parametrize("interval", [0.0, 1e9])
def test_looks_of_a_training_by_steps_are_the_same_however_long_they_take(interval: float) -> None:
    told: list[str] = []
    run(line(), steps=50, interval=interval, progress=lambda _, message: told.append(message.partition(":")[0]))
    assert told == [f"step {step}" for step in (*range(4, 50, 4), 50)]


@pytest.mark.parametrize("steps", [0, 1000])
def test_a_training_interrupted_before_its_first_look_leaves_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """And goes on from it."""
    monkeypatch.setattr(loop, "SAVE", 0.0)
    rng, network, path = np.random.default_rng(0), line(), tmp_path / "state"

    def interrupted(done: float) -> Tensor:
        if path.exists():
            raise KeyboardInterrupt
        return network(torch.ones(1, 1).to(learn.device())).square().sum()

    with pytest.raises(KeyboardInterrupt):
        learn.fit(network, interrupted, lambda: 1.0, rate=0.1, budget=9.0, steps=steps, rng=rng, checkpoint=path)
    monkeypatch.setattr(loop, "SAVE", 1e9)
    loss = lambda _: network(torch.ones(1, 1).to(learn.device())).square().sum()  # noqa: E731
    more = {"rate": 0.1, "budget": 1e-9, "rng": rng, "checkpoint": path, "steps": 3 if steps else 0}
    assert learn.fit(network, loss, lambda: 1.0, **more) == (3 if steps else 2)


def test_an_average_of_weights_stays() -> None:
    plain, averaged = line(), line()
    run(plain, steps=30)
    run(averaged, steps=30, average=0.9)
    assert 0 < averaged.weight.item() < plain.weight.item() < 3.2


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_it_goes_on_from_a_checkpoint(tmp_path: Path, average: float) -> None:
    whole, path = line(), tmp_path / "state"
    run(whole, steps=12, average=average, interval=0.0)

    class Stop(Exception):
        pass

    def stop(done: float, message: str) -> None:
        if message.startswith("step 6:"):
            raise Stop

    rng = np.random.default_rng(0)
    network = line()

    def loss(done: float) -> Tensor:
        x = torch.from_numpy(rng.random((16, 1), np.float32)).to(learn.device())
        return (network(x) - 3 * x).square().mean()

    more = {"rate": 0.1, "budget": 60.0, "steps": 12, "average": average, "interval": 0.0, "rng": rng}
    held_out = lambda: abs(network.weight.item() - 3)  # noqa: E731
    with pytest.raises(Stop):
        learn.fit(network, loss, held_out, progress=stop, checkpoint=path, run="a", **more)
    network, rng = line(seed=9), np.random.default_rng(9)
    more["rng"] = rng
    with pytest.raises(ConfigError, match="is of another run"):
        learn.fit(network, loss, held_out, checkpoint=path, run="b", **more)
    assert learn.fit(network, loss, held_out, checkpoint=path, run="a", **more) == 12
    assert network.weight.item() == whole.weight.item()
    path.write_bytes(b"nothing")
    with pytest.raises(ConfigError, match=r"is no checkpoint of a training run, or it is damaged; delete it[^;]*$"):
        learn.fit(network, loss, held_out, checkpoint=path, run="a", **more)


def test_a_checkpoint_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        run(line(), steps=1, checkpoint=tmp_path / "state")
    assert os.listdir(tmp_path) == []


def test_image_list() -> None:
    grey = learn.image_list(np.zeros((3, 8, 9), np.uint8))
    assert [x.shape for x in grey] == [(8, 9, 1)] * 3
    mixed = learn.image_list(
        [np.zeros((4, 5, 3), np.uint8), np.zeros((0, 5, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)]
    )
    assert [x.shape for x in mixed] == [(4, 5, 3), (2, 2, 3)]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (np.zeros((3, 8, 9), np.int16), "number 0 is int16 of shape"),
        ([np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5, 1), np.uint8)], "number 1 has 1, the first has 3"),
        ([np.zeros((4, 5, 3), np.uint8)], "at least 2 images"),
        ([np.zeros((4, 5, 3), np.uint8), "a"], "number 1 is a str"),
        (np.zeros((3, 8, 9, 5), np.uint8), "1, 3 or 4 channels"),
    ],
)
def test_what_is_no_list_of_images(data: Any, text: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=text):
        learn.image_list(data)


def test_hold_out() -> None:
    fit, held = learn.hold_out(np.arange(100))
    assert (len(fit), held.tolist()) == (95, [95, 96, 97, 98, 99])
    assert [len(part) for part in learn.hold_out(list("abc"))] == [2, 1]
    assert [len(part) for part in learn.hold_out(np.arange(100), least=8)] == [92, 8]
    with pytest.raises(ConfigError, match="held_out must be an integer from 1 to 2, got 3"):
        learn.hold_out(list("abc"), 3)


def test_stack_of_items() -> None:
    assert learn.stack_of_items(np.ones((40, 3), bool), ndim=(2,)).dtype == np.uint8
    with pytest.raises(UnsupportedArrayError, match="at least 40 items of uint8 or bool, not uint8 of shape"):
        learn.stack_of_items(np.ones((39, 3), np.uint8), ndim=(2,))


def test_shuffled() -> None:
    batches = learn.shuffled(torch.arange(10), 4)
    first = torch.cat([next(batches) for _ in range(2)])
    assert len(set(first.tolist())) == 8
    assert len(next(learn.shuffled(torch.arange(3), 4))) == 3


@pytest.mark.parametrize(
    ("flags", "has"),
    [
        ("fpu avx512f avx512_bf16", True),
        ("fpu amx_bf16", True),
        ("fpu avx2 avx512f", False),
        ("", False),
    ],
)
def test_half_the_bits_only_where_the_processor_has_units(
    monkeypatch: pytest.MonkeyPatch, flags: str, has: bool
) -> None:
    monkeypatch.setattr(machine, "_instructions", lambda: set(flags.split()))
    machine.has_units.cache_clear()
    try:
        x = torch.ones(4, 4)
        with learn.half(True, x.device):
            assert (x @ x).dtype == (torch.bfloat16 if has else torch.float32)
        with learn.half(False, x.device):
            assert (x @ x).dtype == torch.float32
    finally:
        machine.has_units.cache_clear()
