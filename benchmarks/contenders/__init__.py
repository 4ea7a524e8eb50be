# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Who takes part: each module here has a class Contender and runs in a process of its own (worker.py).

A new peer is a file and a name in one of these lists.
"""

OURS = "polyattn"
#: Exact attention.
PEERS = ("torch_sdpa", "torch_compile", "openvino", "onnxruntime", "jax", "iree")
#: The same low-rank attention, done by hand.
LOW_RANK_PEERS = ("torch_low_rank",)
#: Next-scale attention (--next-scale): the fused op with the mask, and the same without it, scale by scale.
NEXT_SCALE_PEERS = ("torch_block_mask", "torch_by_scale")
