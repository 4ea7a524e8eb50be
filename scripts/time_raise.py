#!/usr/bin/env python3
# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Times attn-raise on deep models: BERT with 6 to 48 layers, as torch-mlir exports it. Prints for each the number of ops,
of attentions raised, and the seconds that attn-raise takes alone, the least of several runs (--mlir-timing).

Needs torch, torch-mlir and transformers (./pa setup --with-frontends). Weights are random and left out of the program."""

import argparse
import os
import re
import subprocess
import tempfile
import warnings

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def export(layers, hidden, attention, path):
    import torch
    from torch_mlir import fx
    from transformers import BertConfig, BertModel

    config = BertConfig(num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=hidden // 32, intermediate_size=4 * hidden,
                        vocab_size=1000, attn_implementation=attention)
    model = BertModel(config, add_pooling_layer=False).eval()
    # torch-mlir finds no state for buffers that are not saved.
    for module in model.modules():
        module._non_persistent_buffers_set = set()

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    sample = torch.ones(1, 128, dtype=torch.int64)
    with torch.no_grad():
        program = torch.export.export(Encoder(), (sample, sample))
    module = fx.export_and_import(program, output_type="linalg-on-tensors", func_name="main")
    with open(path, "w") as file:
        file.write(module.operation.get_asm(large_elements_limit=64, large_resource_limit=64))


def opt(build, path, *flags):
    command = [os.path.join(build, "bin", "polyattn-opt"), path, "--pass-pipeline=builtin.module(attn-raise)", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[:2000]}")
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, nargs="+", default=[6, 12, 24, 48])
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--attention", choices=["eager", "sdpa"], default="sdpa", help="as transformers has it")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build"))
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as folder:
        paths = {layers: os.path.join(folder, f"{layers}.mlir") for layers in options.layers}
        for layers, path in paths.items():
            export(layers, options.hidden, options.attention, path)
        seconds = {layers: [] for layers in paths}
        for _ in range(options.runs):  # in turn, so that other load on the machine meets all alike
            for layers, path in paths.items():
                said = opt(options.build_dir, path, "--mlir-timing", "--mlir-timing-display=list", "-o", os.devnull).stderr
                seconds[layers].append(float(re.search(r"([0-9.]+) \([^)]*\)\s+AttnRaise", said)[1]))
        for layers, path in paths.items():
            ops = len(re.findall(r"^\s+(%|func\.|linalg\.|return)", open(path).read(), re.M))
            raised = opt(options.build_dir, path).stdout.count("attn.attention ")
            least = min(seconds[layers])
            print(f"{layers} layers: {ops} ops, {raised} raised, {least:.4f} s, {1e6 * least / ops:.1f} us an op", flush=True)


if __name__ == "__main__":
    main()
