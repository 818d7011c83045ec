"""One tree of exceptions. Catch `CodecsError` to catch everything this project raises on purpose.

Each class carries a stable `code` (match on it, never on the text) and the `exit_status` the command
line ends with. A message is one sentence: what happened, where, what was expected and found, what to do next. Where an
error arose in a file is in its attributes `path`, `entry`, `chunk` and `offset`, as far as that is known.

::

    CodecsError                        error, 1
        ConfigError                    config, 2
        InputError                     input, 2
            UnknownKindError           unknown-kind, 2
            InexactError               inexact, 2
            MissingReaderError         missing-reader, 3
        UnsupportedArrayError          unsupported-array, 2
        OutputError                    output, 1
            TargetError                target, 2
        UnknownCodecError              unknown-codec, 3
        CodecConflictError             codec-conflict, 3
        PluginLoadError                plugin-load, 3
        MissingDependencyError         missing-dependency, 3
            MissingReaderError         missing-reader, 3
        ModelError                     model, 3
            ModelNotFoundError         model-not-found, 3
        FormatError                    format, 4
            NotAContainerError         not-a-container, 4
            TruncatedFileError         truncated, 4
            CorruptDataError           corrupt, 4
            MissingChunkError          missing-chunk, 4
            UnsupportedFeatureError    unsupported-feature, 3
        DecodeMismatchError            decode-mismatch, 1
        LimitExceededError             limit, 5
        MachineError                   machine, 1
            OutOfMemoryError           memory, 1
        EntropyError                   entropy, 2
            ExhaustedMessageError      exhausted, 4
            LongMessageError           long-message, 2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Sequence


class CodecsError(Exception):
    """Base of every error of the project.

    Attributes
    ----------
    code
        A short name that stays the same from version to version.
    exit_status
        What the command line ends with.
    path
        The file, or None.
    entry
        Name of the entry of a container, or None.
    chunk
        Number of the chunk of the entry, from 0, or None.
    offset
        Bytes from the start of the file, or None.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    path: str | None = None
    entry: str | None = None
    chunk: int | None = None
    offset: int | None = None

    def at(
        self,
        where: str = "",
        *,
        path: str | None = None,
        entry: str | None = None,
        chunk: int | None = None,
        offset: int | None = None,
    ) -> Self:
        """A copy of this error that says where it arose; what is known already stays.

        Parameters
        ----------
        where
            Goes in front of the sentence, with a colon.
        path, entry, chunk, offset
            Become the attributes of these names.
        """
        error = type(self)(f"{where}: {self}" if where else f"{self}")
        error.__dict__.update(self.__dict__)
        for name, value in {"path": path, "entry": entry, "chunk": chunk, "offset": offset}.items():
            if value is not None and getattr(self, name) is None:
                setattr(error, name, value)
        return error


# --- what the caller asked for ------------------------------------------------------------------


class ConfigError(CodecsError, ValueError):
    """A codec, a function or a command was given a setting it does not know or cannot take."""

    code = "config"
    exit_status = 2


class InputError(CodecsError, ValueError):
    """An input file is missing, unreadable, or not of a kind that can be read as an array."""

    code = "input"
    exit_status = 2


class UnknownKindError(InputError):
    """A file that is of no kind that holds arrays, going by its first bytes; an archive keeps it whole."""

    code = "unknown-kind"


class InexactError(InputError):
    """A file that is in order, but from which a reader would lose something; an archive keeps it whole.

    Parameters
    ----------
    message
        What would be lost.
    rest
        Of a file with several arrays, those that can be read all the same (`codecs_core.media.Source`).
    """

    code = "inexact"

    def __init__(self, message: str, rest: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.rest = list(rest)


class UnsupportedArrayError(CodecsError, ValueError):
    """An array whose dtype, shape or values a codec or its model cannot take."""

    code = "unsupported-array"
    exit_status = 2


class OutputError(CodecsError, OSError):
    """An output could not be written; whatever stood there before is untouched."""

    code = "output"
    exit_status = 1


class TargetError(OutputError):
    """The name of a target asks for what cannot be written there: an array, or several, that no such file holds, or an unknown kind."""

    code = "target"
    exit_status = 2


# --- codecs, plugins, models --------------------------------------------------------------------


class UnknownCodecError(CodecsError, LookupError):
    """No installed plugin provides a codec of this id."""

    code = "unknown-codec"
    exit_status = 3


class CodecConflictError(CodecsError, LookupError):
    """Two distributions claim the same codec id."""

    code = "codec-conflict"
    exit_status = 3


class PluginLoadError(CodecsError, ImportError):
    """A plugin or the implementation of a codec failed to import."""

    code = "plugin-load"
    exit_status = 3


class MissingDependencyError(CodecsError, ImportError):
    """Something needs a library that is not installed; the message has the line for pip."""

    code = "missing-dependency"
    exit_status = 3


class MissingReaderError(MissingDependencyError, InputError):
    """A file is of a kind that takes a library to read, which is not installed; an archive keeps it whole."""

    code = "missing-reader"


class ModelError(CodecsError, ValueError):
    """A model file is not what it says, fails its probe, or does not fit the codec."""

    code = "model"
    exit_status = 3


class ModelNotFoundError(ModelError, LookupError):
    """A model is neither embedded, nor installed, nor in the store, nor at the given path."""

    code = "model-not-found"
    exit_status = 3


# --- files --------------------------------------------------------------------------------------


class FormatError(CodecsError, ValueError):
    """A file or a payload that breaks the format."""

    code = "format"
    exit_status = 4


class NotAContainerError(FormatError):
    """The file does not start with the signature of a container."""

    code = "not-a-container"


class TruncatedFileError(FormatError, EOFError):
    """The file ends before its trailer."""

    code = "truncated"


class CorruptDataError(FormatError):
    """Stored bytes do not match their checksum, or a payload cannot be decoded."""

    code = "corrupt"


class MissingChunkError(FormatError, LookupError):
    """A chunk is not in the file, which was recovered from a damaged one and says so."""

    code = "missing-chunk"


class UnsupportedFeatureError(FormatError):
    """The file needs a format version, a feature or a codec version newer than this reader."""

    code = "unsupported-feature"
    exit_status = 3


class DecodeMismatchError(CodecsError):
    """Stored bytes are intact, yet they decode to something else than was encoded."""

    code = "decode-mismatch"
    exit_status = 1


class LimitExceededError(CodecsError):
    """A file asks for more memory than the caller's `Limits` allow."""

    code = "limit"
    exit_status = 5


# --- the machine -----------------------------------------------------------------------------------


class MachineError(CodecsError):
    """Something is wrong with this machine, not with the file: a disk, a compiler, a library."""

    code = "machine"
    exit_status = 1


class OutOfMemoryError(MachineError, MemoryError):
    """There is not enough memory for what was asked."""

    code = "memory"

    def __new__(cls, *args: object) -> Self:
        """Make it as other exceptions are made: that of `MemoryError` refuses classes with two bases."""
        return Exception.__new__(cls, *args)


class MachineWarning(UserWarning):
    """Something is wrong with this machine, and the work goes on without it."""


# --- entropy coding -----------------------------------------------------------------------------


class EntropyError(CodecsError, ValueError):
    """A symbol, a parameter or a message that entropy coding cannot take."""

    code = "entropy"
    exit_status = 2


class ExhaustedMessageError(EntropyError, EOFError):
    """A pop ran past the end of a message that may not draw seed words."""

    code = "exhausted"
    exit_status = 4


class LongMessageError(EntropyError):
    """A message became longer than its maker allowed; `Codec.encode` stores the values then."""

    code = "long-message"


def __dir__() -> list[str]:
    return [name for name, value in globals().items() if isinstance(value, type) and value.__module__ == __name__]
