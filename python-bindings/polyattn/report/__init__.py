# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What is decided about every attention of a module, and why: as data, or as one HTML page.

    polyattn-report model.mlir              # writes model.report.html
    python -m polyattn.report model.mlir    # the same

Nothing is compiled or run: decisions are those of attn-compile, times are the cost model's.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from typing import Any, Dict, List, Optional, Union

from .. import CompileError, Module, parse_file

__all__ = ["gather", "main", "render"]


def gather(module: Module, *, profile: Optional[Union[str, "os.PathLike[str]"]] = None, before: str = "",
           rtol: float = 1e-2, target: str = "auto") -> Dict[str, Any]:
    """The facts of the report; include/polyattn/Driver/Report.h lists them.

    `before` is a pipeline to run first. `profile` is a file for attn-apply-profile, which runs after it. The module
    stays as it is. Raises CompileError.
    """
    passes = [before] if before else []
    if profile is not None:
        passes.append(profile_pass(os.fspath(profile)))
    return json.loads(module._report(",".join(passes), rtol, target))


def profile_pass(path: str) -> str:
    """The pass that reads a profile, as text of a pipeline."""
    if '"' in path:
        raise ValueError(f"no pass option can hold the file name {path!r}: it has a quotation mark")
    return f'attn-apply-profile{{file="{path}"}}'


def render(facts: Dict[str, Any], title: str) -> str:
    """The page, complete in itself. Needs matplotlib."""
    from . import page
    return page.render(facts, title)


def main(arguments: Optional[List[str]] = None) -> int:
    """The command polyattn-report; returns its exit code."""
    options = parse_arguments(arguments)
    try:
        facts = gather(parse_file(options.module), profile=options.profile, before=options.before, rtol=options.rtol,
                       target=options.target)
        text = json.dumps(facts, indent=1) + "\n" if options.json else render(facts, pathlib.Path(options.module).name)
        write(text, options)
    except (CompileError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except ImportError as error:
        if error.name is None or not error.name.startswith("matplotlib"):
            raise
        print("polyattn-report draws with matplotlib, which is not installed: pip install 'polyattn[report]', "
              "or --json for the facts alone", file=sys.stderr)
        return 1
    return 0


def parse_arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="polyattn-report", description="What is decided about every attention of a module, and why.")
    parser.add_argument("module", help="an MLIR file; - is standard input")
    parser.add_argument("-o", "--output", metavar="FILE", help="- is standard output; default: MODULE.report.html here")
    parser.add_argument("--json", action="store_true", help="write the facts as JSON, not the page")
    parser.add_argument("--profile", metavar="FILE", help="score bounds measured on sample inputs (attn-apply-profile)")
    parser.add_argument("--before", metavar="PIPELINE", default="", help="passes to run first")
    parser.add_argument("--rtol", type=float, default=1e-2, help="largest error relative to max|value| (default: 0.01)")
    parser.add_argument("--target", default="auto", help="processor that times are predicted for, as for attn-compile")
    return parser.parse_args(arguments)


def write(text: str, options: argparse.Namespace) -> None:
    if options.output == "-":
        sys.stdout.write(text)
        return
    stem = "stdin" if options.module == "-" else pathlib.Path(options.module).stem
    path = pathlib.Path(options.output or f"{stem}.report.{'json' if options.json else 'html'}")
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}")
