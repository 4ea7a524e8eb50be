// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn.attention, attn.normalizer and attn.attention_grad: from tensors to what
// AttentionEmitter and GradientEmitter work on.

#include "LowerAttention.h"
#include "../ShapeChecks.h"
#include "Gradient.h"
#include "HeadMemory.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

std::string polyattn::attn::whyNoAttentionCode(ApproximableOpInterface op) {
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

static std::string whyNoCode(Operation *op) {
  for (Type type : op->getOperandTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    if (tensor.getEncoding())
      return "a tensor has an encoding";
    if (tensor.getElementType().isF64())
      return "its element type is f64";
  }
  return {};
}

static std::string whyNoDims(ArrayRef<Value> rows) {
  for (Value tensor : rows) {
    int64_t dim = cast<RankedTensorType>(tensor.getType()).getShape().back();
    if (ShapedType::isDynamic(dim))
      return "its head dimension is dynamic";
    if (dim == 0)
      return "its head dimension is 0";
  }
  return {};
}

std::string polyattn::attn::whyNoGradientCode(Operation *op) {
  if (!isa<NormalizerOp, AttentionGradOp>(op))
    return {};
  if (std::string reason = whyNoCode(op); !reason.empty())
    return reason;
  if (auto normalizer = dyn_cast<NormalizerOp>(op))
    return whyNoDims({normalizer.getKey()});
  auto grad = cast<AttentionGradOp>(op);
  auto isUsed = [](Value result) { return result && !result.use_empty(); };
  if (isUsed(grad.getGradBias()))
    return "the gradient of its bias is used";
  if (isUsed(grad.getGradKeyWeights()))
    return "the gradient of its key weights is used";
  return whyNoDims({grad.getKey(), grad.getValue()});
}

/// The normalizer of this very attention, if one stands after it in its block
/// and has vector code: what computes the attention stores it on the way.
static NormalizerOp normalizerOf(AttentionOp op) {
  // A state has no tiles of scores that it could be read off.
  if (op.getEvaluation() == Evaluation::State)
    return {};
  auto isOf = [&](NormalizerOp other) {
    return other->getBlock() == op->getBlock() && op->isBeforeInBlock(other) &&
           other.getKey() == op.getKey() && other.getQuery() == op.getQuery() &&
           other.getBias() == op.getBias() &&
           other.getKeyWeights() == op.getKeyWeights() &&
           other.getScale() == op.getScale() &&
           other.getKernel() == op.getKernel() &&
           other.getMask() == op.getMask() && whyNoGradientCode(other).empty();
  };
  for (Operation *user : op.getQuery().getUsers())
    if (auto other = dyn_cast<NormalizerOp>(user); other && isOf(other))
      return other;
  return {};
}

/// The attention that an op belongs to.
template <typename OpT>
static AttentionOp attentionOf(OpBuilder &b, OpT op, Value value,
                               RankedTensorType output) {
  return AttentionOp::create(b, op.getLoc(), output, op.getQuery(), op.getKey(),
                             value, op.getBias(), op.getKeyWeights(),
                             op.getScaleAttr(), op.getKernel(), op.getMask(),
                             BoundAttr(), ArrayAttr(), CertificateAttr(),
                             EvaluationAttr(), UnitAttr());
}

/// Replaces an attention and, if it is not null, its normalizer.
static void lowerAttention(PatternRewriter &b, AttentionOp op,
                           NormalizerOp normalizer,
                           const TargetDescription &target) {
  Location loc = op.getLoc();
  Emitter e(b, loc, target);
  AttentionEmitter::Operands operands = attentionOperands(b, loc, op);
  operands.nanRows = op.getNanRows();
  Value output =
      allocateOutput(b, loc, op.getType(), op.getQuery(), op.getValue());
  operands.output = toHeads(b, loc, output);
  Value sums;
  if (normalizer) {
    sums = allocateOutput(b, loc, normalizer.getSums().getType(), op.getQuery(),
                          op.getQuery());
    operands.normalizer = rowsOfHeads(b, loc, sums);
  }
  AttentionEmitter emitter(e, target, op, operands);
  if (op.getEvaluation() == Evaluation::State)
    emitter.emitState();
  else
    emitter.emitDirect();
  if (normalizer)
    b.replaceOp(normalizer,
                toTensor(b, loc, normalizer.getSums().getType(), sums));
  b.replaceOp(op, toTensor(b, loc, op.getType(), output));
}

namespace {

struct LowerAttention : OpRewritePattern<AttentionOp> {
  LowerAttention(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &b) const override {
    std::string reason = whyNoAttentionCode(op);
    if (!reason.empty())
      return b.notifyMatchFailure(op, reason);
    emitShapeChecks(b, op);
    lowerAttention(b, op, normalizerOf(op), target);
    return success();
  }

private:
  const TargetDescription &target;
};

struct LowerNormalizer : OpRewritePattern<NormalizerOp> {
  LowerNormalizer(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(NormalizerOp op,
                                PatternRewriter &b) const override {
    std::string reason = whyNoGradientCode(op);
    if (!reason.empty())
      return b.notifyMatchFailure(op, reason);
    for (Operation *user : op.getQuery().getUsers())
      if (auto other = dyn_cast<AttentionOp>(user);
          other && normalizerOf(other) == op)
        return b.notifyMatchFailure(op, "an attention will store it");
    emitShapeChecks(b, op);
    // An attention of any values.
    auto query = cast<RankedTensorType>(op.getQuery().getType());
    SmallVector<int64_t> shape(query.getShape());
    shape.back() =
        cast<RankedTensorType>(op.getKey().getType()).getShape().back();
    AttentionOp attention =
        attentionOf(b, op, op.getKey(),
                    RankedTensorType::get(shape, query.getElementType()));
    lowerAttention(b, attention, op, target);
    return success();
  }

private:
  const TargetDescription &target;
};

struct LowerGrad : OpRewritePattern<AttentionGradOp> {
  LowerGrad(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(AttentionGradOp op,
                                PatternRewriter &b) const override {
    std::string reason = whyNoGradientCode(op);
    if (!reason.empty())
      return b.notifyMatchFailure(op, reason);
    Location loc = op.getLoc();
    emitShapeChecks(b, op);
    Emitter e(b, loc, target);
    // Says what the gradient is of while its code is written.
    AttentionOp forward = attentionOf(
        b, op, op.getValue(), cast<RankedTensorType>(op.getOutput().getType()));
    SmallVector<Value> replacements(op->getNumResults());
    auto result = [&](Value like, unsigned number) -> Value {
      OpResult gradient = op->getResult(number);
      auto type = cast<RankedTensorType>(gradient.getType());
      if (gradient.use_empty())
        return {};
      Value memory = allocateOutput(b, loc, type, like, like);
      replacements[number] = memory;
      return toHeads(b, loc, memory);
    };
    GradientEmitter::Gradients gradients{
        headsBuffer(b, loc, op.getOutput()),
        rowsBuffer(b, loc, op.getNormalizer()),
        headsBuffer(b, loc, op.getGradOutput()),
        result(op.getQuery(), 0),
        result(op.getKey(), 1),
        result(op.getValue(), 2)};
    GradientEmitter(e, target, forward, attentionOperands(b, loc, op),
                    gradients)
        .emit();
    b.eraseOp(forward);
    for (auto [replacement, gradient] :
         llvm::zip_equal(replacements, op->getResults()))
      if (replacement)
        b.replaceAllUsesWith(
            gradient,
            toTensor(b, loc, cast<RankedTensorType>(gradient.getType()),
                     replacement));
    b.eraseOp(op);
    return success();
  }

private:
  const TargetDescription &target;
};

} // namespace

void polyattn::attn::addAttentionPatterns(RewritePatternSet &patterns,
                                          const TargetDescription &target) {
  patterns.add<LowerAttention, LowerNormalizer, LowerGrad>(
      patterns.getContext(), target);
}
