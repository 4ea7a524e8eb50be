// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Gradients of attention.

#ifndef POLYATTN_DIALECT_ATTN_ATTNGRADOPS_TD
#define POLYATTN_DIALECT_ATTN_ATTNGRADOPS_TD

include "polyattn/Dialect/Attn/AttnOps.td"

/// [B..., Hq, n].
def Attn_Statistics : RankedTensorOf<[F32, F64]>;

def Attn_NormalizerOp : Attn_Op<"normalizer", [Pure, AttrSizedOperandSegments]> {
  let summary = "what each row of an attention is divided by";
  let description = [{
    `z_i = sum_j k(s_ij) w_j` over the keys that the mask admits, `s_ij = scale * q_i . k_j + bias_ij`; for `#attn.exp`,
    whose sums overflow, its logarithm. A row that admits no key, or only ones of weight 0, has 0 (-inf for exp).

    Operands are those of the `attn.attention` that it belongs to; the result, `[B..., Hq, n]`, is `f32` (`f64` for `f64`
    inputs). It is what `attn.attention_grad` needs to know of each row. Vector code of an attention of the same
    operands, mask, scale and kernel stores it on the way: beside one, it costs next to nothing; alone, as much as that
    attention.

    ```mlir
    func.func @sums(%q: tensor<8x?x64xf32>, %k: tensor<2x?x64xf32>) -> tensor<8x?xf32> {
      %z = attn.normalizer %q, %k scale 0.125 mask causal
        : tensor<8x?x64xf32>, tensor<2x?x64xf32> -> tensor<8x?xf32>
      return %z : tensor<8x?xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_Tensor:$query, Attn_Tensor:$key, Optional<Attn_Tensor>:$bias, Optional<Attn_Tensor>:$key_weights,
    F64Attr:$scale,
    DefaultValuedAttr<Attn_AnyKernel, "::polyattn::attn::ExpKernelAttr::get($_builder.getContext())">:$kernel,
    DefaultValuedAttr<Attn_AnyMask, "::polyattn::attn::FullMaskAttr::get($_builder.getContext())">:$mask);
  let results = (outs Attn_Statistics:$sums);
  let assemblyFormat = [{
    $query `,` $key (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? `scale` $scale (`kernel` custom<Plain>($kernel)^)?
    (`mask` custom<Plain>($mask)^)? attr-dict `:` type($query) `,` type($key) `->` type($sums)
  }];
  let hasVerifier = 1;
}

def Attn_AttentionGradOp : Attn_Op<"attention_grad", [
    Pure, AttrSizedOperandSegments, InferTypeOpAdaptor]> {
  let summary = "gradients of attention";
  let description = [{
    Gradients of a function of the output o of an `attn.attention`, from its gradient do with respect to o. With weights
    `p_ij = k(s_ij) w_j / z_i`, `r_ij = k'(s_ij) w_j / z_i` (which is p_ij for exp) and `D_i = do_i . o_i`:

        ds_ij = r_ij (do_i . v_j - D_i)
        dq_i = scale * sum_j ds_ij k_j     dk_j = scale * sum_i ds_ij q_i     dv_j = sum_i p_ij do_i
        dbias_ij = ds_ij                   dw_j = sum_i k(s_ij) / z_i (do_i . v_j - D_i)

    Sums over i are over all rows that see key j, of all query heads that share it; those of a bias that is repeated are
    over all its uses. A row that admits no key has no part in any gradient, also where the attention has `nan_rows`.

    | operand       | shape              | remarks                                                              |
    |---------------|--------------------|----------------------------------------------------------------------|
    | `query`, `key`, `value`, `bias`, `key_weights` | | those of the attention                                     |
    | `output`      | `[B..., Hq, n, e]` | its result                                                           |
    | `normalizer`  | `[B..., Hq, n]`    | its `attn.normalizer`, `f32` or, for `f64` inputs, `f64`             |
    | `grad_output` | `[B..., Hq, n, e]` |                                                                      |
    | results       |                    | of the types of query, key and value, then of bias and of key_weights, if there are any |

    Results that nobody uses are not computed. No n x m memory is taken, unless the gradient of a bias or of key weights
    is used: those have no vector code yet and go to the reference lowering, as f64 inputs do. Sums are accumulated in
    f32. Products with exp recompute its weights from scores and normalizer (Dao et al., "FlashAttention", 2022). Keys
    and values must be finite also where they take no part.

    ```mlir
    func.func @backward(%q: tensor<8x?x64xf32>, %k: tensor<2x?x64xf32>, %v: tensor<2x?x64xf32>, %o: tensor<8x?x64xf32>,
                        %z: tensor<8x?xf32>, %do: tensor<8x?x64xf32>)
        -> (tensor<8x?x64xf32>, tensor<2x?x64xf32>, tensor<2x?x64xf32>) {
      %dq, %dk, %dv = attn.attention_grad %q, %k, %v output(%o) normalizer(%z : tensor<8x?xf32>) grad_output(%do)
        scale 0.125 mask causal : tensor<8x?x64xf32>, tensor<2x?x64xf32>, tensor<2x?x64xf32>, tensor<8x?x64xf32>
      return %dq, %dk, %dv : tensor<8x?x64xf32>, tensor<2x?x64xf32>, tensor<2x?x64xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_Tensor:$query, Attn_Tensor:$key, Attn_Tensor:$value,
    Optional<Attn_Tensor>:$bias, Optional<Attn_Tensor>:$key_weights,
    Attn_Tensor:$output, Attn_Statistics:$normalizer, Attn_Tensor:$grad_output,
    F64Attr:$scale,
    DefaultValuedAttr<Attn_AnyKernel, "::polyattn::attn::ExpKernelAttr::get($_builder.getContext())">:$kernel,
    DefaultValuedAttr<Attn_AnyMask, "::polyattn::attn::FullMaskAttr::get($_builder.getContext())">:$mask);
  let results = (outs Attn_Tensor:$grad_query, Attn_Tensor:$grad_key, Attn_Tensor:$grad_value,
    Variadic<Attn_Tensor>:$further_grads);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`key_weights` `(` $key_weights^ `:` type($key_weights) `)`)? `output` `(` $output `)`
    `normalizer` `(` $normalizer `:` type($normalizer) `)` `grad_output` `(` $grad_output `)`
    `scale` $scale (`kernel` custom<Plain>($kernel)^)? (`mask` custom<Plain>($mask)^)? attr-dict
    `:` type($query) `,` type($key) `,` type($value) `,` custom<SameType>(type($output), type($grad_output))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The gradients of bias and key weights, null where the op has no such operand.
    ::mlir::Value getGradBias();
    ::mlir::Value getGradKeyWeights();
  }];
}

#endif
