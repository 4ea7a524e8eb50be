# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
import sys

from . import main

sys.exit(main())
