"""Arrays from and to the files people have. Pillow is imported when an image is met, not before."""

from codecs_core.media.names import safe_path
from codecs_core.media.reading import read
from codecs_core.media.source import Source
from codecs_core.media.writing import check_target, write

__all__ = ["Source", "check_target", "read", "safe_path", "write"]
