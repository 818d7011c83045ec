"""Datasets of torch: every sample, in every kind of worker."""

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import codecs_core as cc
from codecs_core.adapters.torch import Entries, Items
from codecs_core.api.opening.decoder import Decoder
from codecs_core.errors import ConfigError

rng = np.random.Generator(np.random.Philox(3))
IMAGES = rng.integers(0, 256, (50, 6, 5), dtype=np.uint8)
LABELS = np.arange(50)


@pytest.fixture
def path(tmp_path):
    cc.save(tmp_path / "a.ccf", {"images": IMAGES, "labels": LABELS}, codec="classic.zlib", chunk=7)
    return tmp_path / "a.ccf"


def double(sample):
    return 2 * sample


def test_samples(path):
    images, both = Items(path, "images"), Items(path)
    assert len(images) == len(both) == 50
    assert images[3].dtype == torch.uint8
    assert np.array_equal(images[-1].numpy(), IMAGES[-1])
    image, label = both[17]
    assert np.array_equal(image.numpy(), IMAGES[17])
    assert (label.item(), label.shape) == (17, ())
    assert np.array_equal(Items(path, "images", transform=double)[2].numpy(), 2 * IMAGES[2])
    with pytest.raises(IndexError):
        images[50]
    assert sum(1 for _ in images) == 50


def test_entries(tmp_path):
    data = {f"{n}.png": IMAGES[0, :n] for n in range(1, 6)}
    cc.save(tmp_path / "a.ccf", data, codec="classic.zlib")
    assert [tuple(image.shape) for image in Entries(tmp_path / "a.ccf")] == [(n, 5) for n in range(1, 6)]
    assert Entries(tmp_path / "a.ccf", ["5.png", "2.png"])[1].tolist() == data["2.png"].tolist()
    with pytest.raises(ConfigError, match="differ in their number of items"):
        Items(tmp_path / "a.ccf")
    with pytest.raises(ConfigError, match=r"no entry '6\.png'"):
        Entries(tmp_path / "a.ccf", ["6.png"])


def test_a_batch_decodes_each_chunk_once(path, monkeypatch):
    decoded = []
    decode = Decoder.decode
    monkeypatch.setattr(Decoder, "decode", lambda self, entry, i: decoded.append(i) or decode(self, entry, i))
    batch = Items(path, "images").__getitems__([40, 2, 1, 41, 3])
    assert sorted(decoded) == [0, 5]
    assert np.array_equal(torch.stack(batch).numpy(), IMAGES[[40, 2, 1, 41, 3]])


@pytest.mark.parametrize(("context", "workers"), [("fork", 2), ("spawn", 1)])
def test_workers(path, context, workers):
    dataset = Items(path)
    assert dataset[0][1] == 0  # the file is open here before the workers start
    loader = DataLoader(dataset, batch_size=8, shuffle=True, num_workers=workers, multiprocessing_context=context)
    seen = [(image, label) for images, labels in loader for image, label in zip(images, labels, strict=True)]
    assert sorted(int(label) for _, label in seen) == list(range(50))
    assert all(np.array_equal(image.numpy(), IMAGES[int(label)]) for image, label in seen)


def test_pickled_without_the_file(path):
    dataset = Items(path, "labels", transform=double)
    assert dataset[4] == 8
    assert pickle.loads(pickle.dumps(dataset))[5] == 10


def test_arrays_of_every_kind(tmp_path):
    for dtype in ("bool", "uint16", "int64", "float16", "float64", "complex64"):
        cc.save(tmp_path / "a.ccf", np.ones((3, 2), dtype), codec="classic.zlib")
        assert str(Items(tmp_path / "a.ccf")[1].dtype) == f"torch.{dtype}"


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"])
def test_dtypes_that_numpy_has_not(tmp_path, name):
    dtype = getattr(torch, name)
    bits = torch.from_numpy(rng.integers(0, 256, (20, 8), dtype=np.uint8))
    tensor = bits.view(dtype)
    cc.save(tmp_path / "a.ccf", {"a": tensor.requires_grad_()}, codec="classic.zlib", chunk=7)
    for sample in (Items(tmp_path / "a.ccf", "a")[5], Entries(tmp_path / "a.ccf")[0][5]):
        assert sample.dtype == dtype
        assert torch.equal(sample.view(torch.uint8), bits[5])
    loaded = cc.load(tmp_path / "a.ccf")["a"]
    assert loaded.dtype.name == name
    assert np.array_equal(loaded.view(np.uint8), bits.numpy())


def test_times_are_integers(tmp_path):
    cc.save(tmp_path / "a.ccf", np.arange(5).astype("M8[D]"), codec="classic.zlib")
    assert Items(tmp_path / "a.ccf")[3].item() == 3
