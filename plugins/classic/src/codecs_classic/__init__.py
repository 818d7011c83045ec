"""Classical compressors as codecs."""
