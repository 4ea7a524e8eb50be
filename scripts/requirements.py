# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Succeeds if the packages named as NAME>=VERSION are all installed. Quicker than asking pip."""

import importlib.metadata
import re
import sys


def is_installed(requirement):
    name, least = requirement.split(">=")
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return numbers(version) >= numbers(least)


def numbers(version):
    return [int(n) for n in re.findall(r"\d+", version)[:2]]


sys.exit(not all(map(is_installed, sys.argv[1:])))
