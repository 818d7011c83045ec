"""From a file to arrays: entries, parts of them, and the codecs that decode them."""
