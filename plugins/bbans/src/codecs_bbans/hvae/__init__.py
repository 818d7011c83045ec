"""Codec ``bbans.hvae``: images of any size by a hierarchical autoencoder, with bits-back coding."""
