// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Streaming: the state of a polynomial kernel as a value.

#ifndef POLYATTN_DIALECT_ATTN_ATTNSTATEOPS_TD
#define POLYATTN_DIALECT_ATTN_ATTNSTATEOPS_TD

include "polyattn/Dialect/Attn/AttnOps.td"

/// [B..., Hk, e + 1, r].
def Attn_State : RankedTensorOf<[F32, F64]>;

def Attn_StateUpdateOp : Attn_Op<"state_update", [
    Pure, AllTypesMatch<["state", "updated"]>]> {
  let summary = "a state with more keys and values in it";
  let description = [{
    The state of keys k_j and values v_j, for kernels that are polynomials of degree at most g, is all that any query
    needs to know of them:

        S[c][f] = sum_j w_j v_jc phi_f(k_j) for c < e,    S[e][f] = sum_j w_j phi_f(k_j)

    where phi_f are the r = C(d+g, g) monomials of degree at most g in the d entries of a key, in lexicographic order of
    their factors (1, x_1, ..., x_d, x_1 x_1, x_1 x_2, ... for the factors 0 0, 0 1, ..., 0 d, 1 1, 1 2, ...). It does not
    depend on the kernel's coefficients, nor on scale. This op adds those sums over the rows of `key` and `value`.

    | operand       | shape              | remarks                                                              |
    |---------------|--------------------|----------------------------------------------------------------------|
    | `state`       | `[B..., Hk, e + 1, r]` | `f32` or `f64`; d and r, both static, determine g                |
    | `key`         | `[B..., Hk, m, d]` | any float type; `f64` needs a state of `f64`                         |
    | `value`       | `[B..., Hk, m, e]` | e is static                                                          |
    | `key_weights` | `[B..., Hk, m]`    | optional, batch dimensions may be 1; a key of weight 0 adds nothing, whatever it holds |

    A state is a plain tensor: zeros are the state of nothing, the sum of two (`arith.addf`) is that of both their keys,
    a file of it is a saved state. Sums are accumulated in its element type, one key after another: after m keys a term
    is off by at most m 2^-24 of the sum of magnitudes in `f32` (typically by the square root of m times that), and f32
    sums of ones stand still at 2^24 keys. Use `f64` for streams longer than some 100,000 keys.

    ```mlir
    func.func @remember(%s: tensor<8x33x561xf32>, %k: tensor<8x?x32xf32>, %v: tensor<8x?x32xf32>)
        -> tensor<8x33x561xf32> {
      %next = attn.state_update %s, %k, %v : tensor<8x33x561xf32>, tensor<8x?x32xf32>, tensor<8x?x32xf32>
      return %next : tensor<8x33x561xf32>
    }
    ```
  }];
  let arguments = (ins Attn_State:$state, Attn_Tensor:$key, Attn_Tensor:$value, Optional<Attn_Tensor>:$key_weights);
  let results = (outs Attn_State:$updated);
  let assemblyFormat = [{
    $state `,` $key `,` $value (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? attr-dict
    `:` type($state) `,` type($key) `,` type($value)
  }];
  let hasVerifier = 1;
}

def Attn_StateApplyOp : Attn_Op<"state_apply", [Pure, InferTypeOpAdaptor]> {
  let summary = "queries that read states";
  let description = [{
    `o_i = sum_f a_f phi_f(q_i) S[.][f] / sum_f a_f phi_f(q_i) S[e][f]`, where a_f are such that
    `sum_f a_f phi_f(q) phi_f(k) = kernel(scale * q.k)`: attention over all keys that are in the state, which every query
    sees. With several states, one for each key set, S is their entrywise product, and it is `attn.tensor_attention`.
    A row whose sums are all 0, as in a state of nothing, gives 0. With `unnormalised` nothing is divided.

    | operand  | shape                  | remarks                                                              |
    |----------|------------------------|----------------------------------------------------------------------|
    | `query`  | `[B..., Hq, n, d]`     | Hq is a multiple of Hk                                               |
    | `states` | `[B..., Hk, e + 1, r]` | 1 to 4, of one type                                                  |
    | result   | `[B..., Hq, n, e]`     | of the query's element type                                          |

    `kernel` must be a polynomial (`#attn.poly`) of the states' degree or a lower one. Nothing is approximated here: a
    polynomial that stands for exp keeps the promise of its certificate only within that certificate's bounds.

    ```mlir
    func.func @recall(%q: tensor<8x?x32xf32>, %s: tensor<8x33x561xf32>) -> tensor<8x?x32xf32> {
      %o = attn.state_apply %q states(%s : tensor<8x33x561xf32>) scale 0.25 kernel poly<[1.0, 1.0, 0.5]>
         : tensor<8x?x32xf32>
      return %o : tensor<8x?x32xf32>
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$query, Variadic<Attn_State>:$states, F64Attr:$scale, Attn_KernelInterface:$kernel,
    UnitAttr:$unnormalised);
  let results = (outs Attn_Tensor:$output);
  let assemblyFormat = [{
    $query `states` `(` $states `:` type($states) `)` `scale` $scale `kernel` custom<Plain>($kernel)
    (`unnormalised` $unnormalised^)? attr-dict `:` type($query)
  }];
  let hasVerifier = 1;
}

def Attn_StateStepOp : Attn_Op<"state_step", [Pure, AttrSizedOperandSegments, InferTypeOpAdaptor]> {
  let summary = "attention of new tokens to themselves and to all before them";
  let description = [{
    One step of a causal stream: n new tokens, each with a query and, of every set, a key and a value. Query i reads the
    states with the keys 0 to i in them (`attn.state_apply`), and the states with all n of them are results
    (`attn.state_update`). n is 1 in decoding, a prompt's length in prefill, anything in between: the outputs are the
    same however a stream is cut into steps, and the same as those of causal attention over all of it.

    | operand         | shape                  | remarks                                                          |
    |-----------------|------------------------|------------------------------------------------------------------|
    | `query`         | `[B..., Hq, n, d]`     | Hq is a multiple of Hk                                           |
    | `keys`          | `[B..., Hk, n, d]`     | 1 to 4 sets                                                      |
    | `values`        | `[B..., Hk, n, e]`     | one for each set                                                 |
    | `key_weights`   | `[B..., Hk, n]`        | none, or one for each set                                        |
    | `states`        | `[B..., Hk, e + 1, r]` | one for each set, of one type                                    |
    | results         | `[B..., Hq, n, e]` and the states | the output has the query's element type               |

    In vector code a state is read and written once for several tokens; a single token costs what moving its states
    does. `kernel`, `scale` and `unnormalised` are as in `attn.state_apply`.

    ```mlir
    func.func @decode(%q: tensor<8x?x32xf32>, %k: tensor<2x?x32xf32>, %v: tensor<2x?x32xf32>, %s: tensor<2x33x561xf32>)
        -> (tensor<8x?x32xf32>, tensor<2x33x561xf32>) {
      %o, %next = attn.state_step %q keys(%k : tensor<2x?x32xf32>) values(%v : tensor<2x?x32xf32>)
        states(%s : tensor<2x33x561xf32>) scale 0.25 kernel poly<[1.0, 1.0, 0.5]> : tensor<8x?x32xf32>
      return %o, %next : tensor<8x?x32xf32>, tensor<2x33x561xf32>
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$query, Variadic<Attn_Tensor>:$keys, Variadic<Attn_Tensor>:$values,
    Variadic<Attn_Tensor>:$key_weights, Variadic<Attn_State>:$states, F64Attr:$scale, Attn_KernelInterface:$kernel,
    UnitAttr:$unnormalised);
  let results = (outs Attn_Tensor:$output, Variadic<Attn_State>:$updated);
  let assemblyFormat = [{
    $query `keys` `(` $keys `:` type($keys) `)` `values` `(` $values `:` type($values) `)`
    (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? `states` `(` $states `:` type($states) `)`
    `scale` $scale `kernel` custom<Plain>($kernel) (`unnormalised` $unnormalised^)? attr-dict `:` type($query)
  }];
  let hasVerifier = 1;
}

#endif
