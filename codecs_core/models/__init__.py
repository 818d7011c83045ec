"""Models: what codecs learnt, as safetensors files identified by their SHA-256."""

from codecs_core.models.given import use
from codecs_core.models.model import Model
from codecs_core.models.parts import ModelParts
from codecs_core.models.resolve import ModelRecord, available, installed, resolve
from codecs_core.models.store import add, store_dir

__all__ = ["Model", "ModelParts", "ModelRecord", "add", "available", "installed", "resolve", "store_dir", "use"]
