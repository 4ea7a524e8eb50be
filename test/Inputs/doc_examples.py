# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Prints every complete MLIR example of the documentation as one split input file.

An example is complete if it holds a func.func; others may elide. Fails if an op has none. Usage: doc_examples.py ROOT
"""

import pathlib
import re
import sys
import textwrap

BLOCK = re.compile(r"^[ \t]*```mlir\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
DEFINITION = re.compile(r"^def (\w+) : Attn_Op<", re.MULTILINE)


def complete_examples(text):
    return [textwrap.dedent(block) for block in BLOCK.findall(text) if "func.func" in block]


def ops_without_example(text):
    starts = [(match.start(), match[1]) for match in DEFINITION.finditer(text)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [name for (start, name), end in zip(starts, ends) if not complete_examples(text[start:end])]


def main():
    root = pathlib.Path(sys.argv[1])
    files = [*root.glob("include/**/*.td"), *root.glob("docs/**/*.md"), *root.glob("*.md")]
    examples, lacking = [], []
    for path in sorted(files):
        text = path.read_text()
        examples += [f"// From {path.relative_to(root)}\n{block}" for block in complete_examples(text)]
        lacking += ops_without_example(text)
    print("\n// -----\n\n".join(examples))
    if lacking:
        sys.exit("\n".join(f"{name} has no example with a func.func" for name in lacking))


if __name__ == "__main__":
    main()
