// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Finds attn ops and replaces each by its reference.

#include "Reference.h"
#include "ShapeChecks.h"
#include "polyattn/Conversion/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNLOWERTOREFERENCE
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

/// Every op of the dialect computes on plain tensors; layouts that only other
/// passes understand would be lost.
static LogicalResult verifyPlainTensors(Operation *op) {
  for (Type type : llvm::concat<Type>(llvm::to_vector(op->getOperandTypes()),
                                      llvm::to_vector(op->getResultTypes())))
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (tensor.getEncoding())
        return op->emitOpError("has no reference lowering for ")
               << type << ": convert it to a tensor without encoding first";
  return success();
}

namespace {

struct LowerToReferencePass
    : polyattn::attn::impl::AttnLowerToReferenceBase<LowerToReferencePass> {
  using AttnLowerToReferenceBase::AttnLowerToReferenceBase;

  LogicalResult initialize(MLIRContext *context) override {
    if (llvm::is_contained({"auto", "f32", "f64"}, StringRef(computeType)))
      return success();
    return emitError(UnknownLoc::get(context))
           << getArgument() << ": compute-type is '" << computeType
           << "'; it must be auto, f32 or f64";
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa_and_present<AttnDialect>(op->getDialect()))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops)
      if (failed(lower(rewriter, op)))
        return signalPassFailure();
  }

private:
  FloatType computeTypeOf(FloatType element) {
    Builder b(&getContext());
    bool wide = computeType == "auto" ? element.isF64() : computeType == "f64";
    return wide ? FloatType(b.getF64Type()) : FloatType(b.getF32Type());
  }

  LogicalResult lowerRecord(IRRewriter &rewriter, RecordOp op) {
    if (failed(declareRecordFunction(getOperation(), op)))
      return failure();
    emitShapeChecks(rewriter, op);
    emitReference(rewriter, op);
    rewriter.eraseOp(op);
    return success();
  }

  LogicalResult lower(IRRewriter &rewriter, Operation *op) {
    if (failed(verifyPlainTensors(op)))
      return failure();
    rewriter.setInsertionPoint(op);
    if (auto record = dyn_cast<RecordOp>(op))
      return lowerRecord(rewriter, record);
    SmallVector<Value> replacements = reference(rewriter, op);
    if (replacements.empty())
      return op->emitOpError("has no reference lowering");
    // The op may know more or less of its shape than its operands say.
    for (auto [replacement, type] :
         llvm::zip_equal(replacements, op->getResultTypes()))
      if (replacement.getType() != type)
        replacement =
            tensor::CastOp::create(rewriter, op->getLoc(), type, replacement);
    rewriter.replaceOp(op, replacements);
    return success();
  }

  /// The results of the op, after checks of its shapes; none if it is unknown.
  SmallVector<Value> reference(IRRewriter &rewriter, Operation *op) {
    using Values = SmallVector<Value>;
    auto in = [&](Type type) {
      return computeTypeOf(cast<FloatType>(getElementTypeOrSelf(type)));
    };
    return TypeSwitch<Operation *, Values>(op)
        .Case([&](CheckBoundOp op) -> Values {
          emitShapeChecks(rewriter, op);
          return {emitReference(rewriter, op)};
        })
        .Case([&](StateStepOp op) {
          emitShapeChecks(rewriter, op);
          return emitReference(rewriter, op, in(op.getStates()[0].getType()));
        })
        .Case([&](StateApplyOp op) -> Values {
          emitShapeChecks(rewriter, op);
          return {emitReference(rewriter, op, in(op.getStates()[0].getType()))};
        })
        .Case([&](AttentionGradOp op) {
          emitShapeChecks(rewriter, op);
          return emitReference(rewriter, op, in(op.getQuery().getType()));
        })
        .Case([&](LoraLinearGradOp op) {
          emitShapeChecks(rewriter, op);
          return emitReference(rewriter, op, in(op.getX().getType()));
        })
        .Case<AttentionOp, TensorAttentionOp, CenterKeysOp, StateUpdateOp,
              NormalizerOp, LoraLinearOp, LoraMergeOp>([&](auto op) -> Values {
          emitShapeChecks(rewriter, op);
          return {emitReference(rewriter, op, in(op->getResult(0).getType()))};
        })
        .Default([](Operation *) { return Values(); });
  }
};

} // namespace
