"""What a reader refuses, by the codes of ``container.md``."""

from importlib import import_module


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


def require(holds, code, text):
    if not holds:
        raise Refused(code, text)


def library(name):
    try:
        return import_module(name)
    except ImportError:
        raise Refused("missing", f"this takes the library {name}") from None
