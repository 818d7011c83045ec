"""What `import codecs_core` offers: save and load files, open and inspect them, get codecs and train them."""

from codecs_core.api.items import Source
from codecs_core.api.lookup import get_codec, list_codecs, load_model, train
from codecs_core.api.reading import File, inspect, load, open
from codecs_core.api.recovering import recover
from codecs_core.api.stream import StreamWriter
from codecs_core.api.view import EntryView
from codecs_core.api.writing import FileInfo, create, save

__all__ = [
    "EntryView",
    "File",
    "FileInfo",
    "Source",
    "StreamWriter",
    "create",
    "get_codec",
    "inspect",
    "list_codecs",
    "load",
    "load_model",
    "open",
    "recover",
    "save",
    "train",
]
