// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Linear layers with low-rank adapters (LoRA).

#ifndef POLYATTN_DIALECT_ATTN_ATTNLORAOPS_TD
#define POLYATTN_DIALECT_ATTN_ATTNLORAOPS_TD

include "polyattn/Dialect/Attn/AttnOps.td"

def Attn_AdapterIndices : RankedTensorOf<[I32, I64]>;

def Attn_LoraLinearOp : Attn_Op<"lora_linear", [Pure, AttrSizedOperandSegments, InferTypeOpAdaptor]> {
  let summary = "a linear layer with a low-rank adapter";
  let description = [{
    `y = x W + scale * (x A) B + bias`, where W is the layer's weight and A, B, of rank r, are its adapter; `scale` is
    what LoRA calls alpha / r. The product A B is never formed here.

    | operand    | shape                        | remarks                                                       |
    |------------|------------------------------|---------------------------------------------------------------|
    | `x`        | `[.., n, in]`                | any leading dimensions                                        |
    | `weight`   | `[in, out]`                  | of the element type of `x`                                    |
    | `a`, `b`   | `[in, r]`, `[r, out]`        | of the element type of `x`, or `f32` beside `f16` and `bf16`; r may be 0 |
    | `bias`     | `[out]`                      | optional; as `a` and `b`                                      |
    | `adapters` | `[.., n]` of `i32` or `i64`  | optional: then A is `[L, in, r]` and B `[L, r, out]`          |
    | result     | `[.., n, out]`               | of the element type of `x`                                    |

    With `adapters` row i uses adapter `adapters[i]`, as a batch of requests for several fine-tuned models needs it; a
    negative number stands for no adapter, one that does not exist stops the program. Each row costs one adapter,
    however many there are.

    With `transposed` all three matrices are as PyTorch keeps them: W `[out, in]`, A `[(L,) r, in]`, B `[(L,) out, r]`.

    x A is formed in f32 (f64 for f64) and not rounded to a narrower type, nor is the sum before the end. An adapter
    that is known to add nothing (r or `scale` is 0, A or B a constant 0) adds nothing even where x is not finite.

    ```mlir
    func.func @query_projection(%x: tensor<?x512xf32>, %w: tensor<512x512xf32>, %a: tensor<8x512xf32>,
                                %b: tensor<512x8xf32>) -> tensor<?x512xf32> {
      %y = attn.lora_linear %x, %w, %a, %b scale 2.0 transposed
         : tensor<?x512xf32>, tensor<512x512xf32>, tensor<8x512xf32>, tensor<512x8xf32>
      return %y : tensor<?x512xf32>
    }

    func.func @tenants(%x: tensor<64x512xf32>, %w: tensor<512x512xf32>, %a: tensor<16x512x8xf32>,
                       %b: tensor<16x8x512xf32>, %who: tensor<64xi32>) -> tensor<64x512xf32> {
      %y = attn.lora_linear %x, %w, %a, %b adapters(%who : tensor<64xi32>) scale 2.0
         : tensor<64x512xf32>, tensor<512x512xf32>, tensor<16x512x8xf32>, tensor<16x8x512xf32>
      return %y : tensor<64x512xf32>
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$x, Attn_Tensor:$weight, Attn_Tensor:$a, Attn_Tensor:$b,
    Optional<Attn_Tensor>:$bias, Optional<Attn_AdapterIndices>:$adapters, F64Attr:$scale, UnitAttr:$transposed);
  let results = (outs Attn_Tensor:$y);
  let assemblyFormat = [{
    $x `,` $weight `,` $a `,` $b (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`adapters` `(` $adapters^ `:` type($adapters) `)`)? `scale` $scale (`transposed` $transposed^)? attr-dict
    `:` type($x) `,` type($weight) `,` type($a) `,` type($b)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Attn_LoraMergeOp : Attn_Op<"lora_merge", [Pure, AllTypesMatch<["weight", "merged"]>]> {
  let summary = "a weight with its adapter added";
  let description = [{
    `W + scale * A B`, computed in f32 (f64 for f64) and rounded once; shapes, types and `transposed` are as in
    `attn.lora_linear`, without `adapters`. It pays where many rows use the result: `attn-optimize-lora` decides.
    Rounding a merged weight to f16 or bf16 can lose most of a small adapter.

    Its gradients, from G, that of the result: A gets `scale * G B^T`, B gets `scale * A^T G`, W gets G.

    ```mlir
    func.func @merged(%w: tensor<512x512xf32>, %a: tensor<512x8xf32>, %b: tensor<8x512xf32>) -> tensor<512x512xf32> {
      %m = attn.lora_merge %w, %a, %b scale 2.0 : tensor<512x512xf32>, tensor<512x8xf32>, tensor<8x512xf32>
      return %m : tensor<512x512xf32>
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$weight, Attn_Tensor:$a, Attn_Tensor:$b, F64Attr:$scale, UnitAttr:$transposed);
  let results = (outs Attn_Tensor:$merged);
  let assemblyFormat = [{
    $weight `,` $a `,` $b `scale` $scale (`transposed` $transposed^)? attr-dict
    `:` type($weight) `,` type($a) `,` type($b)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Attn_LoraLinearGradOp : Attn_Op<"lora_linear_grad", [
    Pure, AttrSizedResultSegments]> {
  let summary = "gradients of a linear layer with a low-rank adapter";
  let description = [{
    From `dy`, the gradient of `attn.lora_linear`'s result, those of x, A and B, or those of them that are asked for; the
    weight is frozen and has none:

        dx = dy W^T + scale * (dy B^T) A^T,    dA = scale * x^T (dy B^T),    dB = scale * (x A)^T dy

    With `adapters`, dA[l] and dB[l] are sums over the rows of adapter l, 0 if there are none. Nothing as large as the
    weight is formed. Operands are those of `attn.lora_linear`; `transposed` is about all matrices, gradients included.
    Results have the types of `x`, `a` and `b`; at least one is there, in this order. A bias would get the sum of dy's
    rows.

    ```mlir
    func.func @backward(%dy: tensor<?x512xf32>, %x: tensor<?x512xf32>, %w: tensor<512x512xf32>, %a: tensor<8x512xf32>,
                        %b: tensor<512x8xf32>) -> (tensor<8x512xf32>, tensor<512x8xf32>) {
      %da, %db = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 2.0 transposed
         : tensor<?x512xf32>, tensor<?x512xf32>, tensor<512x512xf32>, tensor<8x512xf32>, tensor<512x8xf32>
        -> a(tensor<8x512xf32>) b(tensor<512x8xf32>)
      return %da, %db : tensor<8x512xf32>, tensor<512x8xf32>
    }
    ```
  }];
  let arguments = (ins Attn_Tensor:$dy, Attn_Tensor:$x, Attn_Tensor:$weight, Attn_Tensor:$a, Attn_Tensor:$b,
    Optional<Attn_AdapterIndices>:$adapters, F64Attr:$scale, UnitAttr:$transposed);
  let results = (outs Optional<Attn_Tensor>:$dx, Optional<Attn_Tensor>:$da, Optional<Attn_Tensor>:$db);
  let assemblyFormat = [{
    $dy `,` $x `,` $weight `,` $a `,` $b (`adapters` `(` $adapters^ `:` type($adapters) `)`)?
    `scale` $scale (`transposed` $transposed^)? attr-dict
    `:` type($dy) `,` type($x) `,` type($weight) `,` type($a) `,` type($b)
    `->` (`x` `(` type($dx)^ `)`)? (`a` `(` type($da)^ `)`)? (`b` `(` type($db)^ `)`)?
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

#endif
