"""What `import codecs_core` offers: save and load files, open and inspect them, get codecs and train them."""

from codecs_core.api.checking.recover import recover
from codecs_core.api.choosing.choose import choose
from codecs_core.api.items import Source
from codecs_core.api.lookup import get_codec, list_codecs, load_model, train
from codecs_core.api.opening.file import File, inspect, load, open
from codecs_core.api.opening.view import EntryView
from codecs_core.api.saving.save import FileInfo, save
from codecs_core.api.saving.stream import StreamWriter, create

__all__ = [
    "EntryView",
    "File",
    "FileInfo",
    "Source",
    "StreamWriter",
    "choose",
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
