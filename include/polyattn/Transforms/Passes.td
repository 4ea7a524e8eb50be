// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Passes from attn to attn.

#ifndef POLYATTN_TRANSFORMS_PASSES_TD
#define POLYATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def AttnInferBounds : Pass<"attn-infer-bounds"> {
  let summary = "prove bounds of scores from the program";
  let description = [{
    Follows intervals of elements and norms of vectors forwards through the program (docs/bounds.md): from
    normalisations, clamps, bounded functions and constants, through layout changes, products with constant matrices
    and rotations, to the queries and keys of each `attn.attention`. Where both norms are bounded, the op gets a `bound`
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

#endif
