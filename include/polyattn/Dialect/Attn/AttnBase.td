// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The dialect itself.

#ifndef POLYATTN_DIALECT_ATTN_ATTNBASE_TD
#define POLYATTN_DIALECT_ATTN_ATTNBASE_TD

include "mlir/IR/OpBase.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let cppNamespace = "::polyattn::attn";
  let summary = "Attention whose kernel is an attribute and whose evaluation order is a schedule";
  let description = [{
    Attention computes, for every query row i,

    ```
    o_i = sum_j k(s_ij) w_j v_j / sum_j k(s_ij) w_j,   s_ij = scale * q_i . k_j + bias_ij
    ```

    over the keys j that the mask admits. The *kernel* k is an attribute: `#attn.exp` is softmax attention,
    `#attn.poly<[c0, c1, ...]>` is attention by a polynomial. A low-rank rewrite changes this one attribute and puts
    a *certificate* beside it, a proved bound of the error. A polynomial kernel can be evaluated in two orders that
    give the same result: `direct` forms scores tile by tile, as flash attention does; `state` sums monomial features
    of the keys once and costs time linear in the sequence length.

    A query row that admits no key gives 0.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerAttributes();";
}

#endif
