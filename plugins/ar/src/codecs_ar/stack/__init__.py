"""Stacks of small images: a small network a pixel, on a causal window, many images in step."""
