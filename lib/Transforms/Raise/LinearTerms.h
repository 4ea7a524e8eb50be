// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Sums of tensors times constants, and products of rows with a matrix: what
// linear layers are made of.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_LINEARTERMS_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_LINEARTERMS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace polyattn::attn {
using namespace mlir;

/// factor * tensor; or of a bias, one number for each column.
struct LinearTerm {
  double factor;
  Value tensor;
  bool isBias = false;
};

/// Rows times a matrix [k, n], or [n, k] if it is transposed.
struct RowProduct {
  linalg::LinalgOp op;
  Value rows, matrix;
  bool transposed;
};

/// What the tensor is a sum of, through element-by-element ops and reshapes of
/// rows that nobody else uses. One term, itself, if it is no such sum.
SmallVector<LinearTerm> linearTerms(Value tensor);

/// Is this op one that adds tensors element by element?
bool isElementwiseSum(Operation *op);

/// The same rows, however leading dimensions are grouped.
Value skipRowReshapes(Value tensor);

/// The product that the tensor, through reshapes of rows, is the result of.
std::optional<RowProduct> findRowProduct(Value tensor);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_LINEARTERMS_H
