# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Does the README say what the program says? Usage: readme_remarks.py README EXAMPLES BIN FOLDER

Every block that starts with build/bin/ is run in FOLDER, where attention.mlir is the README's first example and
examples/ is EXAMPLES; its output must hold what the next block says. There, "..." stands for anything and a number
before an x, a predicted ratio, for any number: it depends on the machine. Lines may be broken anywhere.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
PROGRAM = re.compile(r"^```mlir\n(.*?)^```", re.MULTILINE | re.DOTALL)


def words(text):
    return " ".join(text.split())


def pattern(expected):
    """A regular expression for what a block says."""
    found = re.sub(r"(\\ )?\\\.\\\.\\\.(\\ )?", ".*?", re.escape(words(expected)))
    return re.sub(r"[0-9][0-9.e+\\]*x(?=\\? |$)", r"[0-9.e+]+x", found)


def claims(readme):
    """(command, what its output holds), in order."""
    blocks = [match[0] for match in BLOCK.finditer(PROGRAM.sub("", readme))]
    return [(block.strip(), said) for block, said in zip(blocks, blocks[1:]) if block.strip().startswith("build/bin/")]


def main():
    readme, examples, tools, folder = pathlib.Path(sys.argv[1]).read_text(), *map(pathlib.Path, sys.argv[2:])
    (folder / "attention.mlir").write_text(PROGRAM.search(readme)[1])
    if not (folder / "examples").exists():
        os.symlink(examples.resolve(), folder / "examples")
    checked = 0
    for command, said in claims(readme):
        line = shlex.split(command)
        line[0] = str(tools / pathlib.Path(line[0]).name)
        run = subprocess.run(line, cwd=folder, text=True, capture_output=True)
        output = words(run.stderr + run.stdout)
        if run.returncode or not re.search(pattern(said), output):
            sys.exit(f"{command}\n\nsays\n\n{output[:20000]}\n\nbut the README has\n\n{words(said)}")
        checked += 1
    print(f"{checked} outputs are as the README says")


main()
