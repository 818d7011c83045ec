"""Codecs in the tools people already use: zarr, numcodecs and others. Each module imports the tool it is named after."""
