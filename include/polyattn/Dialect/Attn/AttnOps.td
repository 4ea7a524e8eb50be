// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The operations.

#ifndef POLYATTN_DIALECT_ATTN_ATTNOPS_TD
#define POLYATTN_DIALECT_ATTN_ATTNOPS_TD

include "polyattn/Dialect/Attn/AttnAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Attn_Op<string mnemonic, list<Trait> traits = []> : Op<Attn_Dialect, mnemonic, traits>;

def Attn_Tensor : RankedTensorOf<[F16, BF16, F32, F64]>;

/// An attribute of the interface that can have a default.
class Attn_WithDefault<AttrInterface interface, string what> : Attr<interface.predicate, what> {
  let storageType = interface.storageType;
  let returnType = interface.storageType;
  let convertFromStorage = "$_self";
  let constBuilderCall = "$0";
}
def Attn_AnyKernel : Attn_WithDefault<Attn_KernelInterface, "a kernel such as #attn.exp">;
def Attn_AnyMask : Attn_WithDefault<Attn_MaskInterface, "a mask such as #attn.causal">;

def Attn_AttentionOp : Attn_Op<"attention", [
    Pure, AttrSizedOperandSegments, InferTypeOpAdaptor,
    DeclareOpInterfaceMethods<Attn_ApproximableOpInterface>]> {
  let summary = "attention over one sequence of keys and values";
  let description = [{
    `o_i = sum_j k(s_ij) w_j v_j / sum_j k(s_ij) w_j` with `s_ij = scale * q_i . k_j + bias_ij`, over the keys j that
    `mask` admits. A row that admits no key (or only keys of weight 0, or of score -inf) gives 0; with `nan_rows` NaN,
    as a softmax of nothing does in programs that do not look out for it.

    Shapes, with leading batch dimensions B... that must agree, the last of which counts heads:

    | operand       | shape            | remarks                                                              |
    |---------------|------------------|----------------------------------------------------------------------|
    | `query`       | `[B..., Hq, n, d]` |                                                                    |
    | `key`         | `[B..., Hk, m, d]` | Hq is a multiple of Hk: head h of query uses head h / (Hq / Hk)    |
    | `value`       | `[B..., Hk, m, e]` | e may differ from d                                                |
    | `bias`        | `[B..., Hq, n, m]` | optional; any dimension may be 1 and is then repeated              |
    | `key_weights` | `[B..., Hk, m]`    | optional, nonnegative; batch dimensions may be 1; 0 is padding     |
    | result        | `[B..., Hq, n, e]` |                                                                    |

    `[n, d]` without batch dimensions is one head. `query`, `key`, `value`, `bias` and the result share one element
    type; `key_weights` may be `f32` beside narrower types. Sums are accumulated in f32 (f64 for f64 inputs); where
    bf16 inputs meet a matrix unit, the weights of an op without a certificate may be rounded to bf16. `scale` is
    dimensionless; 1/sqrt(d) is usual. Lengths and batch dimensions may be dynamic. Entries of `value` must be finite
    also at keys that take no part: vector code multiplies them by a weight of 0, and 0 times infinity is NaN.

    `kernel` defaults to `#attn.exp` and `mask` to `#attn.full`. `bound` states a score bound; where heads differ,
    `head_bounds` has one for each of the Hq query heads, none above `bound`. `certificate` is put beside a polynomial
    kernel by `attn-approximate`, `evaluate` is chosen by `attn-schedule`.

    Example:

    ```mlir
    func.func @gqa(%q: tensor<2x8x?x64xf32>, %k: tensor<2x2x?x64xf32>, %v: tensor<2x2x?x64xf32>)
        -> tensor<2x8x?x64xf32> {
      %o = attn.attention %q, %k, %v scale 0.125 mask causal bound <0.5, declared>
         : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x64xf32>
      return %o : tensor<2x8x?x64xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_Tensor:$query, Attn_Tensor:$key, Attn_Tensor:$value,
    Optional<Attn_Tensor>:$bias, Optional<Attn_Tensor>:$key_weights,
    F64Attr:$scale,
    DefaultValuedAttr<Attn_AnyKernel, "::polyattn::attn::ExpKernelAttr::get($_builder.getContext())">:$kernel,
    DefaultValuedAttr<Attn_AnyMask, "::polyattn::attn::FullMaskAttr::get($_builder.getContext())">:$mask,
    OptionalAttr<Attn_BoundAttr>:$bound,
    OptionalAttr<TypedArrayAttrBase<Attn_BoundAttr, "an array of score bounds">>:$head_bounds,
    OptionalAttr<Attn_CertificateAttr>:$certificate,
    OptionalAttr<Attn_EvaluationAttr>:$evaluation,
    UnitAttr:$nan_rows);
  let results = (outs Attn_Tensor:$output);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? `scale` $scale (`kernel` custom<Plain>($kernel)^)?
    (`mask` custom<Plain>($mask)^)? (`bound` $bound^)?
    (`head_bounds` $head_bounds^)? (`certificate` $certificate^)? (`evaluate` $evaluation^)?
    (`nan_rows` $nan_rows^)? attr-dict `:` type($query) `,` type($key) `,` type($value) `->` type($output)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getQueryType() { return getQuery().getType(); }
    ::mlir::RankedTensorType getKeyType() { return getKey().getType(); }
    ::mlir::RankedTensorType getValueType() { return getValue().getType(); }

    /// Static and dynamic result shapes may differ in what is known; only compatibility is asked for.
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual);
  }];
  let extraClassDefinition = [{
    bool $cppClass::isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return ::mlir::succeeded(::mlir::verifyCompatibleShapes(inferred, actual)) &&
             ::mlir::getElementTypeOrSelf(inferred.front()) == ::mlir::getElementTypeOrSelf(actual.front());
    }
  }];
}

def Attn_TensorAttentionOp : Attn_Op<"tensor_attention", [
    Pure, AttrSizedOperandSegments, InferTypeOpAdaptor,
    DeclareOpInterfaceMethods<Attn_ApproximableOpInterface, ["whyNoRecord"]>]> {
  let summary = "attention over tuples of keys, one of each of several sequences";
  let description = [{
    Attention of order p + 1 with p sets of keys and values (Clift et al., "Logic and the 2-Simplicial Transformer",
    2019; Alman and Song, "How to Capture Higher-order Correlations?", 2024):

        s_{i,j1..jp} = scale * sum_a q_ia k1_{j1,a} ... kp_{jp,a}
        o_i = sum k(s_{i,j1..jp}) w1_{j1} ... wp_{jp} v1_{j1} * ... * vp_{jp}  /  sum k(s_{i,j1..jp}) w1_{j1} ... wp_{jp}

    over all tuples whose key of set t the mask of set t admits, for every t; `*` multiplies values entry by entry. A
    row that admits no tuple, or only ones of weight 0, gives 0, or NaN with `nan_rows`.

    Shapes, with leading batch dimensions B... that must agree, the last of which counts heads:

    | operand       | shape               | remarks                                                                   |
    |---------------|---------------------|---------------------------------------------------------------------------|
    | `query`       | `[B..., Hq, n, d]`  |                                                                           |
    | `keys`        | `[B..., Hk, m_t, d]` | 1 to 4 sets, each of its own length; Hq is a multiple of Hk              |
    | `values`      | `[B..., Hk, m_t, e]` | one for each set of keys                                                 |
    | `key_weights` | `[B..., Hk, m_t]`   | none, or one for each set; nonnegative; batch dimensions may be 1         |
    | result        | `[B..., Hq, n, e]`  |                                                                           |

    Element types and accumulation are as in `attn.attention`; so are `scale`, `kernel`, `bound` (of `|scale|` times the
    product of the l_{p+1} norms of a query and a key of each set), `head_bounds`, `certificate` and `evaluate`. `mask`
    is one mask for all sets, or a list with one for each: `mask [causal, sliding_window<left = 31, right = 0>]`.

    Through a state it costs `(n + m_1 + ... + m_p) r (e + 1)` multiply-adds for a polynomial kernel with r features,
    where direct evaluation costs `n m_1 ... m_p (d + e)`: the features of a score factor as its products do, so that the
    state is the entrywise product of one state for each set. One set of keys is ordinary attention, which is what
    canonicalisation makes of it.

    ```mlir
    func.func @third_order(%q: tensor<8x?x32xf32>, %k1: tensor<8x?x32xf32>, %k2: tensor<8x?x32xf32>,
                           %v1: tensor<8x?x32xf32>, %v2: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
      %o = attn.tensor_attention %q keys(%k1, %k2 : tensor<8x?x32xf32>, tensor<8x?x32xf32>)
        values(%v1, %v2 : tensor<8x?x32xf32>, tensor<8x?x32xf32>) scale 0.1767766952966369 mask causal
        bound <0.5, declared> : tensor<8x?x32xf32> -> tensor<8x?x32xf32>
      return %o : tensor<8x?x32xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_Tensor:$query, Variadic<Attn_Tensor>:$keys, Variadic<Attn_Tensor>:$values,
    Variadic<Attn_Tensor>:$key_weights, F64Attr:$scale,
    DefaultValuedAttr<Attn_AnyKernel, "::polyattn::attn::ExpKernelAttr::get($_builder.getContext())">:$kernel,
    OptionalAttr<TypedArrayAttrBase<Attn_AnyMask, "one mask, or one for each set of keys">>:$masks,
    OptionalAttr<Attn_BoundAttr>:$bound,
    OptionalAttr<TypedArrayAttrBase<Attn_BoundAttr, "an array of score bounds">>:$head_bounds,
    OptionalAttr<Attn_CertificateAttr>:$certificate,
    OptionalAttr<Attn_EvaluationAttr>:$evaluation,
    UnitAttr:$nan_rows);
  let results = (outs Attn_Tensor:$output);
  let assemblyFormat = [{
    $query `keys` `(` $keys `:` type($keys) `)` `values` `(` $values `:` type($values) `)`
    (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? `scale` $scale (`kernel` custom<Plain>($kernel)^)?
    (`mask` custom<Masks>($masks)^)? (`bound` $bound^)? (`head_bounds` $head_bounds^)?
    (`certificate` $certificate^)? (`evaluate` $evaluation^)? (`nan_rows` $nan_rows^)? attr-dict
    `:` type($query) `->` type($output)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let extraClassDeclaration = [{
    /// p, the number of key sets.
    unsigned getOrder() { return unsigned(getKeys().size()); }
    /// The mask of each key set.
    ::llvm::SmallVector<::polyattn::attn::MaskAttrInterface> getMaskOfEachSet();
    ::mlir::RankedTensorType getQueryType() { return getQuery().getType(); }

    /// Static and dynamic result shapes may differ in what is known; only compatibility is asked for.
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual);
  }];
  let extraClassDefinition = [{
    bool $cppClass::isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return ::mlir::succeeded(::mlir::verifyCompatibleShapes(inferred, actual)) &&
             ::mlir::getElementTypeOrSelf(inferred.front()) == ::mlir::getElementTypeOrSelf(actual.front());
    }
  }];
}

def Attn_CheckBoundOp : Attn_Op<"check_bound", [Pure, AttrSizedOperandSegments]> {
  let summary = "do inputs keep within a score bound?";
  let description = [{
    True only if `|scale| * |q_i|_2 * |k_j|_2 <= bound` for every query row i and key row j that share a head, and no
    row's norm exceeds `max_norm`. Costs one pass over query and key. The check is conservative: it accounts for its
    own rounding, so a result of true is a proof; NaN or infinite entries give false. An input whose product of norms
    is within about d * 2^-23 of the bound may be turned down. Each head is held to the bound by its own norms.

    With p key sets, as of `attn.tensor_attention`, the norms are l_{p+1} norms, and `|scale|` times the product of all
    of them, `|q_i| |k1_j| ... |kp_l|`, must be at most `bound`.

    With `second_moment` and `mean` it is true only if, besides, for every query row i the mean over the keys j that
    `mask` admits, weighted by `key_weights`, of s_ij^2 is at most `second_moment` and that of s_ij at least -`mean`,
    where s_ij = scale * q_i . k_j. Rows that admit no key, or none of positive weight, do not count. Costs about
    (n + m) d^2 multiply-adds a head: the moments of a row are quadratic forms in the moments of the keys. The mask's
    rows must start at key 0. Under a causal mask the moments of a row may take in up to 31 keys beyond its own last
    one, which only makes them larger. Key weights must be nonnegative; negative or NaN ones give false.

    This is the guard that `attn-approximate` puts before an op whose certificate assumes a declared or profiled bound.

    ```mlir
    func.func @within(%q: tensor<4x?x64xf32>, %k: tensor<4x?x64xf32>) -> (i1, i1) {
      %ok = attn.check_bound %q, %k scale 0.125 bound 0.5 max_norm 1.0e9 : tensor<4x?x64xf32>, tensor<4x?x64xf32>
      %better = attn.check_bound %q, %k scale 0.125 bound 1.0 max_norm 1.0e9 second_moment 0.015 mean 0.001
        : tensor<4x?x64xf32>, tensor<4x?x64xf32>
      return %ok, %better : i1, i1
    }
    func.func @within3(%q: tensor<4x?x64xf32>, %k1: tensor<4x?x64xf32>, %k2: tensor<4x9x64xf32>) -> i1 {
      %ok = attn.check_bound %q, %k1, %k2 scale 0.125 bound 0.5 max_norm 1.0e6
        : tensor<4x?x64xf32>, tensor<4x?x64xf32>, tensor<4x9x64xf32>
      return %ok : i1
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$query, Attn_Tensor:$key, Variadic<Attn_Tensor>:$further_keys,
    Optional<Attn_Tensor>:$key_weights, F64Attr:$scale, F64Attr:$bound, F64Attr:$max_norm,
    OptionalAttr<F64Attr>:$second_moment, OptionalAttr<F64Attr>:$mean,
    DefaultValuedAttr<Attn_AnyMask, "::polyattn::attn::FullMaskAttr::get($_builder.getContext())">:$mask);
  let results = (outs I1:$within);
  let assemblyFormat = [{
    $query `,` $key (`,` $further_keys^)? (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? `scale` $scale `bound` $bound
    `max_norm` $max_norm (`second_moment` $second_moment^ `mean` $mean)? (`mask` custom<Plain>($mask)^)? attr-dict
    `:` type($query) `,` type($key) (`,` type($further_keys)^)?
  }];
  let extraClassDeclaration = [{
    /// The first set of keys, then the further ones.
    ::llvm::SmallVector<::mlir::Value> getAllKeys() {
      ::llvm::SmallVector<::mlir::Value> keys = {getKey()};
      ::llvm::append_range(keys, getFurtherKeys());
      return keys;
    }
  }];
  let hasVerifier = 1;
}

def Attn_CenterKeysOp : Attn_Op<"center_keys", [Pure, AllTypesMatch<["key", "centred"]>]> {
  let summary = "keys less their mean";
  let description = [{
    `[B..., m, d]`: from every row of a head, the mean of the head's rows is taken off, weighted by `key_weights`
    (`[B..., m]`, nonnegative, batch dimensions may be 1) if there are any. A head whose weights sum to 0 stays as it
    is. Softmax attention does not change when one vector is taken off all keys of a head, but its scores get smaller:
    `attn-approximate` centres keys where that lets it do with a polynomial of lower degree. The mean is summed in
    f32 (f64 for f64) in any order: whatever vector comes out is as good.

    ```mlir
    func.func @centred(%k: tensor<4x?x64xf32>) -> tensor<4x?x64xf32> {
      %c = attn.center_keys %k : tensor<4x?x64xf32>
      return %c : tensor<4x?x64xf32>
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$key, Optional<Attn_Tensor>:$key_weights);
  let results = (outs Attn_Tensor:$centred);
  let assemblyFormat = "$key (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? attr-dict `:` type($key)";
  let hasVerifier = 1;
}

def Attn_RecordOp : Attn_Op<"record", [MemoryEffects<[MemWrite]>]> {
  let summary = "record statistics of an attention's inputs";
  let description = [{
    Adds what these inputs look like to the run-time table of profiles, under the name `key_string`: for every query head
    norms, norms of centred keys, the range of scores without any bias, and statistics of rows (docs/profiles.md). Computes
    all scores in f64, so it takes longer than the attention itself. Operands are those of `attn.attention`.

    `attn-instrument` puts one before each attention; `attn-lower-to-reference` turns it into a call of the function
    `polyattn_record`, which is in `polyattn-run`, the Python package and the library PolyAttnProfile.

    ```mlir
    func.func @main(%q: tensor<8x?x64xf32>, %k: tensor<2x?x64xf32>, %v: tensor<2x?x64xf32>) {
      attn.record %q, %k, %v scale 0.125 mask causal as "main/0"
        : tensor<8x?x64xf32>, tensor<2x?x64xf32>, tensor<2x?x64xf32>
      return
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$query, Attn_Tensor:$key, Attn_Tensor:$value, Optional<Attn_Tensor>:$key_weights,
    F64Attr:$scale,
    DefaultValuedAttr<Attn_AnyMask, "::polyattn::attn::FullMaskAttr::get($_builder.getContext())">:$mask,
    StrAttr:$key_string);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? `scale` $scale
    (`mask` custom<Plain>($mask)^)? `as` $key_string attr-dict `:` type($query) `,` type($key) `,` type($value)
  }];
  let hasVerifier = 1;
}

#endif
