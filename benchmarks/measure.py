# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What the demo measures with: PyTorch in the demo's own process. In ./pa bench each contender has its own."""

import os

# Our threads sleep as soon as they have nothing to do, so that they do not take
# the cores from whoever is measured next.
os.environ.setdefault("KMP_BLOCKTIME", "0")

from inputs import bounded_inputs, isotropic_inputs  # noqa: E402, F401
from timing import CORES as THREADS  # noqa: E402
from timing import interleaved, median_ratio  # noqa: E402, F401

try:
    import torch
except ImportError:
    torch = None


def torch_attention(q, k, v, scale, causal=False):
    """PyTorch's attention on these arrays, as a function without arguments; None without PyTorch."""
    if torch is None:
        return None
    torch.set_num_threads(THREADS)
    q, k, v = (torch.from_numpy(x)[None].contiguous() for x in (q, k, v))

    def run():
        with torch.inference_mode():
            return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale)

    return run
