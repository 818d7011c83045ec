"""What a network sees, written out for many pixels of many images."""

from __future__ import annotations

import numpy as np

from codecs_core.jit import inline, kernel


@inline
def median(a, b, c):
    """The middle of three."""
    return max(min(a, b), min(max(a, b), c))


@inline
def expected(values, place, above, channels, plane):
    """A channel of a pixel as its neighbours to the left (w), above (n) and there to the left (nw) let expect it.

    The median of w, n and w + n - nw (LOCO-I, Weinberger et al. 2000); of a later channel than the first one, that of the differences to
    the first one, whose value is known.
    """
    west, north, corner = place - channels, place - above, place - above - channels
    if plane == 0:
        w, n, nw = np.int64(values[west]), np.int64(values[north]), np.int64(values[corner])
        return median(w, n, w + n - nw)
    w = np.int64(values[west + plane]) - np.int64(values[west])
    n = np.int64(values[north + plane]) - np.int64(values[north])
    nw = np.int64(values[corner + plane]) - np.int64(values[corner])
    return min(max(median(w, n, w + n - nw) + np.int64(values[place]), 0), 255)


@inline
def unreferred(values, place, above, channels, channel):
    """`expected` without the first channel, of one that is not known."""
    return expected(values, place + channel, above, channels, 0)


@inline
def is_blank(values, place, taps, counts):
    """Whether all taps see zeros, and nothing was counted."""
    for t in range(taps.shape[0]):
        if values[place + taps[t, 0]]:
            return False
    return counts.sum() == 0


@kernel
def look(canvas, places, marks, taps, curves, counts, counting, reference, one, out, which, expectations):
    """Write the inputs of a network: first the first of `places` in all images, then the second.

    Where nothing but zeros is seen, inputs depend on the place alone, and are written once for all images. Returns how many rows
    were written.

    Parameters
    ----------
    canvas
        Images with their margins, flat: shape (images, values).
    places
        Where the pixels lie in an image with its margins.
    marks
        The two inputs that say in which row and in which column: shape (places, 2).
    taps
        How far each is from a place, and its channel: shape (taps, 2).
    curves, counting
        As `View` has them.
    counts
        How often each value that is counted was coded, shape (images, tallies).
    reference
        Whether there are references, how far the pixel above is, how many channels there are, and which one this is.
    one
        Stands for 1.
    out
        Zeros, shape (places * images, inputs).
    which
        Which row of `out` is that of each pixel, shape (places * images,).
    expectations
        What is expected in this channel, shape (places * images,), or empty without references.
    """
    images, seen, counted = canvas.shape[0], curves.shape[0], counts.shape[1]
    referred, above, channels, plane = reference
    references = np.zeros(channels, np.int64)
    used = 0
    for p in range(places.size):
        place, blank = places[p], -1
        for i in range(images):
            values = canvas[i]
            if not referred and is_blank(values, place, taps, counts[i]):
                if blank >= 0:
                    which[p * images + i] = blank
                    continue
                blank = used
            which[p * images + i] = used
            row = out[used]
            used += 1
            at = taps.shape[0] * seen
            if referred:
                for c in range(channels):
                    if c < plane:
                        references[c] = values[place + c]
                        row[at + channels + c] = references[c] - expected(values, place, above, channels, c)
                    elif c == plane:
                        references[c] = expected(values, place, above, channels, c)
                        expectations[p * images + i] = references[c]
                    else:
                        references[c] = unreferred(values, place, above, channels, c)
                    row[at + c] = references[c] - 128
                    references[c] -= 255
                at += channels + plane
            for t in range(taps.shape[0]):
                value = values[place + taps[t, 0]] - references[taps[t, 1]]
                for k in range(seen):
                    row[t * seen + k] = curves[k, value]
            total = 1
            for k in range(counted):
                total += counts[i, k]
            for k in range(counted):
                row[at + k] = counting[min(counts[i, k], 255)]
                row[at + counted + k] = one * counts[i, k] // total
            row[marks[p, 0]] = one
            row[marks[p, 1]] = one
    return used
