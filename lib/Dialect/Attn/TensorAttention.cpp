// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn.tensor_attention: verification, type inference, canonicalisation and
// interface methods.

#include "OpSupport.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

LogicalResult
TensorAttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                    TensorAttentionOp::Adaptor adaptor,
                                    SmallVectorImpl<Type> &inferred) {
  auto query = dyn_cast<RankedTensorType>(adaptor.getQuery().getType());
  if (!query || query.getRank() < 2 || adaptor.getValues().empty())
    return emitOptionalError(loc, "'attn.tensor_attention' op needs a query of "
                                  "at least the dimensions [n, d], and values");
  SmallVector<int64_t> shape(query.getShape());
  shape.back() =
      cast<ShapedType>(adaptor.getValues()[0].getType()).getShape().back();
  inferred.push_back(RankedTensorType::get(shape, query.getElementType()));
  return success();
}

/// All sets of values have as many columns.
static LogicalResult verifyColumns(TensorAttentionOp op) {
  int64_t first = typeOf(op.getValues()[0]).getShape().back();
  for (auto [t, value] : llvm::enumerate(op.getValues()))
    if (int64_t columns = typeOf(value).getShape().back();
        !mayEqual(columns, first))
      return op.emitOpError("values have ")
             << first << " columns in the first set but " << columns
             << " in set " << t + 1;
  return success();
}

/// Every set of keys has the same heads: a state is a product over the sets.
static LogicalResult verifyKeySet(TensorAttentionOp op, size_t t) {
  RankedTensorType first = typeOf(op.getKeys()[0]),
                   key = typeOf(op.getKeys()[t]);
  Value weights = op.getKeyWeights().empty() ? Value() : op.getKeyWeights()[t];
  if (failed(verifyQueryKey(op, op.getQueryType(), key)) ||
      failed(verifyValue(op, key, typeOf(op.getValues()[t]))) ||
      failed(verifyKeyWeights(op, weights, key)))
    return failure();
  for (int64_t i = 0; i + 2 < key.getRank(); ++i)
    if (!mayEqual(first.getDimSize(i), key.getDimSize(i)))
      return op.emitOpError("batch dimension ")
             << i << " of the first keys is " << first.getDimSize(i)
             << " but that of set " << t + 1 << " is " << key.getDimSize(i);
  return success();
}

LogicalResult TensorAttentionOp::verify() {
  size_t order = getKeys().size();
  if (order == 0 || order > largestOrder)
    return emitOpError("has ")
           << order << " sets of keys; it needs 1 to " << largestOrder;
  if (getValues().size() != order)
    return emitOpError("has ") << order << " sets of keys but "
                               << getValues().size() << " of values";
  if (!getKeyWeights().empty() && getKeyWeights().size() != order)
    return emitOpError("has ")
           << order << " sets of keys but " << getKeyWeights().size()
           << " of key_weights; give one for each (1 where all keys count "
              "alike), or none";
  if (getMasks() && getMasks()->size() != 1 && getMasks()->size() != order)
    return emitOpError("has ")
           << getMasks()->size()
           << " masks; give one for all sets of keys, or one for each of "
           << order;
  for (size_t t = 0; t < order; ++t)
    if (failed(verifyKeySet(*this, t)))
      return failure();
  if (failed(verifyColumns(*this)) || failed(verifyScale(*this, getScale())) ||
      failed(verifyHeadBounds(*this)))
    return failure();
  return verifyEvaluation(*this);
}

SmallVector<MaskAttrInterface> TensorAttentionOp::getMaskOfEachSet() {
  if (!getMasks())
    return SmallVector<MaskAttrInterface>(getOrder(),
                                          FullMaskAttr::get(getContext()));
  SmallVector<MaskAttrInterface> masks(
      getMasks()->getAsRange<MaskAttrInterface>());
  if (masks.size() == 1)
    masks.resize(getOrder(), masks[0]);
  return masks;
}

//===----------------------------------------------------------------------===//
// ApproximableOpInterface
//===----------------------------------------------------------------------===//

AttentionSizes TensorAttentionOp::getSizes() {
  RankedTensorType query = getQueryType(), key = typeOf(getKeys()[0]);
  int64_t rank = query.getRank();
  return {
      product(batchShape(query)), product(batchShape(key)),
      query.getDimSize(rank - 2), key.getDimSize(rank - 2),
      query.getDimSize(rank - 1), typeOf(getValues()[0]).getDimSize(rank - 1)};
}

SmallVector<KeyAxis, 2> TensorAttentionOp::getKeyAxes() {
  SmallVector<KeyAxis, 2> axes;
  int64_t dim = getQueryType().getRank() - 2;
  for (auto [key, mask] : llvm::zip_equal(getKeys(), getMaskOfEachSet()))
    axes.push_back({typeOf(key).getDimSize(dim), {key, dim}, mask});
  return axes;
}

std::string TensorAttentionOp::whyNoState() { return whyNoFeatures(*this); }

/// The check holds l_{p+1} norms to its limit, and |x|_2 is at most
/// d^(1/2 - 1/(p+1)) |x|_{p+1}.
static double normLimitOfCheck(TensorAttentionOp op, double maxNorm) {
  double exponent = 0.5 - 1.0 / (op.getOrder() + 1);
  double most = std::pow(double(op.getSizes().headDim), exponent);
  return maxNorm / (most * (1 + 0x1p-40));
}

Value TensorAttentionOp::emitBoundCheck(OpBuilder &builder,
                                        const InputLimits &limits) {
  auto real = [&](double x) { return builder.getF64FloatAttr(x); };
  return CheckBoundOp::create(
      builder, getLoc(), getQuery(), getKeys()[0], getKeys().drop_front(),
      Value(), getScaleAttr(), real(limits.bound),
      real(normLimitOfCheck(*this, limits.maxNorm)), FloatAttr(), FloatAttr(),
      MaskAttrInterface(FullMaskAttr::get(getContext())));
}

bool TensorAttentionOp::isBoundCheck(Value condition,
                                     const InputLimits &limits) {
  auto check = condition.getDefiningOp<CheckBoundOp>();
  return check && !limits.moments && check.getQuery() == getQuery() &&
         llvm::equal(check.getAllKeys(), getKeys()) &&
         check.getScaleAttr() == getScaleAttr() &&
         check.getBound().convertToDouble() <= limits.bound &&
         check.getMaxNorm().convertToDouble() <=
             normLimitOfCheck(*this, limits.maxNorm);
}

std::string TensorAttentionOp::whyNoMoments() {
  return "there is no check of the moments of tensor attention's scores";
}

/// Only asked for where moments can be checked.
Value TensorAttentionOp::emitCentredKeys(OpBuilder &) { return {}; }

void TensorAttentionOp::setKeys(Value) {
  llvm_unreachable("keys of several sets are never replaced by centred ones");
}

/// Only exact rows beside a moment certificate are cut off.
Operation *TensorAttentionOp::emitRows(OpBuilder &, int64_t, int64_t) {
  return nullptr;
}

std::string TensorAttentionOp::whyNoRecord() {
  return "statistics are recorded of attn.attention only; declare a bound of "
         "this op, it is checked at run time";
}

Operation *TensorAttentionOp::emitRecord(OpBuilder &, StringRef) {
  llvm_unreachable("whyNoRecord says so");
}

Operation *TensorAttentionOp::emitHeads(OpBuilder &builder, int64_t from,
                                        int64_t to) {
  return emitHeadsOf(
      builder, *this, getQueryType(), typeOf(getKeys()[0]), from, to,
      [&](OpOperand &operand) { return &operand == &getQueryMutable(); });
}

//===----------------------------------------------------------------------===//
// Canonicalisation
//===----------------------------------------------------------------------===//

/// One set of keys is ordinary attention.
static LogicalResult toAttention(TensorAttentionOp op,
                                 PatternRewriter &rewriter) {
  if (op.getOrder() != 1)
    return rewriter.notifyMatchFailure(op, "it has several sets of keys");
  Value weights = op.getKeyWeights().empty() ? Value() : op.getKeyWeights()[0];
  rewriter.replaceOpWithNewOp<AttentionOp>(
      op, op.getType(), op.getQuery(), op.getKeys()[0], op.getValues()[0],
      /*bias=*/Value(), weights, op.getScaleAttr(), op.getKernel(),
      op.getMaskOfEachSet()[0], op.getBoundAttr(), op.getHeadBoundsAttr(),
      op.getCertificateAttr(), op.getEvaluationAttr(), op.getNanRowsAttr());
  return success();
}

LogicalResult TensorAttentionOp::canonicalize(TensorAttentionOp op,
                                              PatternRewriter &rewriter) {
  return toAttention(op, rewriter);
}
