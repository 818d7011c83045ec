"""The codec ``bbans.vae`` in plain Python and numpy, written from the text of ``spec/codecs/bbans.md``."""

import math

import entropy
import exact
import numpy as np


def decode(model, settings, payload, shape, dtype):
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

    def likelihood(z, n):
        out = decoder(points[np.reshape(z, (n, latents))])
        if kind == "bernoulli":
            ones = [entropy.ones_of_log_odds(22, v) for v in out.reshape(-1).tolist()]
            return entropy.bernoulli(n * pixels, 22, ones)
        return entropy.categorical_mixture(n * pixels, 22, tables.tolist(), out.reshape(-1, k).tolist())

    def posterior(x, n):
        mean, scale = (part.reshape(-1).tolist() for part in np.split(encoder(np.reshape(x, (n, pixels))), 2, axis=1))
        return entropy.bucketed_gaussian(n * latents, 8, 26, mean, scale, [0] * len(mean), [0] * len(mean))

    def step(n):
        prior = entropy.uniform(n * latents, 256)
        return entropy.BitsBack(prior, lambda z: likelihood(z, n), lambda x: posterior(x, n))

    message = entropy.Message.parse(payload)
    found = entropy.Chain(step, shape[0], 128).pop(message)
    message.check_end()
    return np.array(found, np.uint8)
