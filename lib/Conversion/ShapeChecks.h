// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_CONVERSION_SHAPECHECKS_H
#define POLYATTN_CONVERSION_SHAPECHECKS_H

#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// Emits a `cf.assert` for each agreement of sizes that the verifier could not
/// decide because a dimension is dynamic, so that a mismatch ends with a
/// message instead of reading beyond a tensor.
void emitShapeChecks(mlir::OpBuilder &builder, AttentionOp op);
void emitShapeChecks(mlir::OpBuilder &builder, TensorAttentionOp op);
void emitShapeChecks(mlir::OpBuilder &builder, CheckBoundOp op);
void emitShapeChecks(mlir::OpBuilder &builder, RecordOp op);
void emitShapeChecks(mlir::OpBuilder &builder, CenterKeysOp op);
void emitShapeChecks(mlir::OpBuilder &builder, StateUpdateOp op);
void emitShapeChecks(mlir::OpBuilder &builder, StateApplyOp op);
void emitShapeChecks(mlir::OpBuilder &builder, StateStepOp op);
void emitShapeChecks(mlir::OpBuilder &builder, NormalizerOp op);
void emitShapeChecks(mlir::OpBuilder &builder, AttentionGradOp op);
/// Also that each row's adapter exists.
void emitShapeChecks(mlir::OpBuilder &builder, LoraLinearOp op);
void emitShapeChecks(mlir::OpBuilder &builder, LoraMergeOp op);
void emitShapeChecks(mlir::OpBuilder &builder, LoraLinearGradOp op);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_SHAPECHECKS_H
