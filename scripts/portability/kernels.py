"""Compiled kernels as LLVM has them: for other processors than this one, and what is in them."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from llvmlite import binding as llvm
from numba.core.dispatcher import Dispatcher


class Processor(NamedTuple):
    """What LLVM compiles for."""

    triple: str
    cpu: str
    features: str = ""


#: Processors with fused multiply-add, which LLVM would use where it may.
PROCESSORS = {
    "x86-64": Processor("x86_64-unknown-linux-gnu", "haswell"),
    "aarch64": Processor("aarch64-unknown-linux-gnu", "neoverse-v1"),
    "ppc64le": Processor("powerpc64le-unknown-linux-gnu", "pwr9"),
}

#: Multiply-adds that round once, in the assembly of those processors.
_FUSED = re.compile(
    r"^\s+(v?fn?m(?:add|sub)\d*\w*|fml[as]l?2?|fnml[as]|fn?m(?:ad|sb)|bfml\w+|xsn?m(?:add|sub)\w+|xvn?m(?:add|sub)\w+)\s",
    re.MULTILINE,
)
#: Operations that LLVM may reorder or contract, and the one that is contracted already.
_LOOSE = re.compile(
    r"= (?:tail )?(?:call )?f?\w+ (?:\w+ )*?(?:fast|contract|reassoc|nnan|ninf|nsz|arcp|afn) .*|call [^@\n]*@llvm\.fm(?:a|uladd)\.\w+"
)
#: Functions of a mathematical library; `floor`, `fabs`, `copysign` and `sqrt` are exact, or rounded as IEEE 754 says.
_NAMES = (
    *(
        "exp",
        "exp2",
        "exp10",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "pow",
        "powi",
        "cbrt",
        "hypot",
        "sin",
        "cos",
        "tan",
    ),
    *(
        "asin",
        "acos",
        "atan",
        "atan2",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "erf",
        "erfc",
        "lgamma",
        "tgamma",
    ),
    *("ldexp", "frexp", "fmod"),
)
_LIBRARY = re.compile(rf"call [^@\n]*@(?:llvm\.)?({'|'.join(_NAMES)})f?(?:\.[\w.]+)?\(")

#: LLVM's intrinsic for x86 by which numba counts references, and the same for all processors.
_COUNT = """define linkonce_odr i8 @count_down(ptr %p, i64 %v, i32 %kind) alwaysinline {
  %old = atomicrmw sub ptr %p, i64 %v monotonic
  %last = icmp eq i64 %old, %v
  %byte = zext i1 %last to i8
  ret i8 %byte
}"""
#: A product and a sum that LLVM may contract: it shows that `_FUSED` finds what is fused.
_CONTROL = """define double @f(double %a, double %b, double %c) {
  %product = fmul contract double %a, %b
  %sum = fadd contract double %product, %c
  ret double %sum
}"""


def ours() -> Iterator[Dispatcher]:
    """Every function of this project that numba may compile, in this process."""
    for found in gc.get_objects():
        if isinstance(found, Dispatcher) and found.py_func.__module__.startswith("codecs_"):
            yield found


def entry_points() -> Iterator[tuple[str, Dispatcher]]:
    """The kernels: those functions that keep their machine code on disk, by their names."""
    for found in ours():
        if type(found._cache).__module__.startswith("codecs_core."):
            yield f"{found.py_func.__module__}.{found.py_func.__qualname__}", found


def compiled() -> Iterator[tuple[str, str]]:
    """Name and LLVM's text of each kernel that this process compiled, or loaded."""
    for name, kernel in entry_points():
        for result in kernel.overloads.values():
            yield name, str(result.library._get_module_for_linking())


def module_for(text: str, processor: Processor) -> llvm.ModuleRef:
    """A module that was made for this processor, for another one.

    Raises
    ------
    ValueError
        If it calls for something that only this processor has.
    """
    text = re.sub(r"^target (?:triple|datalayout) = .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r'"target-(?:cpu|features)"="[^"]*"', "", text)
    text = re.sub(r"^declare i8 @llvm\.x86\.atomic\.sub\.cc\.i64\(.*$", _COUNT, text, flags=re.MULTILINE)
    text = text.replace("@llvm.x86.atomic.sub.cc.i64(", "@count_down(")
    if left := sorted(set(re.findall(r"@(llvm\.(?:x86|aarch64|ppc)[\w.]*)", text))):
        raise ValueError(f"a kernel calls {', '.join(left)}, which other processors do not have")
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = processor.triple, str(machine_for(processor).target_data)
    return module


@cache
def machine_for(processor: Processor) -> llvm.TargetMachine:
    """LLVM's compiler for a processor."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(processor.triple)
    return target.create_target_machine(
        cpu=processor.cpu, features=processor.features, opt=3, reloc="default", codemodel="jitdefault", jit=True
    )


def fused(text: str, processor: Processor) -> list[str]:
    """The fused multiply-adds of a module, for a processor."""
    return _FUSED.findall(machine_for(processor).emit_assembly(module_for(text, processor)))


def can_be_seen(processor: Processor) -> bool:
    """Whether `fused` finds what is fused."""
    return len(fused(_CONTROL, processor)) == 1


def loose(text: str) -> list[str]:
    """Operations of a module that a compiler may reorder, or fuse."""
    return _LOOSE.findall(text)


def library_calls(text: str) -> set[str]:
    """Functions of a mathematical library that a module calls."""
    return set(_LIBRARY.findall(text))


def names_used() -> set[str]:
    """Every name that the functions of `ours` use, in Python."""
    found: set[str] = set()
    for function in ours():
        code: Any = function.py_func.__code__
        found |= {*code.co_names}
    return found
