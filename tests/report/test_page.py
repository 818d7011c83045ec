"""The page of a container: it shows what is there, and nothing of a file becomes markup."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import codecs_core as cc
from codecs_core.report import thumbnail
from codecs_core.report.page import page


class Elements(HTMLParser):
    """Names and attributes of the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def shown(path):
    with cc.open(path) as file:
        return page(file)


def test_what_it_shows(tmp_path):
    arrays = {"a photo": np.arange(3 * 200 * 300, dtype="u1").reshape(200, 300, 3), "series": np.arange(9.0)}
    cc.save(tmp_path / "x.ccf", arrays, codec="classic.zlib", attrs={"series": {"unit": "mm"}})
    elements = Elements(shown(tmp_path / "x.ccf"))
    text = " ".join(elements.text)
    for part in ("a photo", "200 × 300 × 3", "series", "classic.zlib", "payload", "mm", "2 arrays"):
        assert part in text
    assert len([1 for tag, attrs in elements.found if tag == "img" and attrs["src"].startswith("data:image/png")]) == 1


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;</pre></style>"


def test_nothing_in_a_file_becomes_markup(tmp_path):
    path = tmp_path / "<b>x.ccf"
    cc.save(path, {HOSTILE: np.zeros((4, 4), "u1")}, codec="classic.raw", attrs={HOSTILE: {HOSTILE: [HOSTILE]}})
    elements = Elements(shown(path))
    tags = {tag for tag, _ in elements.found}
    assert not tags & {"script", "b", "iframe", "object", "a", "link", "form"}
    assert all(not name.startswith("on") for _, attrs in elements.found for name in attrs)
    assert [attrs["src"][:22] for tag, attrs in elements.found if tag == "img"] == ["data:image/png;base64,"]
    policy = next(attrs["content"] for tag, attrs in elements.found if attrs.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert HOSTILE in " ".join(elements.text)


def test_an_entry_that_cannot_be_decoded_says_why(tmp_path):
    path = tmp_path / "x.ccf"
    cc.save(path, np.zeros((50, 50), "u2"), codec="classic.raw")
    data = bytearray(path.read_bytes())
    data[-400] ^= 1
    path.write_bytes(data)
    assert "CRC32C" in shown(path)


def test_many_entries_are_cut(tmp_path):
    cc.save(tmp_path / "x.ccf", {f"e{i}": np.zeros((2, 2), "u1") for i in range(130)}, codec="classic.raw")
    text = shown(tmp_path / "x.ccf")
    assert "30 smaller ones are not listed" in text
    assert len(re.findall("<img", text)) == 100


images = st.sampled_from(["u1", "bool", "i2", "f4", "f8", "c8"]).flatmap(
    lambda dtype: hnp.arrays(np.dtype(dtype), hnp.array_shapes(min_dims=2, max_dims=4, max_side=7))
)


@given(images)
@settings(max_examples=200, deadline=None)
def test_every_array_has_a_picture(array):
    pixels = thumbnail.of_array(array)
    assert pixels.dtype == np.uint8
    assert pixels.ndim in (2, 3)
    read = np.asarray(Image.open(io.BytesIO(thumbnail.png(pixels))))
    assert np.array_equal(read, pixels)


@pytest.mark.parametrize("shape", [(1000, 700), (300, 2, 3)])
def test_large_arrays_have_small_pictures(shape):
    assert max(thumbnail.of_array(np.zeros(shape)).shape) <= thumbnail.SIDE
