"""The progress bar of every verb: on a terminal only."""

from codecs_core.bars import progress_bar as progress

__all__ = ["progress"]
