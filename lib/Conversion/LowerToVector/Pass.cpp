// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-lower-to-vector: which ops it takes, and the step from tensors to
// memrefs. The code itself is written by AttentionEmitter and its
// neighbours.

#include "../ShapeChecks.h"
#include "../TensorLoops.h"
#include "AttentionEmitter.h"
#include "CenterKeys.h"
#include "CheckBound.h"
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

/// [.., h, n, d] as [heads, n, d]; [n, d] as one head.
static Value flattenHeads(OpBuilder &b, Location loc, Value tensor,
                          int64_t trailing) {
  auto type = cast<RankedTensorType>(tensor.getType());
  int64_t batch = type.getRank() - trailing;
  if (batch == 1)
    return tensor;
  SmallVector<ReassociationIndices> groups(1);
  for (int64_t i = 0; i < std::max<int64_t>(batch, 0); ++i)
    groups[0].push_back(i);
  for (int64_t i = 0; i < trailing; ++i)
    groups.push_back({batch + i});
  if (batch > 1)
    return tensor::CollapseShapeOp::create(b, loc, tensor, groups);
  SmallVector<int64_t> shape = {1};
  llvm::append_range(shape, type.getShape());
  groups.clear();
  groups.push_back({0, 1});
  for (int64_t i = 1; i < trailing; ++i)
    groups.push_back({i + 1});
  return tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
      groups);
}

/// The tensor's contents as a memref that is only read.
static Value toBuffer(OpBuilder &b, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return bufferization::ToBufferOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), tensor,
      /*read_only=*/true);
}

/// A tensor [.., h, n, d] as a memref [heads, n, d] that is only read.
static Value headsBuffer(OpBuilder &b, Location loc, Value tensor) {
  return toBuffer(b, loc, flattenHeads(b, loc, tensor, 2));
}

/// Key weights repeated to [key heads, m].
static Value weightsPerHead(OpBuilder &b, Location loc, Value weights,
                            Value key) {
  TensorLoops loops{b, loc, b.getF32Type()};
  Sizes sizes = tensor::getMixedSizes(b, loc, key);
  sizes.pop_back();
  sizes.back() = OpFoldResult(); // m is never repeated
  return flattenHeads(b, loc, loops.repeat(weights, sizes), 1);
}

/// The same as a memref that is only read; null without weights.
static Value weightsBuffer(OpBuilder &b, Location loc, Value weights,
                           Value key) {
  if (!weights)
    return {};
  return toBuffer(b, loc, weightsPerHead(b, loc, weights, key));
}

/// A result's memory. Its last size is that of `columns`, the others those of
/// `rows`.
static Value allocateOutput(OpBuilder &b, Location loc, RankedTensorType type,
                            Value rows, Value columns) {
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(tensor::DimOp::create(
          b, loc, i + 1 < type.getRank() ? rows : columns, i));
  return memref::AllocOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes,
      b.getI64IntegerAttr(cacheLineBytes));
}

/// Memory as [heads, n, e].
static Value toHeads(OpBuilder &b, Location loc, Value output) {
  auto type = cast<MemRefType>(output.getType());
  int64_t rank = type.getRank();
  if (rank == 3)
    return output;
  if (rank == 2) {
    SmallVector<int64_t> shape = {1, type.getDimSize(0), type.getDimSize(1)};
    return memref::ExpandShapeOp::create(
        b, loc, shape, output, SmallVector<ReassociationIndices>{{0, 1}, {2}});
  }
  SmallVector<ReassociationIndices> groups(3);
  for (int64_t i = 0; i < rank; ++i)
    groups[std::max<int64_t>(0, i - (rank - 3))].push_back(i);
  return memref::CollapseShapeOp::create(b, loc, output, groups);
}

/// Why the pass leaves an attention to the reference lowering; empty if it
/// takes it.
static std::string whyNotTaken(ApproximableOpInterface op) {
  AttentionSizes sizes = op.getSizes();
  if (op.getElementType().isF64())
    return "its element type is f64";
  if (ShapedType::isDynamic(sizes.headDim) ||
      ShapedType::isDynamic(sizes.valueDim))
    return "its head dimension is dynamic";
  for (Type type : op->getOperandTypes())
    if (cast<RankedTensorType>(type).getEncoding())
      return "a tensor has an encoding";
  if (sizes.headDim == 0 || sizes.valueDim == 0)
    return "its head dimension is 0";
  return {};
}

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

struct LowerAttention : OpRewritePattern<AttentionOp> {
  LowerAttention(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &b) const override {
    std::string reason = whyNotTaken(op);
    if (!reason.empty())
      return b.notifyMatchFailure(op, reason);
    Location loc = op.getLoc();
    emitShapeChecks(b, op);
    Emitter e(b, loc, target);
    AttentionEmitter::Operands operands{headsBuffer(b, loc, op.getQuery()),
                                        headsBuffer(b, loc, op.getKey()),
                                        headsBuffer(b, loc, op.getValue()),
                                        {},
                                        {},
                                        {},
                                        {},
                                        op.getNanRows()};
    operands.weights = weightsBuffer(b, loc, op.getKeyWeights(), op.getKey());
    if (op.getBias()) {
      operands.bias = toBuffer(b, loc, op.getBias());
      for (int64_t i = 0; i + 2 < op.getQueryType().getRank(); ++i)
        operands.batch.push_back(
            b.createOrFold<tensor::DimOp>(loc, op.getQuery(), i));
    }
    Value output =
        allocateOutput(b, loc, op.getType(), op.getQuery(), op.getValue());
    operands.output = toHeads(b, loc, output);
    AttentionEmitter emitter(e, target, op, operands);
    if (op.getEvaluation() == Evaluation::State)
      emitter.emitState();
    else
      emitter.emitDirect();
    b.replaceOpWithNewOp<bufferization::ToTensorOp>(op, op.getType(), output,
                                                    /*restrict=*/true,
                                                    /*writable=*/true);
    return success();
  }

private:
  const TargetDescription &target;
};

struct LowerTensorAttention : OpRewritePattern<TensorAttentionOp> {
  LowerTensorAttention(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(TensorAttentionOp op,
                                PatternRewriter &b) const override {
    // Canonicalisation makes attn.attention of it.
    if (op.getOrder() == 1)
      return TensorAttentionOp::canonicalize(op, b);
    std::string reason = whyNotTaken(op);
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
    b.replaceOpWithNewOp<bufferization::ToTensorOp>(op, op.getType(), output,
                                                    /*restrict=*/true,
                                                    /*writable=*/true);
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
    b.replaceOpWithNewOp<bufferization::ToTensorOp>(
        op, op.getCentred().getType(), output, /*restrict=*/true,
        /*writable=*/true);
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
    patterns.add<LowerAttention, LowerTensorAttention, LowerCheckBound,
                 LowerCenterKeys>(&getContext(), *description);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation()->walk([](ApproximableOpInterface op) { remarkLeft(op); });
  }

  static void remarkLeft(ApproximableOpInterface op) {
    remark::missed(op.getLoc(), remark::RemarkOpts::name("NoVectorCode")
                                    .category("polyattn")
                                    .subCategory("lower-to-vector"))
        << ("no vector code: " + whyNotTaken(op) +
            "; the reference lowering takes it, which is slow");
  }
};

} // namespace
