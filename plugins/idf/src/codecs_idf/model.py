"""What a model file of ``idf.image`` holds: levels, and the prior of what the last one keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import ModelParts
from codecs_core.entropy import StackCodec
from codecs_core.exact import extent, padded, unsqueeze
from codecs_idf.flow import Level
from codecs_idf.prior import Mixture, limits_of, parameters_of


class Flow:
    """A frozen flow.

    Parameters
    ----------
    config
        ``channels`` of an image; ``couplings``, how many a level, the finest first; ``components`` of a mixture.
    tensors
        The networks ``levelI.couplingJ.network``, ``levelI.couplingJ.linear``, ``levelI.priorG.network``, ``levelI.priorG.linear``,
        and ``top``, the parameters of the last prior.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or a probe gives other integers than when the model was made.
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        parts = ModelParts(config, tensors, "idf.image")
        self.channels, components = parts.number("channels", (1, 3, 4)), parts.number("components", range(1, 65))
        sizes = {"channels": self.channels, "components": components}
        self.levels = [
            Level(tensors, f"level{i}", couplings=n, **sizes)
            for i, n in enumerate(parts.numbers("couplings", range(65), range(1, 17)))
        ]
        top = parts.integers("top", (parameters_of(**sizes),))
        low, high = limits_of(**sizes)
        parts.require(bool(((low <= top) & (top <= high)).all()), "a top with parameters outside their range")
        self.top = top.astype(np.int32)

    def codec(self, n: int, h: int, w: int, levels: int = 64) -> StackCodec[NDArray[Any]]:
        """Codec of n images of height h and width w, transformed and centred integers of shape (n, h, w, channels).

        Parameters
        ----------
        n, h, w
            Of the images.
        levels
            Pop only this number of the deepest levels, and take the modes of the priors for the rest: section 4.2's progressive
            image rendering.
        """
        *sizes, top = self.sizes(h, w)
        parameters = np.broadcast_to(self.top, (n, *top, self.top.size))
        codec: StackCodec[NDArray[Any]] = Mixture(parameters, np.zeros((n, *top, self.channels), np.int32))
        for deep, (level, size) in enumerate(reversed([*zip(self.levels, sizes, strict=True)])):
            codec = level.codec(codec, size, rough=deep >= levels)
        return codec

    def information(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Information content in bits, (n, h, w, channels): of each variable that is coded, at the pixel it was made of."""
        n, h, w, _ = x.shape
        *sizes, _ = self.sizes(h, w)
        return _placed(self.codec(n, h, w).information(x), sizes)

    def points(self, x: NDArray[Any]) -> list[tuple[NDArray[Any], ...]]:
        """Latents z of images (section 3): the phases that each level factors out, the finest level first, and what the last one keeps."""
        found: list[tuple[NDArray[Any], ...]] = []
        for level, size in zip(self.levels, self.sizes(*x.shape[1:3]), strict=False):
            (x, first), last = level.split(x, size)
            found.append((*first, *last))
        return [*found, (x,)]

    def image(self, points: Sequence[tuple[NDArray[Any], ...]], h: int, w: int) -> NDArray[Any]:
        """Inverse of `points`, for images of height h and width w."""
        *done, (x,) = points
        for level, size, (first, *last) in reversed([*zip(self.levels, self.sizes(h, w), done, strict=False)]):
            x = level.join(((x, (first,)), tuple(last)), size)
        return x

    def sizes(self, h: int, w: int) -> list[tuple[int, int]]:
        """Height and width of the input of each level, and of what the last one keeps."""
        sizes = [(h, w)]
        for _ in self.levels:
            sizes.append(extent(0, sizes[-1]))
        return sizes


def _placed(bits: Any, sizes: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """The information of a level's parts as an image: what is kept, and the phases factored out of images of the first size."""
    if not sizes:
        return np.asarray(bits)
    (kept, first), last = bits
    phases = [_placed(kept, sizes[1:]), *first, *last]
    return unsqueeze([padded(x, extent(0, sizes[0])) for x in phases], sizes[0])
