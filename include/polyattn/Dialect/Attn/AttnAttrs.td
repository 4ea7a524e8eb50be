// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Masks, kernels, bounds, certificates and evaluation orders.

#ifndef POLYATTN_DIALECT_ATTN_ATTNATTRS_TD
#define POLYATTN_DIALECT_ATTN_ATTNATTRS_TD

include "polyattn/Dialect/Attn/AttnBase.td"
include "polyattn/Dialect/Attn/AttnInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

/// A double that attributes can hash and print in full.
def Attn_Real : AttrOrTypeParameter<"::polyattn::attn::Real", "a finite number", "double">;

class Attn_Attr<string name, string attrMnemonic, list<Trait> traits = []> : AttrDef<Attn_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

def Attn_Align : I32EnumAttr<"Align", "where the query rows stand among the keys", [
    I32EnumAttrCase<"Start", 0, "start">, I32EnumAttrCase<"End", 1, "end">]> {
  let cppNamespace = "::polyattn::attn";
  let description = [{
    `start`: query row i stands at key position i. `end`: the n query rows are the last n of the m positions, so row i
    stands at m - n + i, as when new tokens are decoded against a cache.
  }];
}

class Attn_Mask<string name, string mnemonic> : Attn_Attr<name # "Mask", mnemonic, [
    DeclareAttrInterfaceMethods<Attn_MaskInterface, ["admitsAll", "startsAtZero", "getSteps"]>]>;

def Attn_FullMask : Attn_Mask<"Full", "full"> {
  let summary = "every query sees every key";
  let description = "Example: `#attn.full`.";
}

def Attn_CausalMask : Attn_Mask<"Causal", "causal"> {
  let summary = "a query at position p sees keys 0 to p";
  let description = "Example: `#attn.causal`, `#attn.causal<align = end>`.";
  let parameters = (ins DefaultValuedParameter<"Align", "Align::Start">:$align);
  let assemblyFormat = "(`<` struct($align)^ `>`)?";
}

def Attn_SlidingWindowMask : Attn_Mask<"SlidingWindow", "sliding_window"> {
  let summary = "a query at position p sees keys p - left to p + right";
  let description = [{
    `left` and `right` count keys beside the query's own position, both at least 0. Example:
    `#attn.sliding_window<left = 127, right = 0>` is causal attention over the last 128 keys.
  }];
  let parameters = (ins "int64_t":$left, "int64_t":$right, DefaultValuedParameter<"Align", "Align::Start">:$align);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_PrefixMask : Attn_Mask<"Prefix", "prefix"> {
  let summary = "a query at position p sees keys 0 to max(p, length - 1)";
  let description = [{
    Causal attention after a prefix that every query sees whole. Example: `#attn.prefix<length = 16>`.
  }];
  let parameters = (ins "int64_t":$length, DefaultValuedParameter<"Align", "Align::Start">:$align);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_BlockCausalMask : Attn_Mask<"BlockCausal", "block_causal"> {
  let summary = "a query sees all keys of its own scale and of earlier ones";
  let description = [{
    Next-scale attention, as in visual autoregressive models: positions come in scales of so many tokens, and each token
    sees every token of its own scale and of those before it. A scale is a number of tokens or a grid, `2x3` being 6 of
    them. Positions beyond all that are listed belong to the last scale; those before the first key (`align = end` with
    more queries than keys) to none.

    Examples: `#attn.block_causal<scales = [1x1, 2x2, 3x3]>` is `#attn.block_causal<scales = [1, 4, 9]>`; with
    `align = end` nine queries are the last scale, whose keys are the end of a cache.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t", "tokens of each scale">:$scales,
                        DefaultValuedParameter<"Align", "Align::Start">:$align);
  let assemblyFormat = "`<` struct(custom<Scales>($scales), $align) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

class Attn_Kernel<string name, string mnemonic> : Attn_Attr<name # "Kernel", mnemonic, [
    DeclareAttrInterfaceMethods<Attn_KernelInterface>]>;

def Attn_ExpKernel : Attn_Kernel<"Exp", "exp"> {
  let summary = "softmax attention: weight e^s";
  let description = "Example: `#attn.exp`.";
}

def Attn_PolyKernel : Attn_Kernel<"Poly", "poly"> {
  let summary = "attention by a polynomial: weight c_0 + c_1 s + ... + c_g s^g";
  let description = [{
    Coefficients are finite, in order of rising degree, at least two; the last is not 0. Weights may be negative where
    the polynomial is: keeping the denominator away from 0 is up to whoever wrote the polynomial (a certificate proves
    it). Example: `#attn.poly<[1.0, 1.0, 0.5]>`.
  }];
  let parameters = (ins "::mlir::DenseF64ArrayAttr":$coefficients);
  let assemblyFormat = "`<` custom<Coefficients>($coefficients) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Bounds and certificates
//===----------------------------------------------------------------------===//

def Attn_BoundSource : I32EnumAttr<"BoundSource", "where a score bound comes from", [
    I32EnumAttrCase<"Proved", 0, "proved">, I32EnumAttrCase<"Declared", 1, "declared">,
    I32EnumAttrCase<"Profiled", 2, "profiled">]> {
  let cppNamespace = "::polyattn::attn";
  let description = [{
    `proved`: it follows from the program. `declared`: somebody says so. `profiled`: seen on sample inputs. Only a
    proved bound may be relied on without a check at run time.
  }];
}

def Attn_MomentsAttr : Attn_Attr<"Moments", "moments"> {
  let summary = "what is known of scores once their mean over the keys is taken off";
  let description = [{
    With c the (key-weighted) mean of a head's keys: `centred_bound` bounds |scale| * |q_i|_2 * |k_j - c|_2 over all
    queries and keys; `second_moment` bounds, for every query row i, the key-weighted mean over the keys j that it sees
    of (scale * q_i . (k_j - c))^2. Under a mask whose rows start at key 0, rows that see fewer than 512 keys do not
    count. Much smaller than the square of the bound where keys point in many directions, and what a moment certificate
    (docs/certificates.md) lives on. Never proof: a run-time check measures both.
    Example: `#attn.moments<centred_bound = 0.9, second_moment = 0.0127>`.
  }];
  let parameters = (ins Attn_Real:$centred_bound, Attn_Real:$second_moment);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_BoundAttr : Attn_Attr<"Bound", "bound"> {
  let summary = "a bound of |scale| * |q_i|_2 * |k_j|_2 over all queries and keys";
  let description = [{
    The product of norms, hence by Cauchy-Schwarz also of every score |s_ij| before any bias. (Of p key sets the
    product of all l_{p+1} norms, by Hoelder's inequality.) Norms, not scores, are
    bounded because they can be checked in time linear in the sequence length and because rounding errors of the
    low-rank evaluation depend on them. `moments` adds what is known of centred scores. Examples:
    `#attn.bound<0.6, declared>`,
    `#attn.bound<1.1, profiled, moments = <centred_bound = 0.9, second_moment = 0.0127>>`.
  }];
  let parameters = (ins Attn_Real:$value, "BoundSource":$source, OptionalParameter<"MomentsAttr">:$moments);
  let builders = [AttrBuilder<(ins "double":$value, "BoundSource":$source), [{
    return $_get($_ctxt, Real(value), source, MomentsAttr());
  }]>];
  let assemblyFormat = "`<` $value `,` $source (`,` `moments` `=` $moments^)? `>`";
  let genVerifyDecl = 1;
}

def Attn_MomentClaimAttr : Attn_Attr<"MomentClaim", "moment_claim"> {
  let summary = "what a moment certificate assumes of each row, and the quadratic term of its error";
  let description = [{
    For every query row: the key-weighted mean over the keys that it sees of s_ij^2 is at most `second_moment`, and that
    of s_ij at least -`mean`. And |P(x) - e^x| <= kernel_error + `quadratic` x^2, P(x) >= 0 for |x| <= score_bound.
    Example: `#attn.moment_claim<second_moment = 0.0132, mean = 0.001, quadratic = 0.6>`.
  }];
  let parameters = (ins Attn_Real:$second_moment, Attn_Real:$mean, Attn_Real:$quadratic);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_CertificateAttr : Attn_Attr<"Certificate", "certificate"> {
  let summary = "a proved bound of the error of a polynomial kernel that stands for exp";
  let description = [{
    States: if |scale| * |q_i|_2 * |k_j|_2 <= `score_bound` for all i, j, if there are at most `max_keys` keys, and if
    neither |q_i|_2 nor |k_j|_2 exceeds the limit that docs/certificates.md derives against overflow, then every output
    entry differs from exact softmax attention by at most `output_error` * max|value|. It is the sum of
    `weight_change`, caused by the kernel's relative error of at most `kernel_error` on [-score_bound, score_bound],
    and `rounding_error`, that of the generated code. `attn-verify-certificates` proves all of them again.

    With `moments` the statement is another one: `kernel_error` is the constant a of |P(x) - e^x| <= a + b x^2, and
    `weight_change` follows from what `moments` assumes of each row's scores.

    `assumption` says how the assumption is kept: `proved`, or `guarded` when a run-time check selects this op, or `trusted`
    when the user asked for no guard.
  }];
  let parameters = (ins Attn_Real:$score_bound, Attn_Real:$kernel_error, Attn_Real:$weight_change,
                        Attn_Real:$rounding_error, Attn_Real:$output_error, "int64_t":$max_keys,
                        "Assumption":$assumption, OptionalParameter<"MomentClaimAttr">:$moments);
  let assemblyFormat = [{
    `<` `score_bound` `=` $score_bound `,` `kernel_error` `=` $kernel_error `,`
    `weight_change` `=` $weight_change `,` `rounding_error` `=` $rounding_error `,`
    `output_error` `=` $output_error `,` `max_keys` `=` $max_keys `,` `assumption` `=` $assumption
    (`,` `moments` `=` $moments^)? `>`
  }];
  let genVerifyDecl = 1;
}

def Attn_Assumption : I32EnumAttr<"Assumption", "how a certificate's assumption is kept", [
    I32EnumAttrCase<"Proved", 0, "proved">, I32EnumAttrCase<"Guarded", 1, "guarded">,
    I32EnumAttrCase<"Trusted", 2, "trusted">]> {
  let cppNamespace = "::polyattn::attn";
  let description = [{
    `proved`: by analysis of the program; `guarded`: a run-time check selects the op; `trusted`: the user asked for no
    check.
  }];
}

//===----------------------------------------------------------------------===//
// Evaluation order
//===----------------------------------------------------------------------===//

def Attn_Evaluation : I32EnumAttr<"Evaluation", "the order in which an op is evaluated", [
    I32EnumAttrCase<"Direct", 0, "direct">, I32EnumAttrCase<"State", 1, "state">]> {
  let cppNamespace = "::polyattn::attn";
  let genSpecializedAttr = 0;
  let description = [{
    `direct` forms scores tile by tile; `state` sums monomial features of the keys first and needs a polynomial kernel.
  }];
}
def Attn_EvaluationAttr : EnumAttr<Attn_Dialect, Attn_Evaluation, "evaluation">;

#endif
