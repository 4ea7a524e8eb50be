// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What the ops of attention share: checks of shapes and attributes, with an
// error at the op where they fail, and slices of operands.

#ifndef POLYATTN_LIB_DIALECT_ATTN_OPSUPPORT_H
#define POLYATTN_LIB_DIALECT_ATTN_OPSUPPORT_H

#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

using namespace mlir;

/// Of key sets.
constexpr size_t largestOrder = 4;

/// Equal, or not known to differ.
bool mayEqual(int64_t a, int64_t b);
/// [n, d] has no batch dimension, [.., h, n, d] has rank - 2 of them.
ArrayRef<int64_t> batchShape(RankedTensorType type);
/// ShapedType::kDynamic if any factor is.
int64_t product(ArrayRef<int64_t> dims);

/// Query and key agree in type, rank, head dimension and heads.
LogicalResult verifyQueryKey(Operation *op, RankedTensorType query,
                             RankedTensorType key);
/// The last batch dimension of the query, heads, is a multiple of that of the
/// keys (or states of keys); the others agree.
LogicalResult verifyHeads(Operation *op, RankedTensorType query,
                          RankedTensorType key);
/// One row of value for each of key.
LogicalResult verifyValue(Operation *op, RankedTensorType key,
                          RankedTensorType value);
LogicalResult verifyScale(Operation *op, const APFloat &scale);
/// Each dimension of `type` equals that of `shape` or is 1.
LogicalResult verifyBroadcast(Operation *op, StringRef what,
                              RankedTensorType type, ArrayRef<int64_t> shape);
/// One weight for each key, in f32 or the keys' type; batch dimensions may
/// be 1. Without weights there is nothing to verify.
LogicalResult verifyKeyWeights(Operation *op, Value weights,
                               RankedTensorType key);
/// Of the query's type, [B.., h, n, m], any of which may be 1. Without a bias
/// there is nothing to verify.
LogicalResult verifyBias(Operation *op, Value bias, RankedTensorType query,
                         RankedTensorType key);
/// One bound for each query head, beside one that covers all of them.
LogicalResult verifyHeadBounds(ApproximableOpInterface op);
LogicalResult verifyEvaluation(ApproximableOpInterface op);

/// Why the kernel has no features of query and key that a state could be made
/// of; empty if it has.
std::string whyNoFeatures(ApproximableOpInterface op);

/// Indices [from, to) of one dimension; all of a dimension that is 1.
Value emitSliceOf(OpBuilder &builder, Location loc, Value tensor, int64_t dim,
                  int64_t from, int64_t to);

/// emitHeads of ops whose operands have heads in the third dimension from last,
/// key weights in the second: those that `isPerQueryHead` says have one for
/// each query head, others one for each key head.
Operation *emitHeadsOf(OpBuilder &builder, ApproximableOpInterface op,
                       RankedTensorType query, RankedTensorType key,
                       int64_t from, int64_t to,
                       function_ref<bool(OpOperand &)> isPerQueryHead);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_DIALECT_ATTN_OPSUPPORT_H
