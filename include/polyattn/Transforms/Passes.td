// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Passes from attn to attn.

#ifndef POLYATTN_TRANSFORMS_PASSES_TD
#define POLYATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def AttnRaise : Pass<"attn-raise"> {
  let summary = "find softmax attention, and adapters of linear layers, in linalg on tensors";
  let description = [{
    Replaces softmax attention that is spelled out in linalg, tensor, arith and math ops by `attn.attention`, in
    whatever order, layout and grouping of loops it is written (docs/raising.md). What one element of a tensor is gets
    read backwards from the output as an expression: views become indices, so that transposes, reshapes and broadcasts
    do not matter; then one matcher looks for `sum_j softmax(scores)_ij value_j`. Where keys and values are products over
    several dimensions, as in `sum_jk softmax(sum_d q_id k1_jd k2_kd) v1_j v2_k`, that is `attn.tensor_attention`.

    Recognised are the scale (on queries, keys, both, the scores, divided by, or folded into exp2), the division before
    or after the second product or by a reciprocal, log-sum-exp, shared keys (GQA) by repetition, broadcast or
    contraction, f16 and bf16 with f32 in between, and masks: what is an interval of keys for every row becomes a mask
    attribute, what hides keys for all rows alike becomes key weights, and everything else that is added stays a bias.
    A row without any key keeps its meaning: see `nan_rows` of attn.attention and `assume-rows-attend`.

    The result is the same up to rounding, and where the program overflows because it does not take off a row's maximum.
    The op divides after the second product and scales scores in f32, whatever the program does; `reassociate=false`
    leaves alone programs that do otherwise.

    Linear layers with low-rank adapters are found, too: `x W + scale (x A) B` in any layout of the matrices, with or
    without a bias, becomes `attn.lora_linear`, `x (W + scale A B)` an `attn.lora_merge` and a layer (docs/lora.md).

    What comes near, weights that are exp of scores and multiply values, gets a missed remark with what stopped it and
    where. Run upstream's `tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor`, `inline`, `canonicalize` and `cse` first where
    there is need; the pipeline `attn-import` does.

    ```mlir
    %s = linalg.batch_matmul ins(%q, %kt : ...) ...
    %m = linalg.generic ... maximumf ...
    ...
    %o = linalg.batch_matmul ins(%p, %v : ...) ...
    // becomes
    %o = attn.attention %q, %k, %v scale 0.125 : ...
    ```
  }];
  let options = [
    Option<"reassociate", "reassociate", "bool", "true",
           "Also raise attention that divides before the second product, or scales queries or keys">,
    Option<"assumeRowsAttend", "assume-rows-attend", "bool", "false",
           "Take it that every row sees a key under masks and biases that are computed at run time; more masks are then attributes and key weights, and maxima may be of other scores">
  ];
  let dependentDialects = [
    "::polyattn::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def AttnOptimizeLora : Pass<"attn-optimize-lora"> {
  let summary = "merge adapters into weights, or keep them apart, whichever costs less";
  let description = [{
    Decides for every `attn.lora_linear` without `adapters` whether its weight and adapter become one matrix
    (`attn.lora_merge`) or stay two, and says so in a remark with the predicted costs (docs/lora.md). A merge costs
    in * out * r multiply-adds and moves a weight twice; keeping apart costs n * r * (in + out) in every use.

    - Weight and adapter constants: they are merged now, once and for all, unless that takes too long
      (`fold-limit` multiply-adds), or rounds (f16, bf16).
    - Uses of one weight and adapter count together, a use in a loop that changes neither counts for each iteration
      (unknown numbers count once): where a merge pays, it is put before the loop.
    - An `attn.lora_merge` that only products of few rows use comes apart again: A B is never formed where that costs more.
    - An `attn.lora_merge` that does not depend on a loop moves out of it.

    Rounding changes as it does wherever sums are formed in another order. f16 and bf16 weights, whose rounding would
    cost a small adapter its accuracy, are never merged unless `merge-narrow` says so.

    ```mlir
    %y = attn.lora_linear %x, %w, %a, %b scale 2.0 : ...         // constants %w, %a, %b
    // becomes
    %y = attn.lora_linear %x, %merged, %a, %b scale 0.0 : ...    // a constant %merged, and an adapter that adds nothing
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"auto\"",
           "Target description for predicted costs: auto, host, amx, avx512, avx2, neon or generic">,
    Option<"foldLimit", "fold-limit", "double", "4e9",
           "Multiply-adds that merging a constant in the compiler may take">,
    Option<"mergeNarrow", "merge-narrow", "bool", "false",
           "Also merge f16 and bf16 weights, which rounds the adapter to their precision">
  ];
  let dependentDialects = [
    "::polyattn::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def AttnInferBounds : Pass<"attn-infer-bounds"> {
  let summary = "prove bounds of scores from the program";
  let description = [{
    Follows intervals of elements and norms of vectors forwards through the program (docs/bounds.md): from
    normalisations, clamps, bounded functions and constants, through layout changes, products with constant matrices
    and rotations, to the queries and keys of each `attn.attention` and `attn.tensor_attention`. Where all norms are bounded, the op gets a `bound`
    with source `proved`, and `head_bounds` where heads differ. A bound that the op has already stays if it is smaller,
    whatever its source; a larger one gives way, head by head. A bound with moments is lowered instead, and keeps its
    source and moments.

    Every attention op gets a remark: `passed` with both norms and where they come from, hop by hop, or `missed` with
    the first value that nothing is known of. `report-contractions` adds `analysis` remarks about sums of products of
    two tensors that are no constants, as attention is before it has been raised.

    ```mlir
    %o = attn.attention %q, %k, %v scale 0.125 : ...
    // becomes, if %q and %k are products of l2-normalised rows
    %o = attn.attention %q, %k, %v scale 0.125 bound <0.12500011, proved> : ...
    ```
  }];
  let options = [
    Option<"reportContractions", "report-contractions", "bool", "false",
           "Say in analysis remarks what is known of every contraction of two activations">,
    Option<"reportResults", "report-results", "bool", "false",
           "Say in analysis remarks what is known of everything that functions return">,
    Option<"assumeInputs", "assume-inputs", "double", "0.0",
           "If not 0, also find bounds that need every element of the functions' float arguments to be at most this in absolute value; they are stated as declared, so that attn-approximate checks them at run time">
  ];
  let dependentDialects = ["::polyattn::attn::AttnDialect"];
}

def AttnApproximate : Pass<"attn-approximate"> {
  let summary = "replace exp by a certified polynomial where the score bound is small enough and it pays";
  let description = [{
    For every op of the approximation interface that has kernel `#attn.exp` and a `bound`, finds the polynomial of
    lowest degree whose *certified* output error is at most `rtol` times the largest absolute value. If the cost model
    (docs/cost-model.md) expects its evaluation through a state to be faster than direct evaluation of the exact op, the
    kernel becomes that polynomial, with its certificate.

    What must hold at run time selects between the approximated op and the exact one in an `scf.if`: a bound that is
    only declared or profiled (`attn.check_bound`, see `guard`); at most `max-keys` keys where their number is dynamic;
    and, with a dynamic length, the length from which on the state is cheaper. The exact op loses its `bound`, so that
    running the pass again changes nothing. A `proved` bound is relied on without a check: whoever proves the product
    of norms also answers for each norm keeping within the limit that the remark states.

    Where a check is made anyway, it may measure more than the bound: the second moments of scores once the keys' mean
    is taken off. If they are as small as the bound's `moments` say, or, where it has none, as those of keys that point
    in all directions alike, a lower degree is often certified (docs/certificates.md). Then the kernel is replaced on
    centred keys; under a mask the first 512 rows stay exact; and where the check fails, the bound alone is checked if
    a higher degree that it certifies pays, before the exact version is taken.

    Every op gets a remark: `passed` with degree, rank, certified error and predicted speed-up, or `missed` with the
    reason and its numbers.

    ```mlir
    %o = attn.attention %q, %k, %v scale 0.125 bound #attn.bound<0.5, proved> : ...
    // becomes
    %o = attn.attention %q, %k, %v scale 0.125 kernel #attn.poly<[...]> bound #attn.bound<0.5, proved>
           certificate #attn.certificate<...> : ...
    ```
  }];
  let options = [
    Option<"rtol", "rtol", "double", "1e-2",
           "Largest output error, relative to max|value| of the head (as result_accuracy's rtol, but relative to the values, not to the result)">,
    Option<"atol", "atol", "double", "0.0",
           "Largest absolute output error that is acceptable as well; needs max-value">,
    Option<"maxValue", "max-value", "double", "0.0",
           "A bound of max|value|, which turns atol into a relative tolerance: the pass uses max(rtol, atol / max-value)">,
    Option<"maxKeys", "max-keys", "int64_t", "262144",
           "Number of keys that certificates cover where the length is dynamic; longer inputs take the exact version. Rounding errors grow with it, and with them the degree">,
    Option<"guard", "guard", "std::string", "\"auto\"",
           "Run-time check of the bound: auto (unless the bound is proved), always, or never (then the certificate says trusted unless the bound is proved; a dynamic number of keys is checked all the same)">,
    Option<"moments", "moments", "bool", "true",
           "Let the run-time check measure second moments of centred scores, where a lower degree is certified for them">,
    Option<"force", "force", "bool", "false",
           "Approximate also where the cost model expects no gain">,
    Option<"target", "target", "std::string", "\"auto\"",
           "Target description that costs are predicted for: auto (that of the module, or this machine), host, amx, avx512, avx2, neon or generic">
  ];
  let dependentDialects = [
    "::polyattn::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def AttnVerifyCertificates : Pass<"attn-verify-certificates"> {
  let summary = "prove every certificate again";
  let description = [{
    Recomputes each certificate's numbers with the independent checker (interval arithmetic, nothing of the fitter) and
    reports an error on an op whose certificate claims less than what is proved, or assumes a bound that the op's
    surroundings do not establish. Changes nothing.
  }];
  let options = [
    Option<"maxKeys", "max-keys", "int64_t", "0",
           "If not 0, also require that every certificate covers this many keys">
  ];
}

def AttnPrintCertificates : Pass<"attn-print-certificates"> {
  let summary = "say in words what every certificate promises and assumes";
  let description = [{
    Prints to standard error, for every op that has a certificate, where it is, what the certificate promises, what it
    assumes of the inputs, and how that is kept: by a proof, by the run-time check around the op, or by nobody. Errors
    are printed rounded up and limits rounded down, so that every sentence holds as printed. Says so if there is no
    certificate. Nothing is checked (`attn-verify-certificates` does that) and nothing changes.

    ```
    model.mlir:2:8: certified attention in @main: 8 heads, 16384 queries, 16384 keys, d = 64, f32
      promises: every entry is within 0.00908 * max|value| of exact softmax attention ...
      assumes: |scale| * |q| * |k| at most 0.6001, ...
      kept by: a run-time check; inputs that fail it take the exact version
    ```
  }];
}

def AttnSchedule : Pass<"attn-schedule"> {
  let summary = "choose direct or state evaluation for every attention";
  let description = [{
    Asks the cost model (docs/cost-model.md) for the cheaper evaluation order of each op and notes it as `evaluate`.
    Kernels that are no polynomial are `direct`. An op that already has `evaluate` keeps it. With a dynamic length, an
    op that has a certificate is `state`, because `attn-approximate` has selected it by length; an op whose polynomial
    comes with the model gets both versions in an `scf.if` on the length from which on the state is cheaper. Every op
    gets an `analysis` remark with both predicted costs.
  }];
  let dependentDialects = [
    "::polyattn::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let options = [
    Option<"target", "target", "std::string", "\"auto\"",
           "Target description: auto (that of the module, or this machine), host, amx, avx512, avx2, neon or generic">
  ];
}

def AttnInstrument : Pass<"attn-instrument", "::mlir::ModuleOp"> {
  let summary = "record what the inputs of attention look like, for a profile";
  let description = [{
    Puts an `attn.record` before every op of the approximation interface whose kernel is not a polynomial, with a key
    that names the op: function, number of the op in it, shapes, element type, mask and scale (docs/profiles.md). No
    location is part of it, so it still fits after the source has moved. Run it at the same point of a pipeline as
    `attn-apply-profile`, before `attn-approximate`. Running it twice changes nothing.

    `polyattn-run --profile-out=FILE` and `polyattn.profile` in Python run this pass.
  }];
  let dependentDialects = ["::polyattn::attn::AttnDialect"];
}

def AttnApplyProfile : Pass<"attn-apply-profile", "::mlir::ModuleOp"> {
  let summary = "annotate score bounds from a profile";
  let description = [{
    Sets `bound`, and `head_bounds` where the number of heads is static, of every op that `attn-instrument` would have
    instrumented to what the profile `file` has for it, with source `profiled` and with moments. Norm products and
    centred norm products are multiplied by `margin`, second moments by its square: other inputs may have scores that are
    larger by this factor. A profile proves nothing: `attn-approximate` puts a run-time check before whatever relies on
    it, and a margin decides only how often that check holds.

    A `proved` bound that is no larger stays (see `replace-proved`). Ops and entries of the file must fit one to one (see
    `allow-missing` and `allow-unused`): an op without entry and an entry without op are errors that name both and what
    comes nearest.
  }];
  let options = [
    Option<"file", "file", "std::string", "\"\"", "The profile, as polyattn-run --profile-out writes it">,
    Option<"margin", "margin", "double", "1.1", "Factor, at least 1, between scores in the profile and those to expect">,
    Option<"allowMissing", "allow-missing", "bool", "false",
           "Leave ops that the profile has no entry for as they are, with a missed remark">,
    Option<"allowUnused", "allow-unused", "bool", "false",
           "Ignore entries of the profile that fit no op, such as those of functions that this module lacks">,
    Option<"replaceProved", "replace-proved", "bool", "false",
           "Replace proved bounds too, because only profiled ones have moments">
  ];
  let dependentDialects = ["::polyattn::attn::AttnDialect"];
}

#endif
