// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What each op computes, as plain linalg on tensors.

#ifndef POLYATTN_LIB_CONVERSION_REFERENCE_H
#define POLYATTN_LIB_CONVERSION_REFERENCE_H

#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// The result of `op`, with all arithmetic in `computeType`.
mlir::Value emitReference(mlir::OpBuilder &b, AttentionOp op,
                          mlir::FloatType computeType);
mlir::Value emitReference(mlir::OpBuilder &b, TensorAttentionOp op,
                          mlir::FloatType computeType);
/// Always in f64: its rounding is part of what it promises.
mlir::Value emitReference(mlir::OpBuilder &b, CheckBoundOp op);
mlir::Value emitReference(mlir::OpBuilder &b, CenterKeysOp op,
                          mlir::FloatType computeType);

mlir::Value emitReference(mlir::OpBuilder &b, StateUpdateOp op,
                          mlir::FloatType computeType);
mlir::Value emitReference(mlir::OpBuilder &b, StateApplyOp op,
                          mlir::FloatType computeType);
/// The output, then the states.
llvm::SmallVector<mlir::Value> emitReference(mlir::OpBuilder &b, StateStepOp op,
                                             mlir::FloatType computeType);

mlir::Value emitReference(mlir::OpBuilder &b, NormalizerOp op,
                          mlir::FloatType computeType);
/// All results.
llvm::SmallVector<mlir::Value> emitReference(mlir::OpBuilder &b,
                                             AttentionGradOp op,
                                             mlir::FloatType computeType);

/// Contractions that vector code is made of, too.
mlir::Value emitReference(mlir::OpBuilder &b, LoraLinearOp op,
                          mlir::FloatType computeType);
mlir::Value emitReference(mlir::OpBuilder &b, LoraMergeOp op,
                          mlir::FloatType computeType);
/// The gradients that the op has.
llvm::SmallVector<mlir::Value> emitReference(mlir::OpBuilder &b,
                                             LoraLinearGradOp op,
                                             mlir::FloatType computeType);

/// A call of the run-time function, which must be declared.
void emitReference(mlir::OpBuilder &b, RecordOp op);

/// Declares that function beside the one that `op` is in, unless it is there
/// already. Fails where that place is outside of `root`.
mlir::LogicalResult declareRecordFunction(mlir::Operation *root, RecordOp op);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_CONVERSION_REFERENCE_H
