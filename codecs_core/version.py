"""The version of codecs-core, a module of its own so that the registry can compare plugins with it."""

__version__ = "0.2.0"
