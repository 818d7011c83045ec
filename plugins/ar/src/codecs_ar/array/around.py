"""Values within a bound: whole steps from what is predicted from decoded values, so that what is predicted well costs next to nothing.

Where codes are multiples of a step, whatever is near the border of two of them goes back and forth; steps from the prediction stay.
What takes no part, such as infinities, is left to the caller.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.grid import AROUND
from codecs_ar.array.layout import Layout
from codecs_ar.array.maps import Numbers
from codecs_ar.array.payload import Reader, Writer
from codecs_ar.array.predictors import CLASSES
from codecs_ar.array.steps import Steps
from codecs_ar.array.stream import VERSION, Description, Stream


def encode(writer: Writer, array: NDArray[Any], taken: NDArray[np.bool_], steps: Steps, layout: Layout) -> NDArray[Any]:
    """Append the values that are taken to a payload; returns what they are decoded to, and anything in the place of the others."""
    steps.write(writer)
    wanted = np.where(taken, steps.forward(array), 0.0)
    about = _described(wanted[taken], steps, layout, others=not taken.all())
    about.write(writer)
    stream = Stream(tuple(array.shape[axis] for axis in layout.order), about, _numbers(steps), VERSION, decoding=False)
    stream.values[:] = wanted.transpose(layout.order).reshape(stream.geometry.shape)
    stream.codes[:] = np.where(taken, 0, about.usual[1] + 1).transpose(layout.order).reshape(stream.geometry.shape)
    while stream.done < stream.size:
        count, message = stream.encode_some()
        writer.natural(count)
        writer.part(message)
    return steps.backward(_restored(stream.values, array.shape, layout), array.dtype)


def decode(reader: Reader, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Inverse of `encode`: an array, and which of its values were taken."""
    steps = Steps.read(reader)
    about = Description.read(reader, len(shape), 0)
    stream = Stream(tuple(shape[axis] for axis in about.layout.order), about, _numbers(steps), VERSION, decoding=True)
    while stream.done < stream.size:
        stream.decode_some(reader.natural(), reader.part())
    taken = _restored(stream.codes <= about.usual[1], shape, about.layout)
    return steps.backward(_restored(stream.values, shape, about.layout), dtype), taken


def _numbers(steps: Steps) -> Numbers:
    return Numbers(AROUND, 0, np.array([0.0, float(steps.low), float(steps.high)]))


def _described(values: NDArray[np.float64], steps: Steps, layout: Layout, *, others: bool) -> Description:
    places = [values.size * i // CLASSES for i in range(1, CLASSES)]
    levels = tuple(int(level) for level in np.rint(np.partition(values, places)[places]))
    reach = steps.reach
    return Description(layout, 0, -reach, reach + others, (-reach, reach), 0, levels, discrete=True, repeats=False)


def _restored(values: NDArray[Any], shape: tuple[int, ...], layout: Layout) -> NDArray[Any]:
    """The axes as they were."""
    return values.reshape(tuple(shape[axis] for axis in layout.order)).transpose(np.argsort(layout.order))
