"""The types of flows that are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from codecs_lbb.network.convolution import Convolution
from codecs_lbb.network.coupling import Additive, Affine
from codecs_lbb.network.dequantiser import Dequantiser
from codecs_lbb.network.flow import Network
from codecs_lbb.network.mixture import Mixture
from codecs_lbb.network.multiscale import FactorOut, Squeeze
from codecs_lbb.network.pointwise import ActNorm, Logit


def flowpp(channels: int, settings: Mapping[str, Any]) -> Network:
    """A flow of the type of Flow++: couplings between the phases of each level, and mixtures for what is factored out.

    First the phase across, given the one that is kept, then the two others, given both.
    """
    width, blocks, components = (settings[k] for k in ("width", "blocks", "components"))
    layers: list[nn.Module] = [Convolution.colour()] if channels == 3 else []
    for number in settings["couplings"]:
        layers.append(Squeeze())
        for i in range(number):
            phase = (number - 1 - i) % 4  # the last one shifts the phase that is kept
            part = phase * channels, (phase + 1) * channels
            kind = Additive if phase else Affine
            layers.append(kind(4 * channels, part, width=settings["coupling_width"], blocks=1))
        for phases in ((1, 2), (2, 4)):
            part = phases[0] * channels, phases[1] * channels
            layers.append(Mixture(channels, part, components=components, width=width, blocks=blocks))
            layers[-1].interpolate()  # type: ignore[operator]
        layers.append(FactorOut(channels))
    layers.append(Mixture(channels, (0, channels), components=components, width=width, blocks=blocks))
    return _network(layers, channels, settings)


def realnvp(channels: int, settings: Mapping[str, Any]) -> Network:
    """A flow of the type of RealNVP: affine couplings with checkerboards, then, squeezed, over channels; half is factored out a level."""
    width, blocks, colours = settings["width"], settings["blocks"], channels
    layers: list[nn.Module] = [Logit(0.05, settings["centre"])]
    levels = len(settings["couplings"])
    for level, number in enumerate(settings["couplings"]):
        layers.append(ActNorm(channels))
        layers += [Affine(channels, i % 2, width=width, blocks=blocks) for i in range(number)]
        layers.append(Squeeze())
        channels *= 4
        for i in range(number):
            part = (channels // 2, channels) if i % 2 == 0 else (0, channels // 2)
            layers += [ActNorm(channels), Convolution.random(channels)]
            layers.append(Affine(channels, part, width=width, blocks=blocks))
        if level < levels - 1:
            layers.append(FactorOut(channels // 2))
            channels //= 2
    return _network(layers, colours, settings)


def nice(channels: int, settings: Mapping[str, Any]) -> Network:
    """A flow of the type of NICE (Dinh et al. 2014): additive couplings with checkerboards and over phases, and at last scales."""
    sizes = {"width": settings["width"], "blocks": settings["blocks"]}
    colours = channels
    layers: list[nn.Module] = [Convolution.colour()] if channels == 3 else []
    for number in settings["couplings"]:
        layers += [Additive(channels, i % 2, **sizes) for i in range(number)]
        layers.append(Squeeze())
        channels *= 4
        for i in range(number):
            part = (channels // 2, channels) if i % 2 == 0 else (0, channels // 2)
            layers.append(Additive(channels, part, **sizes))
    layers.append(ActNorm(channels))
    return _network(layers, colours, settings)


def _network(layers: list[nn.Module], colours: int, settings: Mapping[str, Any]) -> Network:
    """These layers for images of `colours` channels, whose noise is learnt if the settings say how wide its network is."""
    noise = settings["noise_width"]
    return Network(layers, Dequantiser(colours, width=noise) if noise else None, settings["centre"])
