"""What a network sees, written out for many pixels of many images."""

from __future__ import annotations

from codecs_core.jit import kernel


@kernel
def look(canvas, places, marks, offsets, curves, tallies, counting, one, out):
    """Write the inputs of a network: first the first of `places` in all images, then the second.

    Parameters
    ----------
    canvas
        Images with their margins, flat: shape (images, values).
    places
        Where the pixels lie in an image with its margins.
    marks
        The two inputs that say in which row and in which column: shape (places, 2).
    offsets
        Of the taps, from a place.
    curves, counting
        As `View` has them.
    tallies
        How often each value that is counted was coded, shape (images, tallies).
    one
        Stands for 1.
    out
        Zeros, shape (places * images, inputs).
    """
    images, taps, seen, counted = canvas.shape[0], offsets.size, curves.shape[0], tallies.shape[1]
    for p in range(places.size):
        for i in range(images):
            row = out[p * images + i]
            values = canvas[i]
            for t in range(taps):
                value = values[places[p] + offsets[t]]
                for k in range(seen):
                    row[t * seen + k] = curves[k, value]
            at = taps * seen
            total = 1
            for k in range(counted):
                total += tallies[i, k]
            for k in range(counted):
                count = tallies[i, k]
                row[at + k] = counting[min(count, 255)]
                row[at + counted + k] = one * count // total
            row[marks[p, 0]] = one
            row[marks[p, 1]] = one
