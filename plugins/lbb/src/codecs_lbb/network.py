"""The flow in floating point, as it is trained: layers of RealNVP, Glow and Flow++ on images of shape (n, channels, h, w).

Only this module and `training` import torch. `codecs_lbb.layers` holds the same layers as they code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.exact.modules import Residual

#: Bits a nat.
OCTAVES = math.log2(math.e)
#: Range of a mixture's log-scale, of the log-scale of an affine map, and of that of dequantisation noise, in nats.
MIXTURE_RANGE, AFFINE_RANGE, NOISE_RANGE = (-7.0, 4.0), (-2.0, 2.0), (-3.0, 1.0)
#: Weight of one more component, of scale 1 in the middle of each mixture: no value is beyond the reach of its tails.
BROAD = 2.0**-12
#: The phases of a 2 x 2 block as (row, column), in the order of their channels after `Squeeze`.
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))


class Predictor(nn.Module):
    """A residual network, and beside it a linear predictor of what is added to values.

    Parameters
    ----------
    inputs, outputs
        Channels.
    means
        Channels of the linear predictor.
    width, blocks
        Channels and residual blocks of the network.
    """

    def __init__(self, inputs: int, outputs: int, means: int, *, width: int, blocks: int) -> None:
        super().__init__()
        body: list[nn.Module] = [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
        for _ in range(blocks):
            second = nn.Conv2d(width, width, 3, padding=1)
            with torch.no_grad():
                second.weight.mul_(0.3)
            body.append(Residual(nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), second)))
        out = nn.Conv2d(width, outputs, 1)
        self.network = nn.Sequential(*body, out)
        self.linear = nn.Conv2d(inputs, means, 3, padding=1, bias=False)
        for zero in (out.weight, out.bias, self.linear.weight):
            nn.init.zeros_(zero)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of the network, and of the linear predictor."""
        return self.network[-1](self.hidden(x)), self.linear(x)

    def hidden(self, x: Tensor) -> Tensor:
        """What the last layer of the network is given."""
        # in training, half the bits are enough for what is hidden, and twice as fast
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.training):
            hidden: Tensor = self.network[:-1](x.contiguous(memory_format=torch.channels_last))
        return hidden.to(x.dtype)


# --- layers: each maps x to (y, log |det dy/dx| in nats, summed over the batch) --------------------


class Squeeze(nn.Module):
    """Space to depth: the four phases of an image, one after the other as channels."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (n, c, h, w) to (n, 4 c, h / 2, w / 2)."""
        return torch.cat([x[:, :, r::2, c::2] for r, c in PHASES], 1), torch.zeros(())


class Logit(nn.Module):
    """y = logit(margin + (1 - 2 margin) p) of a value p in [0, 1): RealNVP, section 4.1 of Dinh et al. 2017.

    Values come as (x - centre) / 32.
    """

    def __init__(self, margin: float, centre: int) -> None:
        super().__init__()
        self.margin, self.centre = margin, centre

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Elementwise."""
        p = self.margin + (1 - 2 * self.margin) * (x / 8 + self.centre / 256)
        slope = (1 - 2 * self.margin) / 8 / (p * (1 - p))
        return torch.log(p) - torch.log1p(-p), torch.log(slope).sum()


class ActNorm(nn.Module):
    """y = (x + shift) e^scale, channel by channel: Glow, section 3.1 of Kingma and Dhariwal 2018. The first batch sets both."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))
        self.register_buffer("ready", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Elementwise."""
        if self.training and not self.ready:
            with torch.no_grad():
                self.shift.copy_(-x.mean((0, 2, 3)))
                self.log_scale.copy_(-torch.log(x.std((0, 2, 3)) + 1e-3))
                self.ready.fill_(True)  # type: ignore[operator]
        y = (x + self.shift.view(1, -1, 1, 1)) * torch.exp(self.log_scale).view(1, -1, 1, 1)
        return y, self.log_scale.sum() * (x.numel() // x.shape[1])


class Convolution(nn.Module):
    """Invertible 1 x 1 convolution by a matrix P L U: Glow, section 3.2. L and U are triangular with ones on their diagonals.

    The magnitude of its determinant is 1, and each factor is a sequence of shears, which need no noise to be coded. Scales are
    left to `ActNorm`.

    Parameters
    ----------
    order
        Of the outputs.
    lower, upper
        Matrices of which what is below, and above, the diagonal counts.
    """

    order: Tensor

    def __init__(self, order: Sequence[int], lower: Tensor, upper: Tensor) -> None:
        super().__init__()
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.register_buffer("order", torch.tensor(order))

    @classmethod
    def colour(cls) -> Convolution:
        """Red, green, blue to (Y, Co, Cg) (Malvar and Sullivan 2003). It does not learn: all else would have to follow its every step."""
        lower = torch.tensor([[0.0, 0.0, 0.0], [-0.5, 0.0, 0.0], [0.25, 0.5, 0.0]])
        fixed = cls([2, 0, 1], lower, torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]))
        return fixed.requires_grad_(False)

    @classmethod
    def random(cls, channels: int) -> Convolution:
        """A random rotation but for the scales of its rows, which are left to `ActNorm`."""
        order, lower, upper = torch.linalg.lu(torch.linalg.qr(torch.randn(channels, channels))[0])
        return cls(order.argmax(1).tolist(), lower, upper / upper.diagonal()[:, None])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pixel by pixel."""
        eye = torch.eye(x.shape[1])
        matrix = (self.lower.tril(-1) + eye) @ (self.upper.triu(1) + eye)
        return functional.conv2d(x, matrix[self.order][:, :, None, None]), torch.zeros(())


class Additive(nn.Module):
    """y = x + t(given) for some channels: NICE (Dinh et al. 2014).

    Parameters
    ----------
    part
        First and last (excluded) of the channels that change; the network is given all others.
    """

    def __init__(self, channels: int, part: tuple[int, int], *, width: int, blocks: int) -> None:
        super().__init__()
        self.part = part
        size = part[1] - part[0]
        self.p = Predictor(channels - size, size, size, width=width, blocks=blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shift the channels of `part`."""
        low, high = self.part
        network, linear = self.p(torch.cat([x[:, :low], x[:, high:]], 1))
        return torch.cat([x[:, :low], x[:, low:high] + network + linear, x[:, high:]], 1), torch.zeros(())


class Affine(nn.Module):
    """y = (x + t(given)) e^s(given): RealNVP (Dinh et al. 2017), section 3.2, with a mask over channels, or a checkerboard.

    Parameters
    ----------
    part
        First and last (excluded) of the channels that change, the network is given all others; or 0 or 1: the pixels that change are those
        whose row plus column is even, or odd, and the network is given all, with zeros for these.
    """

    def __init__(self, channels: int, part: tuple[int, int] | int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.part = part
        self.size = channels if isinstance(part, int) else part[1] - part[0]
        inputs = channels if isinstance(part, int) else channels - self.size
        self.p = Predictor(inputs, 2 * self.size, self.size, width=width, blocks=blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shift and scale the values of `part`."""
        if isinstance(self.part, int):
            mask = checkerboard(x, self.part)
            network, linear = self.p(x * (1 - mask))
            shift, scale = network[:, : self.size] + linear, mask * network[:, self.size :].clamp(*AFFINE_RANGE)
            return (x + mask * shift) * torch.exp(scale), scale.sum()
        low, high = self.part
        network, linear = self.p(torch.cat([x[:, :low], x[:, high:]], 1))
        shift, scale = network[:, : self.size] + linear, network[:, self.size :].clamp(*AFFINE_RANGE)
        y = (x[:, low:high] + shift) * torch.exp(scale)
        return torch.cat([x[:, :low], y, x[:, high:]], 1), scale.sum()


def checkerboard(x: Tensor, parity: int) -> Tensor:
    """1 where row plus column is even (0) or odd (1)."""
    rows, columns = torch.arange(x.shape[2])[:, None], torch.arange(x.shape[3])
    return ((rows + columns) % 2 == parity).to(x.dtype)


class Mixture(nn.Module):
    """y = logit F(x - l): F the distribution function of a mixture of logistics: Flow++ (Ho et al. 2019), section 3.2.

    The parameters of F are those that a network makes of the channels before `part`, or, if there are none, constants. What is
    subtracted before, l, is linear in these, and in the channels before it of its own pixel. Of a pixel, the first channel comes first: the
    mixtures of the others depend on it.

    Parameters
    ----------
    colours
        Channels of a phase.
    part
        First and last (excluded) of the channels that change: whole phases.
    components
        Of the mixture.
    """

    def __init__(self, colours: int, part: tuple[int, int], *, components: int, width: int, blocks: int) -> None:
        super().__init__()
        self.colours, self.part, self.components = colours, part, components
        low, high = part
        self.phases = (high - low) // colours
        each = 3 * colours * components + colours * (colours - 1) // 2
        if not low:
            self.constants = nn.Parameter(torch.zeros(1, self.phases * each, 1, 1))
            start, log_scale = self.constants, -1.5
        else:
            self.p = Predictor(low, self.phases * each, high - low, width=width, blocks=blocks)
            self.others: nn.Sequential | None = None
            if colours > 1:
                out = nn.Conv2d(width, self.phases * (each - 3 * components), 1)
                self.others = nn.Sequential(nn.Conv2d(width + self.phases, width, 1), nn.ReLU(), out)
                for zero in (out.weight, out.bias):
                    nn.init.zeros_(zero)  # type: ignore[arg-type]
                with torch.no_grad():
                    # few inputs among many, and the ones that matter
                    self.others[0].weight[:, width:] *= 6  # type: ignore[index, operator]
            start, log_scale = self.p.network[-1].bias, -2.5  # type: ignore[assignment]
        means = torch.linspace(-0.125, 0.125, components) if components > 1 else torch.zeros(1)
        mixture = torch.cat([torch.zeros(components), means, torch.full((components,), log_scale)])
        with torch.no_grad():
            start.view(self.phases, each)[:, : 3 * colours * components] = mixture.repeat(colours)

    def interpolate(self) -> None:
        """Let the linear predictor of a phase start as the average of its four nearest neighbours in the phases before it."""
        with torch.no_grad():
            for phase in range(self.part[0] // self.colours, self.part[1] // self.colours):
                for known, row, column in neighbours(phase):
                    for c in range(self.colours):
                        to = phase * self.colours + c - self.part[0]
                        self.p.linear.weight[to, known * self.colours + c, row, column] = 0.25

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Transform the channels of `part`."""
        low, high = self.part
        values, phases, first = x[:, low:high], self.phases, 3 * self.components
        if low:
            hidden, linear = self.p.hidden(x[:, :low]), self.p.linear(x[:, :low])
            values = values - linear
            parameters = self.p.network[-1](hidden).chunk(phases, 1)
            if self.others is not None:
                # in units of 8 grey levels, so that it weighs about as much as what else there is
                seen = torch.cat([hidden, 4 * values[:, :: self.colours]], 1)
                others = self.others(seen).chunk(phases, 1)
                parameters = [
                    torch.cat([p[:, :first], p[:, first:] + q], 1) for p, q in zip(parameters, others, strict=True)
                ]
        else:
            parameters = self.constants.chunk(phases, 1)
        ys, log_slopes = [], torch.zeros(())
        for phase, p in zip(values.chunk(phases, 1), parameters, strict=True):
            y, log_slope = mixture_logit(
                shear(phase, p[:, first * self.colours :]), p[:, : first * self.colours], self.components
            )
            ys.append(y)
            log_slopes = log_slopes + log_slope
        return torch.cat([x[:, :low], *ys, x[:, high:]], 1), log_slopes


def neighbours(phase: int) -> list[tuple[int, int, int]]:
    """The four nearest neighbours of a phase among those before it: (phase, row, column) in a 3 x 3 kernel."""
    return {
        1: [(0, 1, 1), (0, 1, 2), (0, 2, 1), (0, 2, 2)],
        2: [(0, 1, 1), (0, 1, 2), (1, 0, 1), (1, 1, 1)],
        3: [(0, 1, 1), (0, 2, 1), (1, 1, 0), (1, 1, 1)],
    }[phase]


def shear(x: Tensor, coefficients: Tensor) -> Tensor:
    """Subtract from each channel a linear function of those before it; coefficients in the order 1 on 0, 2 on 0, 2 on 1."""
    out, first = [x[:, 0]], 0
    for c in range(1, x.shape[1]):
        out.append(x[:, c] - (coefficients[:, first : first + c] * x[:, :c]).sum(1))
        first += c
    return torch.stack(out, 1)


def mixture_logit(x: Tensor, parameters: Tensor, components: int) -> tuple[Tensor, Tensor]:
    """The logit of a mixture's distribution function, of the shape of x, and the sum of the logarithms of its slopes.

    Parameters
    ----------
    x
        Shape (n, channels, h, w).
    parameters
        Shape (n, channels * 3 * components, h, w): of each channel logits, means, log-scales.
    """
    logits, means, log_scales = parameters.view(-1, x.shape[1], 3, components, *parameters.shape[2:]).unbind(2)
    precision = torch.exp(-log_scales.clamp(*MIXTURE_RANGE))
    at = (x.unsqueeze(2) - means) * precision
    weights = (1 - BROAD) * torch.softmax(logits, 2)
    below, above = weights * torch.sigmoid(at), torch.sigmoid(-at)
    density = (below * above * precision).sum(2)
    below, above = below.sum(2), (weights * above).sum(2)
    tail_below, tail_above = torch.sigmoid(x), torch.sigmoid(-x)
    below, above = below + BROAD * tail_below, above + BROAD * tail_above
    density = density + BROAD * tail_below * tail_above
    # a standard logistic variable has the density F (1 - F)
    return torch.log(below) - torch.log(above), torch.log(density / (below * above)).sum()


class FactorOut(nn.Module):
    """All channels but the first `keep` are done: section 3.6 of Dinh et al. 2017."""

    def __init__(self, keep: int) -> None:
        super().__init__()
        self.keep = keep


# --- dequantisation, and the whole -----------------------------------------------------------------


class Dequantiser(nn.Module):
    """q(u | x): u = sigmoid((e + shift) scale) of logistic noise e: variational dequantisation (Flow++, section 3.1).

    One coupling layer on noise, all of whose parameters a network makes of the images, squeezed.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.p = Predictor(4 * channels, 8 * channels, 4 * channels, width=width, blocks=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Noise in [0, 1) and the sum of its log-densities in nats, for images as (x - centre) / 32."""
        network, linear = self.p(Squeeze()(x)[0])
        shift, log_scale = network.chunk(2, 1)
        shift, log_scale = shift + linear, log_scale.clamp(*NOISE_RANGE)
        p = torch.rand_like(shift).clamp(1e-6, 1 - 1e-6)
        e = torch.log(p) - torch.log1p(-p)
        v = (e + shift) * torch.exp(log_scale)
        densities = torch.log(p) + torch.log1p(-p) - log_scale - functional.logsigmoid(v) - functional.logsigmoid(-v)
        return unsqueeze(torch.sigmoid(v)), densities.sum()


def unsqueeze(x: Tensor) -> Tensor:
    """Inverse of `Squeeze`."""
    n, channels, h, w = x.shape
    out = torch.empty(n, channels // 4, 2 * h, 2 * w)
    for (r, c), phase in zip(PHASES, x.chunk(4, 1), strict=True):
        out[:, :, r::2, c::2] = phase
    return out


class Network(nn.Module):
    """A flow from images to standard logistic variables, and its dequantisation.

    Parameters
    ----------
    layers
        From the data on; `FactorOut` among them.
    dequantiser
        None: noise is uniform.
    centre
        The value that stands for zero, as it is beyond the border of an image.
    """

    def __init__(self, layers: Sequence[nn.Module], dequantiser: Dequantiser | None, centre: int) -> None:
        super().__init__()
        self.centre = centre
        self.layers = nn.ModuleList(layers)
        self.dequantiser = dequantiser

    def bits(self, x: Tensor) -> Tensor:
        """Bits of images (integers as floats), with one sample of noise: -log2 p(x + u) + log2 q(u | x)."""
        centred = (x - self.centre) / 32
        if self.dequantiser is None:
            u, nats = torch.rand_like(x), torch.zeros(())
        else:
            u, nats = self.dequantiser(centred)
        x = centred + u / 32
        nats = nats + x.numel() * math.log(32)
        for layer in self.layers:
            if isinstance(layer, FactorOut):
                nats = nats + base(x[:, layer.keep :])
                x = x[:, : layer.keep]
            else:
                x, log_det = layer(x)
                nats = nats - log_det
        return (nats + base(x)) * OCTAVES


def base(z: Tensor) -> Tensor:
    """Information of standard logistic variables in nats."""
    return -(functional.logsigmoid(z) + functional.logsigmoid(-z)).sum()


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
    noise = settings["noise_width"]
    return Network(layers, Dequantiser(channels, width=noise) if noise else None, settings["centre"])


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
    noise = settings["noise_width"]
    return Network(layers, Dequantiser(colours, width=noise) if noise else None, settings["centre"])
