// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The step from tensors to memory that vector code is written for: all batch
// dimensions as one, of heads.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_HEADMEMORY_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_HEADMEMORY_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace polyattn::attn {

/// The tensor's contents as a memref that is only read.
mlir::Value toBuffer(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::Value tensor);

/// A tensor [.., h, n, d] as a memref [heads, n, d] that is only read; [n, d]
/// is one head.
mlir::Value headsBuffer(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value tensor);

/// Key weights, repeated to one row for each head of `key`, as a memref
/// [heads, m] that is only read; null without weights.
mlir::Value weightsBuffer(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Value weights, mlir::Value key);

/// A tensor [.., h, n] as a memref [heads, n] that is only read.
mlir::Value rowsBuffer(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value tensor);

/// A result's memory. Its last size is that of `columns`, the others those of
/// `rows`.
mlir::Value allocateOutput(mlir::OpBuilder &b, mlir::Location loc,
                           mlir::RankedTensorType type, mlir::Value rows,
                           mlir::Value columns);

/// Memory [.., h, n, e] as [heads, n, e].
mlir::Value toHeads(mlir::OpBuilder &b, mlir::Location loc, mlir::Value output);

/// Memory [.., h, n] as [heads, n].
mlir::Value rowsOfHeads(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value rows);

/// The tensor that such memory becomes.
mlir::Value toTensor(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::RankedTensorType type, mlir::Value output);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_HEADMEMORY_H
