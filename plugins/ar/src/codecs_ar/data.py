"""What the codec sees of images, to learn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_ar import neighbours
from codecs_ar.neighbours import MARGIN
from codecs_ar.planes import ROLES, Planes
from codecs_ar.regression import packed
from codecs_ar.workspace import Predictors
from codecs_core import Progress
from codecs_core.learn import image_list

#: Pixels that priors are made of, and their weight, in pixels.
PRIOR_PIXELS, PRIOR_WEIGHT = 1 << 21, 3.0
#: Of the predictors: 0.78 and 0.97.
DECAYS = (200, 249)
#: Pixels of a part that is looked at at once.
PART = 1 << 18

Fields = tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class Values:
    """Values of one plane to learn from, as `Network.bits` takes them."""

    features: Tensor
    misses: Tensor
    spreads: Tensor
    low: Tensor
    high: Tensor

    def __len__(self) -> int:
        return len(self.misses)

    def __getitem__(self, at: Any) -> tuple[Tensor, ...]:
        return tuple(part[at] for part in (self.features, self.misses, self.spreads, self.low, self.high))


def normal_equations(planes: Planes, plane: int, view: ModuleType = neighbours) -> NDArray[np.float64]:
    """Sums of the products of the regressors and of what they predict, over all but a border, a flat activity counting most, per value."""
    role = ROLES[plane]
    x = planes.x[plane - role : plane + 1].astype(np.float64)
    h, w, m = planes.height, planes.width, MARGIN

    def at(back: int, place: tuple[int, int]) -> NDArray[np.float64]:
        there = x[role - back, :, m + place[0] : m + place[0] + h, m + place[1] : m + place[1] + w]
        return there[:, m : h - m, m : w - m]

    def difference(back: int, place: tuple[int, int]) -> NDArray[np.float64]:
        return at(back, place) - at(back, (0, -1))

    lists = [view.OWN[role], view.BEFORE, view.EARLIER][: role + 1]
    r = np.stack([difference(back, place) for back, places in enumerate(lists) for place in places], -1)
    activity = np.abs(r[..., :4]).mean(-1)
    weight = (1 / (0.25 * activity * activity + 1)).reshape(-1)
    flat, target = r.reshape(-1, r.shape[-1]), difference(0, (0, 0)).reshape(-1)
    weighted = flat * weight[:, None]
    products, result = weighted.T @ flat, weighted.T @ target
    return np.concatenate([products[np.tril_indices(len(result))], result])


def priors_of(
    images: Sequence[NDArray[Any]], view: ModuleType = neighbours, weight: float = PRIOR_WEIGHT
) -> list[NDArray[np.float64]]:
    """For each plane the mean normal equations, with the weight of this number of values; `view` says which neighbours are regressors."""
    channels = images[0].shape[-1]
    sums = [np.zeros(0)] * channels
    pixels = 0
    for x in images:
        h, w = x.shape[:2]
        # of a small image there may be nothing but border: then it is repeated
        tiled = x if min(h, w) >= 4 * MARGIN else np.tile(x, (-(-4 * MARGIN // h), -(-4 * MARGIN // w), 1))
        planes = Planes.of(tiled[None, :2048, :2048])
        for i in range(channels):
            found = normal_equations(planes, i, view)
            sums[i] = found if not sums[i].size else sums[i] + found
        pixels += (planes.height - 2 * MARGIN) * (planes.width - 2 * MARGIN)
        if pixels >= PRIOR_PIXELS:
            break
    priors = []
    for i, total in enumerate(sums):
        n = view.regressors(ROLES[i])
        prior = total * (weight / pixels)
        # keeps images of one colour from being singular
        diagonal = np.cumsum(np.arange(1, n + 1)) - 1
        prior[diagonal] += 1e-3 * (1 + prior[diagonal].mean())
        priors.append(prior)
    return priors


def enlarged(x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """A part of an image, 1.4 to 2.5 times as large and now and then with a little noise."""
    size = 224
    top, left = (int(rng.integers(max(1, n - size))) for n in x.shape[:2])
    part = x[top : top + size, left : left + size].astype(np.float32)
    factor = float(rng.uniform(1.4, 2.5))
    source = torch.from_numpy(np.moveaxis(part, -1, 0)[None].copy())
    large = nn.functional.interpolate(source, scale_factor=factor, mode="bicubic")[0].numpy()
    noise = rng.uniform(0, 2) * (rng.random() < 0.7) * rng.standard_normal(large.shape)
    out = np.rint(large + noise).clip(0, np.iinfo(x.dtype).max)
    return np.moveaxis(out, 0, -1).astype(x.dtype)


def look(x: NDArray[Any], priors: Sequence[NDArray[np.float64]], predictors: Predictors) -> list[Fields]:
    """What is seen of one image, plane by plane: the fields of `Values`."""
    planes = Planes.of(np.ascontiguousarray(x)[None])
    found: list[Fields] = []
    for i, prior in enumerate(priors):
        n = neighbours.regressors(ROLES[i])
        seen, values = planes.look(i, packed(prior, n), predictors), planes.values[i].reshape(-1)
        found.append((seen.features, values - seen.centres, seen.spreads, values == 0, values == planes.top))
    return found


def joined(parts: Sequence[Sequence[Fields]], most: int | None = None) -> list[Values]:
    """What is seen of several images, at most this number of values of each plane."""
    return [
        Values(*(torch.from_numpy(np.concatenate(field)[:most]) for field in zip(*plane, strict=True)))
        for plane in zip(*parts, strict=True)
    ]


def collect(
    images: Sequence[NDArray[Any]],
    looked: Callable[[NDArray[Any]], list[Fields]],
    most: int,
    rng: np.random.Generator,
    *,
    share: float = 1.0,
    enlarge: float = 0.0,
    progress: Progress | None = None,
) -> list[Values]:
    """What is seen of images: a random share of the pixels, and as many images as give no more than `most` of them.

    `looked` looks at one, as `look` does. Half of the images are mirrored.
    """
    parts: list[list[Fields]] = []
    count = 0
    for number, x in enumerate(images):
        again = [enlarged(x, rng)] if rng.random() < enlarge else []
        for image in (x, *again):
            flipped = image[:, ::-1] if rng.random() < 0.5 else image
            rows = max(1, PART // max(1, flipped.shape[1]))
            for start in range(0, len(flipped), rows):
                part = flipped[start : start + rows]
                n = part.shape[0] * part.shape[1]
                keep = np.sort(rng.permutation(n)[: max(1, math.ceil(n * share))])
                seen = looked(part)
                parts.append([tuple(field[keep] for field in plane) for plane in seen])
                count += keep.size
        if progress:
            progress(0.0, f"looked at {number + 1} images, {count} pixels kept")
        if count >= most:
            break
    return joined(parts, most)


def as_images(data: Sequence[NDArray[Any]] | NDArray[Any]) -> list[NDArray[Any]]:
    """Images of shape (h, w, channels); raises `UnsupportedArrayError` for what is not a set of them."""
    images = image_list(
        data,
        takes=lambda x: x.dtype == np.uint8 or (x.dtype == np.uint16 and x.shape[2] == 1),
        what="images of uint8, or grey ones of uint16,",
    )
    # alpha is coded as green is
    return [x[:, :, :3] for x in images]
