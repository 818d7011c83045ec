import gzip
from pathlib import Path

import numpy as np
import pytest

from codecs_core import Model, models
from codecs_core.adapters import described
from codecs_core.models import given
from codecs_core.registry import default

SAMPLE = Path(__file__).parents[2] / "samples/mnist.idx.gz"


def forget():
    """As a fresh process: no model at hand, no codec made."""
    given.forget()
    described._restore.cache_clear()


@pytest.fixture(autouse=True)
def _fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("CODECS_MODELS", str(tmp_path / "store"))
    forget()
    yield
    forget()


@pytest.fixture(scope="session")
def images():
    return np.frombuffer(gzip.decompress(SAMPLE.read_bytes())[16:], np.uint8).reshape(-1, 28, 28)[:60]


@pytest.fixture(scope="session")
def own_model():
    """A model that ships with no plugin."""
    (spec,) = (spec for spec in default().models if (spec.codec, spec.name) == ("bbans.vae", "mnist"))
    model = models.installed(spec)
    attrs = {**model.attrs, "summary": "of my own"}
    return Model.create(codec=model.codec, config=model.config, tensors=model.tensors(), attrs=attrs, name="own")
