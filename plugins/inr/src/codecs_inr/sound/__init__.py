"""Sound: codec `inr.sound`. Prior, network and model are those of images."""
