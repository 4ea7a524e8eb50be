// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Two versions of an op under a run-time condition: how they are made, and what
// the conditions around an op imply.

#ifndef POLYATTN_LIB_TRANSFORMS_VERSIONING_H
#define POLYATTN_LIB_TRANSFORMS_VERSIONING_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// The two versions of an op.
struct Versions {
  ApproximableOpInterface taken, otherwise;
};

/// Puts `op` into an scf.if: a copy where `condition` holds, `op` itself where
/// it does not.
Versions versionOn(ApproximableOpInterface op, mlir::Value condition);

/// The same where `taken`, emitted before `op`, computes its query rows from
/// `exactRows` on. It moves to where `condition` holds; the rows before are
/// computed there by a copy of `op`.
Versions versionOn(ApproximableOpInterface op, ApproximableOpInterface taken,
                   int64_t exactRows, mlir::Value condition);

/// Pieces along a dimension of the result of `op`, put together.
mlir::Value emitJoined(mlir::OpBuilder &builder, ApproximableOpInterface op,
                       int64_t dim, llvm::ArrayRef<mlir::Value> pieces);

/// The `i1` that says that every one of `conditions` (at least one) holds.
mlir::Value emitAll(mlir::OpBuilder &builder, mlir::Location loc,
                    llvm::ArrayRef<mlir::Value> conditions);

/// `i1`: is a dimension at most, or at least, `limit`?
mlir::Value emitAtMost(mlir::OpBuilder &builder, mlir::Location loc,
                       TensorDim dim, int64_t limit);
mlir::Value emitAtLeast(mlir::OpBuilder &builder, mlir::Location loc,
                        TensorDim dim, int64_t limit);

/// For each length of `op` that is not static: is it at least `length`?
llvm::SmallVector<mlir::Value>
emitDynamicLengthsAtLeast(mlir::OpBuilder &builder, ApproximableOpInterface op,
                          int64_t length);

/// Every `i1` value that is true wherever `op` runs: the conditions of the
/// scf.ifs whose then-regions it stands in, taken apart at arith.andi.
llvm::SmallVector<mlir::Value> conditionsAround(mlir::Operation *op);

/// Does `condition` being true imply that `dim` is at most `limit`?
bool impliesAtMost(mlir::Value condition, TensorDim dim, int64_t limit);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_VERSIONING_H
