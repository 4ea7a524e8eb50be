// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Linalg ops that are sums of products: which loops do what.

#ifndef POLYATTN_LIB_CONVERSION_LOWERLINALG_CONTRACTION_H
#define POLYATTN_LIB_CONVERSION_LOWERLINALG_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>
#include <string>

namespace polyattn::attn {
using namespace mlir;

/// Several matrices of which each row uses one: of the iterations of `loop`
/// only that counts which is the row's entry of `operand`, if any is. The loop
/// is a reduction where the matrices are multiplied by rows, and parallel where
/// they are sums over rows.
struct Selection {
  OpOperand *operand;
  unsigned loop, row;
};

/// Does the body add the product of two inputs, perhaps of a wider float type,
/// to its one result, always or by a selection?
bool isContraction(linalg::LinalgOp op);

/// A contraction cut up for vector code: C[outer, m, n] is the sum over k of
/// A[outer, m, k] * B[outer, k, n], whatever order the operands' dimensions are
/// in. n runs over lanes: it is the innermost dimension of C.
struct Contraction {
  linalg::LinalgOp op;
  OpOperand *scalars = nullptr, *vectors = nullptr;
  /// Parallel loops besides m and n.
  SmallVector<unsigned> outer = {};
  /// Nothing in a product with a vector.
  std::optional<unsigned> m = std::nullopt;
  unsigned n = 0;
  /// Reductions besides k, and k.
  SmallVector<unsigned> outerReductions = {};
  unsigned k = 0;
  std::optional<Selection> selection = std::nullopt;

  /// Do rows of C choose what they are multiplied by?
  bool rowsChoose() const { return selection && selection->row == m; }
  OpOperand *output() { return op.getDpsInitOperand(0); }
  AffineMap mapOf(OpOperand *operand) {
    return op.getMatchingIndexingMap(operand);
  }
  int64_t size(unsigned loop) { return op.getStaticLoopRanges()[loop]; }
  /// Rows of C, or 1.
  int64_t rows() { return m ? size(*m) : 1; }
  /// Are elements along the loop adjacent in the operand's memory?
  bool isInnermost(OpOperand *operand, unsigned loop);
};

/// `op` as one, or why it is none that vector code is made for.
FailureOr<Contraction> describeContraction(linalg::LinalgOp op,
                                           std::string &reason);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_CONVERSION_LOWERLINALG_CONTRACTION_H
