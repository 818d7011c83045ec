"""The codec ``bbans.vae`` in plain Python and numpy, written from the text of ``spec/codecs/bbans.md``."""

import math

import entropy
import exact
import numpy as np


def decode(model, settings, payload, shape, dtype, version):
    """A chunk of items."""
    _, config, tensors = model
    kind, item, latents = config.get("likelihood"), config.get("item_shape"), config.get("latents")
    exact.check(kind in ("bernoulli", "mixture"), "another likelihood")
    exact.check(type(item) is list and all(type(a) is int and a > 0 for a in [*item, latents]), "sizes")
    encoder, decoder = exact.Network(tensors, "encoder"), exact.Network(tensors, "decoder")
    tables = tensors.get("tables", np.zeros((1, 0), int)) if kind == "mixture" else np.zeros((1, 0), int)
    counts = tables.shape[1:] == (256,) and (tables >= 0).all() and (tables.sum(1) == 1 << 18).all()
    exact.check(kind != "mixture" or counts, "tables that are no counts")
    pixels, k = math.prod(item), len(tables)
    edges = np.array(entropy.table("normal_edges"))
    points = edges[(np.arange(256) << 4) + 8] >> 16
    widths = encoder.inputs, encoder.outputs, decoder.inputs, decoder.outputs
    exact.check(widths == (pixels, 2 * latents, latents, pixels * k), "networks of other widths")
    span = (encoder.low, encoder.high) == (0, 255 if kind == "mixture" else 1)
    exact.check(span and decoder.low <= points[0] and points[255] <= decoder.high, "networks of other ranges")
    low, high = encoder.layers[-1][3:5]
    limits = np.repeat([[-(1 << 16), 1 << 16], [-640, 128]], latents, axis=0)
    exact.check((limits[:, 0] <= low).all() and (high <= limits[:, 1]).all(), "a posterior out of range")
    if not shape or list(shape[1:]) != item:
        raise entropy.Corrupt("items of another shape")

    effort = settings.get("effort", "standard")
    if effort not in ("standard", "smallest") or (version < 3 and effort != "standard"):
        raise entropy.Corrupt("another effort")
    if effort == "smallest":
        check_refinable(decoder)

    def likelihood(z, n):
        out = decoder(points[np.reshape(z, (n, latents))])
        if kind == "bernoulli":
            ones = [entropy.ones_of_log_odds(22, v) for v in out.reshape(-1).tolist()]
            return entropy.bernoulli(n * pixels, 22, ones)
        return entropy.categorical_mixture(n * pixels, 22, tables.tolist(), out.reshape(-1, k).tolist())

    def posterior(x, n):
        x = np.reshape(x, (n, pixels))
        mean, scale = np.split(encoder(x), 2, axis=1)
        if effort == "smallest":
            mean, scale = refined(decoder, points, tables, kind, mean, scale, x)
        mean, scale = mean.reshape(-1).tolist(), scale.reshape(-1).tolist()
        return entropy.bucketed_gaussian(n * latents, 8, 26, mean, scale, [0] * len(mean), [0] * len(mean))

    def step(n):
        prior = entropy.uniform(n * latents, 256)
        return entropy.BitsBack(prior, lambda z: likelihood(z, n), lambda x: posterior(x, n))

    message = entropy.Message.parse(payload)
    found = entropy.Chain(step, shape[0], 128).pop(message)
    message.check_end()
    return np.array(found, np.uint8)


MOST, TOP = (1 << 15) - 1, 1 << 12


def check_refinable(decoder):
    """Refuse a decoder whose sums, layer by layer and backwards, are not bounded."""
    spans = [(decoder.low, decoder.high), *((layer[3].min(), layer[4].max()) for layer in decoder.layers)]
    for i, (weight, bias, shift, _, _, skip) in enumerate(decoder.layers):
        last = i == len(decoder.layers) - 1
        most, half = (TOP, 2 << shift.min()) if last else (MOST, 1 << shift.min() >> 1)
        ways = (weight, bias, *spans[i]), (weight.T, np.full(weight.shape[1], half), -most, most)
        reaches = [bound(*way) for way in ways] + [shift.min() + 2 * last]
        exact.check(
            not skip and max(reaches[:2]) < 1 << 53 and reaches[2] <= 52, "a decoder that cannot be refined with"
        )


def bound(weight, bias, low, high):
    plus, minus = (np.maximum(v, 0).astype(float).sum(1) for v in (weight, -weight))
    up, down = max(high, 0), -min(low, 0)
    return (np.maximum(plus * up + minus * down, plus * down + minus * up) + abs(bias)).max()


def slope(decoder, tables, kind, z, x):
    """The gradient by latents."""
    outputs = [z]
    for weight, bias, shift, low, high, _ in decoder.layers:
        outputs.append(np.clip(outputs[-1] @ weight.T + bias >> shift, low, high))
    if kind == "bernoulli":
        ones = [entropy.ones_of_log_odds(22, v) for v in outputs[-1].reshape(-1).tolist()]
        g = (np.reshape(ones, x.shape) >> 10) - (x.astype(int) << 12)
    else:
        w = np.array([entropy.weights(v) for v in outputs[-1].reshape(-1, len(tables)).tolist()])
        a = w * tables.T[x.reshape(-1)].astype(int)
        g = ((w >> 4) - (a << 12) // np.maximum(a.sum(1, keepdims=True), 1)).reshape(len(x), -1)
    for i in reversed(range(len(decoder.layers))):
        weight, _, shift, low, high, _ = decoder.layers[i]
        y, r = outputs[i + 1], int(shift.min())
        g = np.where((low < y) & (y < high), g, 0) + (1 << shift - r >> 1) >> shift - r
        s = r + 2 if i == len(decoder.layers) - 1 else r
        g = np.clip(g @ weight + (1 << s >> 1) >> s, -MOST, MOST)
    return g


def refined(decoder, points, tables, kind, mean, scale, x):
    """Means and log-scales after 16 steps."""
    m, s, latents = mean << 4, np.minimum(scale, 0) << 8, mean.shape[1]
    powers, bits = np.array(entropy.table("exp2_negative")), (latents - 1).bit_length()
    for t in range(16):
        row = (37 * t + 1) % (1 << bits)
        h = np.array([(-1) ** (i & row).bit_count() for i in range(latents)])
        e = powers[-(s >> 8)]
        up, down = (slope(decoder, tables, kind, np.clip(m + k * e >> 8, points[0], points[255]), x) for k in (h, -h))
        u = (45426 * (up + down) >> 9) + m
        v = (e * (45426 * h * (up - down) >> 9) >> 16) + (e * e >> 16) - (1 << 16)
        rate = 52 - 3 * t
        m = np.clip(m - (rate * np.clip(e * u >> 16, -(1 << 17), 1 << 17) * e >> 23), -(1 << 20), 1 << 20)
        s = np.clip(s - (3 * rate * np.clip(v, -(3 << 16), 3 << 16) >> 12), -640 << 8, 0)
    return m >> 4, s >> 8
