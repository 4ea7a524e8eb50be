# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""scripts/mutate_ir.py on one program: check_mutate.py OPT SCRIPTS FILE."""

import subprocess
import sys

import numpy as np

opt, scripts, path = sys.argv[1:]
sys.path.insert(0, scripts)

import mutate_ir  # noqa: E402

command = [opt, path, "--mlir-print-op-generic", "--mlir-print-local-scope"]
text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
assert mutate_ir.Program(text).text().split() == text.split()
print("round trip")

mutants = [mutate_ir.mutate(text, np.random.default_rng([7, i])) for i in range(200)]
assert mutants == [mutate_ir.mutate(text, np.random.default_rng([7, i])) for i in range(200)]
print("reproducible")

# Nothing of the sample is narrower than f32 or of another name, so a few changes find nothing to do.
done = {change for _, changes in mutants for change in changes}
missing = {change.__name__ for change in mutate_ir.CHANGES} - done
assert not missing, missing
print("every change made")
print(sum(mutant.split() != text.split() for mutant, _ in mutants), "of 200 differ")
