"""Run a script, and keep each kernel that it compiles for another processor too: ``cross.py FOLDER SCRIPT ARGUMENT...``.

Numba there finds them in FOLDER, its ``NUMBA_CACHE_DIR``, if the sources have the same paths; to compile them there, under emulation, would
take half an hour. LLVM starts from the text that it starts from there, before anything is optimised, and does to it what numba asks for.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import kernels
from kernels import Processor
from llvmlite import binding as llvm
from numba.core import config
from numba.core.codegen import CPUCodeLibrary, _parse_refprune_flags, create_pass_builder

from codecs_core.exact import pairs
from codecs_core.jit import cache as code_cache

#: As numba calls a processor that it knows nothing about, with ``NUMBA_CPU_NAME=generic`` and ``NUMBA_CPU_FEATURES=``.
TARGET = Processor("aarch64-unknown-linux-gnu", "generic")


def main() -> None:
    """Do as the command line says."""
    folder, script = Path(sys.argv[1]), sys.argv[2]
    install(folder)
    sys.argv = sys.argv[2:]
    sys.path.insert(0, str(Path(script).parent))
    runpy.run_path(script, run_name="__main__")


def install(folder: Path) -> None:
    """From now on, what numba keeps on disk is kept for the other processor in `folder`."""
    texts: dict[str, str] = {}
    optimise, save = CPUCodeLibrary._optimize_final_module, code_cache._Files.save

    def watched(library: Any) -> None:
        texts[library.name] = str(library._final_module)
        optimise(library)

    def save_both(files: Any, key: Any, data: Any) -> None:
        (name, kind, _), *rest = data
        other = (key[0], (TARGET.triple, TARGET.cpu, TARGET.features), *key[2:])
        there = code_cache._Files(
            str(folder / Path(files._cache_path).name), files._index_name.removesuffix(".nbi"), None
        )
        Path(there._cache_path).mkdir(parents=True, exist_ok=True)
        save(there, other, ((name, kind, compiled(texts[name])), *rest))
        save(files, key, data)

    pairs.supported = lambda: False  # a kernel that only this processor has is none that the other one looks for
    CPUCodeLibrary._optimize_final_module = watched
    code_cache._Files.save = save_both  # type: ignore[method-assign]


def compiled(text: str) -> tuple[bytes, bytes]:
    """Machine code and bitcode of a module, as numba keeps them."""
    module, machine = kernels.module_for(text, TARGET), kernels.machine_for(TARGET)
    for thorough in (False, True):
        optimised(module, machine, thorough=thorough)
    module.verify()
    if fused := kernels.fused(str(module), TARGET):
        raise AssertionError(f"a kernel holds {fused[0]} for {TARGET.triple}")
    code = machine.emit_object(module)
    for function in module.functions:
        if not function.is_declaration and function.linkage == llvm.Linkage.external:
            function.linkage = "linkonce_odr"
    return code, module.as_bitcode()


def optimised(module: Any, machine: Any, *, thorough: bool) -> None:
    """Run one of the two series of passes that numba runs."""
    builder = create_pass_builder(
        machine,
        opt=3 if thorough else 0,
        loop_vectorize=thorough and config.LOOP_VECTORIZE,
        slp_vectorize=thorough and config.SLP_VECTORIZE,
    )
    passes = builder.getModulePassManager()
    if not thorough:
        passes.add_loop_rotate_pass()
        passes.add_instruction_combine_pass()
        passes.add_jump_threading_pass()
    if config.LLVM_REFPRUNE_PASS:
        passes.add_refprune_pass(_parse_refprune_flags())
    passes.run(module, builder)


if __name__ == "__main__":
    main()
