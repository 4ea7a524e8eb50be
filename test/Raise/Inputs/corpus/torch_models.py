# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Models of the transformers library with a layer or two of few dimensions. Weights are arguments, so that files stay
small."""

import warnings

import torch
import transformers
import transformers as t

from spec import T, accept, reject

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()

DTYPES = {torch.float32: "f32", torch.bool: "i1", torch.int64: "i64", torch.bfloat16: "bf16", torch.float16: "f16"}


def ids(rows=6, batch=1):
    return T(batch, rows, dtype="i64", kind="ids<16>")


def model(register, comment, name, make, inputs, call=None, pick=None, **expected):
    """Registers a model; `call(module, *inputs)` runs it, `pick` is the path of a submodule to take instead."""
    torch.manual_seed(0)
    module = make().eval()
    for part in pick.split(".") if pick else ():
        module = module[int(part)] if part.isdigit() else getattr(module, part)
    parameters = dict(module.named_parameters())

    class Called(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, *arguments):
            if call:
                return call(self.module, *arguments)
            out = self.module(*arguments)
            return out if isinstance(out, torch.Tensor) else out[0]

    called = Called()

    def function(*arguments):
        values = {f"module.{key}": value for key, value in zip(parameters, arguments[len(inputs):])}
        return torch.func.functional_call(called, values, arguments[:len(inputs)])

    weights = [T(*p.shape, dtype=DTYPES[p.dtype], kind="small") for p in parameters.values()]
    register(comment, inputs + weights, name=name, framework="torch", **expected)(function)


SMALL = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=16,
             max_position_embeddings=16)
DECODER = dict(SMALL, num_key_value_heads=1, head_dim=4, attn_implementation="eager")


def last_hidden(module, x, mask=None):
    """Without a mask of its own the library compares cumulative sums of positions, which linalg has no op for."""
    mask = torch.ones(x.shape, dtype=torch.int64) if mask is None else mask
    return module(x, attention_mask=mask, use_cache=False, return_dict=False)[0]


def with_mask(module, x, mask):
    return module(x, attention_mask=mask, return_dict=False)[0]


def bert(kind):
    return lambda: t.BertModel(t.BertConfig(**SMALL, attn_implementation=kind, type_vocab_size=2), add_pooling_layer=False)


PADDING = T(2, 6, dtype="i64", kind="keep")

model(accept, "BERT, eager, with a padding mask.", "model_bert_eager", bert("eager"), [ids(batch=2), PADDING], with_mask, scale=0.5)
model(accept, "BERT, SDPA, with a padding mask.", "model_bert_sdpa", bert("sdpa"), [ids(batch=2), PADDING], with_mask, scale=0.5)
model(accept, "RoBERTa, SDPA.", "model_roberta",
      lambda: t.RobertaModel(t.RobertaConfig(**SMALL | dict(max_position_embeddings=18), attn_implementation="sdpa"), add_pooling_layer=False),
      [ids()], lambda module, x: module(x, position_ids=torch.arange(2, 8)[None], return_dict=False)[0], scale=0.5)
model(accept, "DistilBERT, eager.", "model_distilbert",
      lambda: t.DistilBertModel(t.DistilBertConfig(dim=8, n_layers=1, n_heads=2, hidden_dim=8, vocab_size=16, max_position_embeddings=16, attn_implementation="eager")),
      [ids()], scale=0.5)
for kind in ("eager", "sdpa"):
    model(accept, f"GPT-2, {kind}.", f"model_gpt2_{kind}",
          lambda kind=kind: t.GPT2Model(t.GPT2Config(n_embd=8, n_layer=2, n_head=2, n_inner=8, vocab_size=16, n_positions=16, attn_implementation=kind)),
          [ids()], last_hidden, scale=0.5, mask="causal", count=2)
    model(accept, f"Llama with two query heads per key head, {kind}.", f"model_llama_{kind}",
          lambda kind=kind: t.LlamaModel(t.LlamaConfig(**DECODER | dict(attn_implementation=kind))), [ids()], last_hidden,
          scale=0.5, mask="causal")
model(accept, "Mistral with a sliding window.", "model_mistral",
      lambda: t.MistralModel(t.MistralConfig(**DECODER, sliding_window=3)), [ids(8)], last_hidden,
      scale=0.5, mask="sliding_window<left = 2, right = 0")
model(accept, "Qwen3: norms of queries and keys.", "model_qwen3", lambda: t.Qwen3Model(t.Qwen3Config(**DECODER)), [ids()], last_hidden,
      scale=0.5, mask="causal")
model(accept, "Gemma: one key head.", "model_gemma", lambda: t.GemmaModel(t.GemmaConfig(**DECODER)), [ids()], last_hidden,
      scale=0.5, mask="causal")
model(reject, "Gemma 2: soft-capped.", "model_gemma2",
      lambda: t.Gemma2Model(t.Gemma2Config(**DECODER, query_pre_attn_scalar=4, sliding_window=3)), [ids()], last_hidden)
model(reject, "GPT-OSS: sinks.", "model_gpt_oss",
      lambda: t.GptOssModel(t.GptOssConfig(**DECODER, num_local_experts=2, num_experts_per_tok=1, sliding_window=3, layer_types=["full_attention"])),
      [T(1, 6, 8), T(1, 6, 2), T(1, 6, 2)],
      lambda module, x, cos, sin: module(x, position_embeddings=(cos, sin), attention_mask=None)[0], pick="layers.0.self_attn")
model(accept, "T5's encoder: relative bias, no scale.", "model_t5",
      lambda: t.T5EncoderModel(t.T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=16, relative_attention_num_buckets=8)),
      [ids()], scale=1.0, bias=True)
model(accept, "ViT.", "model_vit",
      lambda: t.ViTModel(t.ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=8, patch_size=4, attn_implementation="sdpa"), add_pooling_layer=False),
      [T(1, 3, 8, 8)], scale=0.5)
model(accept, "Swin v2: cosine attention, relative bias, shifted windows.", "model_swinv2",
      lambda: t.Swinv2Model(t.Swinv2Config(embed_dim=8, depths=[2], num_heads=[2], image_size=16, patch_size=2, window_size=4), add_pooling_layer=False),
      [T(1, 64, 8)], lambda module, x: module(x, (8, 8))[0], pick="encoder.layers.0.blocks.1", bias=True)
model(accept, "CLIP's text encoder, causal.", "model_clip_text",
      lambda: t.CLIPTextModel(t.CLIPTextConfig(**SMALL | dict(num_hidden_layers=1), attn_implementation="sdpa", eos_token_id=15, pad_token_id=0, bos_token_id=1)),
      [ids()], scale=0.5, mask="causal")
WHISPER = dict(d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=8,
               decoder_ffn_dim=8, vocab_size=16, max_source_positions=8, max_target_positions=16, num_mel_bins=4, pad_token_id=0,
               bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, suppress_tokens=None, begin_suppress_tokens=None)
model(accept, "Whisper's decoder: causal on itself, then full on what was heard.", "model_whisper",
      lambda: t.WhisperModel(t.WhisperConfig(**WHISPER, attn_implementation="sdpa")), [ids(), T(1, 8, 8)],
      lambda module, x, heard: module(x, attention_mask=torch.ones(1, 6, dtype=torch.int64), encoder_hidden_states=heard, use_cache=False, return_dict=False)[0], pick="decoder",
      scale=0.5, count=1)
model(accept, "DeBERTa v2: products of content and positions, gathered, are added to the scores: a bias.", "model_deberta",
      lambda: t.DebertaV2Model(t.DebertaV2Config(**SMALL, relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=4, max_relative_positions=8)),
      [ids()], bias=True)
model(accept, "MPT with ALiBi.", "model_mpt",
      lambda: t.MptModel(t.MptConfig(d_model=8, n_heads=2, n_layers=1, expansion_ratio=1, max_seq_len=8, vocab_size=16)),
      [ids()], last_hidden, scale=0.5, bias=True)
model(accept, "OPT.", "model_opt",
      lambda: t.OPTModel(t.OPTConfig(**{k: v for k, v in SMALL.items() if k != "intermediate_size"}, ffn_dim=8, word_embed_proj_dim=8, attn_implementation="sdpa")),
      [ids()], lambda module, x: module(x, attention_mask=torch.ones(1, 6), position_ids=torch.arange(6)[None], use_cache=False, return_dict=False)[0],
      scale=0.5, mask="causal")
model(accept, "Llama with a padding mask.", "model_llama_padding",
      lambda: t.LlamaModel(t.LlamaConfig(**DECODER | dict(attn_implementation="sdpa"))), [ids(batch=2), T(2, 6, dtype="i64", kind="keep_first")],
      last_hidden, scale=0.5)
model(accept, "GPT-NeoX: part of the dimensions rotated.", "model_gpt_neox",
      lambda: t.GPTNeoXModel(t.GPTNeoXConfig(**SMALL, rotary_pct=0.5, attn_implementation="eager")), [ids()], last_hidden, scale=0.5, mask="causal")
model(accept, "BART's encoder.", "model_bart",
      lambda: t.BartModel(t.BartConfig(d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
                                       encoder_ffn_dim=8, decoder_ffn_dim=8, vocab_size=16, max_position_embeddings=16, attn_implementation="sdpa")),
      [ids()], pick="encoder", scale=0.5)
