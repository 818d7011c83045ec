"""A piece of an image stands in for the image, where it is enough."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codecs_core.media import glimpse
from codecs_core.media.glimpse import Glimpse


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4)).map(lambda s: s if s[2] > 1 else s[:2]),
    where=st.tuples(*[st.slices(40)] * 2),
    most=st.integers(1, 2000),
)
@example(shape=(5, 1), where=(slice(1, -39), slice(None)), most=1)
def test_it_slices_like_the_image_or_not_at_all(shape, where, most):
    image = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glimpse, "MOST", most)
        held = Glimpse(image)
    for key in (..., where[0], where):
        taken = held.take(key)
        assert taken is None or np.array_equal(taken, image[key])
    assert held.take((slice(0, 1), slice(0, 1), slice(0, 1))) is None


@pytest.mark.parametrize("shape", [(900, 700, 3), (300, 3), (20000, 30), (4, 90000), (512, 512), (513, 512)])
@pytest.mark.parametrize("part", [1, 2, 5])
def test_crops_of_the_middle_are_in_it(shape, part):
    """Of up to `MOST` bytes, as the sample of `auto` takes them."""
    from codecs_core.api.choosing import sample
    from codecs_core.api.items import Held

    image = np.arange(np.prod(shape), dtype=np.uint32).astype(np.uint8).reshape(shape)

    class Sliced:
        def __getitem__(self, where):
            taken = held.take(where)
            assert taken is not None, where
            return taken

    held = Glimpse(image)
    assert held.nbytes < 2 * glimpse.MOST or min(shape[:2]) < 20
    items = Held(image)
    items.peek = Sliced
    taken = sample.excerpt(items, glimpse.MOST // part, images=True)
    expected = sample.excerpt(Held(image), glimpse.MOST // part, images=True)
    np.testing.assert_array_equal(taken.array, expected.array)
