// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-lower-to-vector: which ops it takes, and the step from tensors to
// memrefs. The code itself is written by AttentionEmitter and its
// neighbours.

#include "../ShapeChecks.h"
#include "AttentionEmitter.h"
#include "CenterKeys.h"
#include "CheckBound.h"
#include "HeadMemory.h"
#include "LowerAttention.h"
#include "LowerStates.h"
#include "TensorAttentionEmitter.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNLOWERTOVECTOR
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Do the helpers of an attention have vector code for such keys?
static bool hasVectorCode(RankedTensorType type) {
  return !type.getElementType().isF64() && !type.getEncoding() &&
         !ShapedType::isDynamic(type.getShape().back());
}

/// `emit` where the condition holds, else false.
static Value whereTrue(OpBuilder &b, Location loc, Value condition,
                       function_ref<Value()> emit) {
  auto ifOp = scf::IfOp::create(
      b, loc, condition,
      [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, emit()); },
      [&](OpBuilder &, Location) {
        Value no = arith::ConstantIntOp::create(b, loc, 0, 1);
        scf::YieldOp::create(b, loc, no);
      });
  return ifOp.getResult(0);
}

namespace {

struct LowerTensorAttention : OpRewritePattern<TensorAttentionOp> {
  LowerTensorAttention(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(TensorAttentionOp op,
                                PatternRewriter &b) const override {
    // Canonicalisation makes attn.attention of it.
    if (op.getOrder() == 1)
      return TensorAttentionOp::canonicalize(op, b);
    std::string reason = whyNoAttentionCode(op);
    if (!reason.empty())
      return b.notifyMatchFailure(op, reason);
    Location loc = op.getLoc();
    emitShapeChecks(b, op);
    Emitter e(b, loc, target);
    TensorAttentionEmitter::Sets sets;
    for (auto [t, key, value] : llvm::enumerate(op.getKeys(), op.getValues())) {
      Value weights =
          op.getKeyWeights().empty() ? Value() : op.getKeyWeights()[t];
      sets.push_back({headsBuffer(b, loc, key), headsBuffer(b, loc, value),
                      weightsBuffer(b, loc, weights, key)});
    }
    Value query = headsBuffer(b, loc, op.getQuery());
    Value output =
        allocateOutput(b, loc, op.getType(), op.getQuery(), op.getValues()[0]);
    TensorAttentionEmitter(e, target, op, query, toHeads(b, loc, output), sets)
        .emit();
    b.replaceOp(op, toTensor(b, loc, op.getType(), output));
    return success();
  }

private:
  const TargetDescription &target;
};

struct LowerCheckBound : OpRewritePattern<CheckBoundOp> {
  LowerCheckBound(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(CheckBoundOp op,
                                PatternRewriter &b) const override {
    if (!hasVectorCode(op.getQuery().getType()))
      return b.notifyMatchFailure(
          op, "f64, an encoding or a dynamic head dimension");
    Location loc = op.getLoc();
    emitShapeChecks(b, op);
    Emitter e(b, loc, target);
    Value query = headsBuffer(b, loc, op.getQuery());
    SmallVector<Value> keys = llvm::map_to_vector(
        op.getAllKeys(), [&](Value key) { return headsBuffer(b, loc, key); });
    Value weights = weightsBuffer(b, loc, op.getKeyWeights(), op.getKey());
    Value within = emitBoundCheck(e, op, query, keys);
    if (op.getSecondMoment())
      within = whereTrue(b, loc, within, [&] {
        return emitMomentCheck(e, target, op, query, keys[0], weights);
      });
    b.replaceOp(op, within);
    return success();
  }

private:
  const TargetDescription &target;
};

struct LowerCenterKeys : OpRewritePattern<CenterKeysOp> {
  LowerCenterKeys(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(CenterKeysOp op,
                                PatternRewriter &b) const override {
    if (!hasVectorCode(op.getKey().getType()))
      return b.notifyMatchFailure(
          op, "f64, an encoding or a dynamic head dimension");
    Location loc = op.getLoc();
    emitShapeChecks(b, op);
    Emitter e(b, loc, target);
    Value output = allocateOutput(b, loc, op.getCentred().getType(),
                                  op.getKey(), op.getKey());
    emitCentredKeys(e, headsBuffer(b, loc, op.getKey()),
                    weightsBuffer(b, loc, op.getKeyWeights(), op.getKey()),
                    toHeads(b, loc, output));
    b.replaceOp(op, toTensor(b, loc, op.getCentred().getType(), output));
    return success();
  }

private:
  const TargetDescription &target;
};

struct LowerToVectorPass
    : polyattn::attn::impl::AttnLowerToVectorBase<LowerToVectorPass> {
  using AttnLowerToVectorBase::AttnLowerToVectorBase;

  void runOnOperation() override {
    FailureOr<TargetDescription> description =
        resolveTarget(getOperation(), target);
    if (failed(description))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerTensorAttention, LowerCheckBound, LowerCenterKeys>(
        &getContext(), *description);
    addStatePatterns(patterns, *description);
    addAttentionPatterns(patterns, *description);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation()->walk([](Operation *op) {
      auto attention = dyn_cast<ApproximableOpInterface>(op);
      std::string reason = attention
                               ? whyNoAttentionCode(attention)
                               : whyNoStreamCode(op) + whyNoGradientCode(op);
      if (!reason.empty())
        remarkLeft(op, reason);
    });
  }

  static void remarkLeft(Operation *op, const std::string &reason) {
    remark::missed(op->getLoc(), remark::RemarkOpts::name("NoVectorCode")
                                     .category("polyattn")
                                     .subCategory("lower-to-vector"))
        << ("no vector code: " + reason +
            "; the reference lowering takes it, which is slow");
  }
};

} // namespace
