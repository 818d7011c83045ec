"""What a model costs in a file: `auto` counts it once for all that need it, and it is stored compressed."""

from types import SimpleNamespace

import numpy as np
import pytest

import codecs_core as cc
from codecs_core.api.choosing import auto
from codecs_core.api.choosing.embedding import MODEL_OVERHEAD, cost, packed
from codecs_core.container import Reader
from codecs_core.errors import LimitExceededError
from codecs_core.limits import Limits
from codecs_core.models import Model


def model_of(size, seed=0, **more):
    values = np.random.default_rng(seed).integers(0, 16, size).astype(np.int8)
    return Model.create(codec="bbans.vae", config={}, tensors={"w": values}, **more)


@pytest.mark.parametrize(("embed", "held"), [(True, True), (False, False), (10_200, True), (9_000, False)])
def test_a_model_that_is_embedded_costs_its_compressed_bytes(embed, held):
    model = model_of(10_000)
    assert 5_000 < len(packed(model)) < 5_900
    assert cost(model, embed) == (len(packed(model)) + MODEL_OVERHEAD if held else 0)
    assert cost(None, embed) == 0


def contest_of(name, **bytes_of):
    """A contest of candidates that are named by their models, and of `plain`, which has none."""
    prices = {"a": 100, "b": 100, "c": 1000}
    trials = []
    for model, estimate in bytes_of.items():
        held = None if model == "plain" else SimpleNamespace(sha256=model)
        trial = auto.Trial(
            candidate=auto.Candidate(id=model, model=held and model, build=lambda: None), estimate=estimate
        )
        trial.codec, trial.model_bytes = SimpleNamespace(model=held), prices.get(model, 0)
        trials.append(trial)
    return auto.Contest(
        names=[name], group=[], chunk=None, images=False, files=False, taken=[], trials=trials, worth=trials
    )


@pytest.mark.parametrize(
    ("contests", "paid", "models"),
    [
        ([{"a": 50, "plain": 149}], (), set()),
        ([{"a": 50, "plain": 151}], (), {"a"}),
        ([{"a": 50, "plain": 60}], {"a"}, {"a"}),
        # alone neither is worth it
        ([{"a": 50, "plain": 110}, {"a": 20, "plain": 70}], (), {"a"}),
        ([{"a": 50, "plain": 90}, {"a": 20, "plain": 70}], (), set()),
        # what is best for one does for the other
        ([{"a": 50, "b": 60, "plain": 500}, {"a": 60, "b": 50, "plain": 500}], (), {"b"}),
        ([{"a": 50, "b": 60, "plain": 500}, {"a": 400, "b": 50, "plain": 500}], (), {"b"}),
        ([{"a": 50, "b": 400, "plain": 500}, {"a": 400, "b": 50, "plain": 500}], (), {"a", "b"}),
        # there is nothing else
        ([{"c": 50}], (), {"c"}),
        ([], (), set()),
    ],
)
def test_models_are_those_with_which_the_file_is_smallest(contests, paid, models):
    made = [contest_of(str(k), **one) for k, one in enumerate(contests)]
    assert auto.worthwhile(made, paid) == models


def digits(count):
    """Of the shipped model, which no other codec comes near."""
    codec = cc.get_codec("bbans.vae", model="mnist")
    from codecs_core.entropy import Message

    return codec._vae.codec(count).pop(Message()).astype(np.uint8).reshape(count, 28, 28)


def test_auto_counts_the_model_that_it_embeds(tmp_path):
    x = digits(60)
    named = cc.save(tmp_path / "named.ccf", x)
    assert named["entries"][0]["codec"] == "bbans.vae"
    embedded = cc.save(tmp_path / "embedded.ccf", x, embed_model=True)
    assert embedded["entries"][0]["model"] is None
    plain = cc.save(tmp_path / "plain.ccf", x, codec=embedded["entries"][0]["codec"])
    assert embedded["bytes"]["total"] == plain["bytes"]["total"] < 100_000
    candidates = {(one["codec"], one["model"]): one for one in embedded["tried"][0]["candidates"]}
    assert candidates["bbans.vae", "mnist"]["model_bytes"] > 1_000_000
    assert candidates["classic.lzma", None]["model_bytes"] == 0
    small = cc.save(tmp_path / "small.ccf", x, embed_model=1000)
    assert small["entries"][0]["codec"] == "bbans.vae"
    np.testing.assert_array_equal(cc.load(tmp_path / "embedded.ccf"), x)


def test_a_model_that_an_entry_needs_anyway_is_free_for_the_others(tmp_path):
    x = digits(60)
    codec = {"asked": cc.get_codec("bbans.vae", model="mnist"), "auto": "auto"}
    info = cc.save(tmp_path / "a.ccf", {"asked": x[:5], "auto": x}, codec=codec, embed_model=True)
    assert [entry["codec"] for entry in info["entries"]] == ["bbans.vae", "bbans.vae"]


def test_embedded_models_are_compressed(tmp_path):
    model = cc.get_codec("bbans.vae", model="mnist-binary").model
    x = np.zeros((3, 28, 28), bool)
    info = cc.save(tmp_path / "a.ccf", x, codec="bbans.vae", model="mnist-binary", embed_model=True)
    [stated] = info["models"]
    assert stated["bytes"] == len(packed(model)) < 0.8 * len(model.data)
    assert info["bytes"]["models"] == stated["bytes"] + 68
    with Reader.open(tmp_path / "a.ccf") as reader:
        assert reader.model(model.sha256) == model.data
        assert sum(reader.sizes[key] for key in ("header", "models", "payload", "index")) == reader.sizes["total"]
    with cc.open(tmp_path / "a.ccf") as file:
        assert file.verify()["models"][0]["ok"]
    np.testing.assert_array_equal(cc.load(tmp_path / "a.ccf"), x)


def test_the_limit_is_for_what_the_model_was(tmp_path):
    model = cc.get_codec("bbans.vae", model="mnist-binary").model
    cc.save(tmp_path / "a.ccf", np.zeros((3, 28, 28), bool), codec="bbans.vae", model=model, embed_model=True)
    with Reader.open(tmp_path / "a.ccf", limits=Limits(model_bytes=len(model.data) - 1)) as reader:
        assert reader.models[model.sha256].embedded_bytes < len(model.data) - 1
        with pytest.raises(LimitExceededError, match="model_bytes"):
            reader.model(model.sha256)
    with Reader.open(tmp_path / "a.ccf", limits=Limits(model_bytes=len(model.data))) as reader:
        assert reader.model(model.sha256) == model.data
