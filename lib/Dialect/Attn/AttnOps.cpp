// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Verification, type inference, canonicalisation and interface methods of ops.

#include "OpSupport.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "polyattn/Dialect/Attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

template <typename AttrT>
static ParseResult parsePlain(OpAsmParser &parser, AttrT &attr) {
  SMLoc loc = parser.getCurrentLocation();
  Attribute parsed = parsePlainAttr(parser);
  attr = dyn_cast_or_null<AttrT>(parsed);
  if (parsed && !attr)
    return parser.emitError(loc) << parsed << " cannot stand here";
  return success(bool(attr));
}
static void printPlain(OpAsmPrinter &printer, Operation *, Attribute attr) {
  printPlainAttr(printer, attr);
}

/// One mask for all key sets, or a list with one for each.
static ParseResult parseMasks(OpAsmParser &parser, ArrayAttr &masks) {
  SmallVector<Attribute> parsed;
  auto one = [&]() -> ParseResult {
    MaskAttrInterface mask;
    if (parsePlain(parser, mask))
      return failure();
    parsed.push_back(mask);
    return success();
  };
  if (succeeded(parser.parseOptionalLSquare())) {
    if (parser.parseCommaSeparatedList(one) || parser.parseRSquare())
      return failure();
  } else if (one()) {
    return failure();
  }
  masks = parser.getBuilder().getArrayAttr(parsed);
  return success();
}
static void printMasks(OpAsmPrinter &printer, Operation *, ArrayAttr masks) {
  if (masks.size() == 1)
    return printPlainAttr(printer, masks[0]);
  printer << "[";
  llvm::interleaveComma(masks, printer,
                        [&](Attribute mask) { printPlainAttr(printer, mask); });
  printer << "]";
}

/// One type for two.
static ParseResult parseSameType(OpAsmParser &parser, Type &first,
                                 Type &second) {
  if (parser.parseType(first))
    return failure();
  second = first;
  return success();
}
static void printSameType(OpAsmPrinter &printer, Operation *, Type first,
                          Type) {
  printer << first;
}

#include "polyattn/Dialect/Attn/AttnOpInterfaces.cpp.inc"
#define GET_OP_CLASSES
#include "polyattn/Dialect/Attn/AttnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            AttentionOp::Adaptor adaptor,
                                            SmallVectorImpl<Type> &inferred) {
  auto query = dyn_cast<RankedTensorType>(adaptor.getQuery().getType());
  auto value = dyn_cast<RankedTensorType>(adaptor.getValue().getType());
  if (!query || !value || query.getRank() < 2 || value.getRank() < 2)
    return emitOptionalError(loc, "'attn.attention' op query and value need at "
                                  "least the dimensions [n, d]");
  SmallVector<int64_t> shape(query.getShape());
  shape.back() = value.getShape().back();
  inferred.push_back(RankedTensorType::get(shape, query.getElementType()));
  return success();
}

LogicalResult AttentionOp::verify() {
  RankedTensorType query = getQueryType(), key = getKeyType(),
                   value = getValueType();
  if (failed(verifyQueryKey(*this, query, key)) ||
      failed(verifyScale(*this, getScale())))
    return failure();
  if (failed(verifyValue(*this, key, value)))
    return failure();
  if (failed(verifyBias(*this, getBias(), query, key)))
    return failure();
  if (failed(verifyKeyWeights(*this, getKeyWeights(), key)) ||
      failed(verifyHeadBounds(*this)))
    return failure();
  return verifyEvaluation(*this);
}

AttentionSizes AttentionOp::getSizes() {
  RankedTensorType query = getQueryType(), key = getKeyType();
  int64_t rank = query.getRank();
  return {product(batchShape(query)), product(batchShape(key)),
          query.getDimSize(rank - 2), key.getDimSize(rank - 2),
          query.getDimSize(rank - 1), getValueType().getDimSize(rank - 1)};
}

SmallVector<KeyAxis, 2> AttentionOp::getKeyAxes() {
  int64_t dim = getKeyType().getRank() - 2;
  return {{getKeyType().getDimSize(dim), {getKey(), dim}, getMask()}};
}

std::string AttentionOp::whyNoState() {
  if (getBias())
    return "its scores have an additive bias, which is no product of query and "
           "key features";
  return whyNoFeatures(*this);
}

Value AttentionOp::emitBoundCheck(OpBuilder &builder,
                                  const InputLimits &limits) {
  auto real = [&](double x) { return builder.getF64FloatAttr(x); };
  const std::optional<MomentLimits> &moments = limits.moments;
  // Norms do not depend on mask and key weights.
  return CheckBoundOp::create(
      builder, getLoc(), getQuery(), getKey(), ValueRange(),
      moments ? getKeyWeights() : Value(), getScaleAttr(), real(limits.bound),
      real(limits.maxNorm), moments ? real(moments->secondMoment) : FloatAttr(),
      moments ? real(moments->mean) : FloatAttr(),
      moments ? getMaskAttr()
              : MaskAttrInterface(FullMaskAttr::get(getContext())));
}

/// Does the check measure the moments of this op's rows, and hold them to the
/// limits?
static bool checksMoments(CheckBoundOp check, AttentionOp op,
                          const MomentLimits &limits) {
  return check.getSecondMoment() &&
         check.getSecondMoment()->convertToDouble() <= limits.secondMoment &&
         check.getMean()->convertToDouble() <= limits.mean &&
         check.getMask() == op.getMask() &&
         check.getKeyWeights() == op.getKeyWeights();
}

bool AttentionOp::isBoundCheck(Value condition, const InputLimits &limits) {
  auto check = condition.getDefiningOp<CheckBoundOp>();
  return check && check.getQuery() == getQuery() &&
         check.getKey() == getKey() && check.getFurtherKeys().empty() &&
         check.getScaleAttr() == getScaleAttr() &&
         check.getBound().convertToDouble() <= limits.bound &&
         check.getMaxNorm().convertToDouble() <= limits.maxNorm &&
         (!limits.moments || checksMoments(check, *this, *limits.moments));
}

std::string AttentionOp::whyNoMoments() {
  if (!getMask().startsAtZero())
    return "rows of its mask do not start at key 0";
  if (!getElementType().isF32())
    return "its element type is not f32";
  return {};
}

Value AttentionOp::emitCentredKeys(OpBuilder &builder) {
  return CenterKeysOp::create(builder, getLoc(), getKey(), getKeyWeights());
}

void AttentionOp::setKeys(Value keys) { getKeyMutable().assign(keys); }

Operation *AttentionOp::emitRecord(OpBuilder &builder, StringRef key) {
  return RecordOp::create(builder, getLoc(), getQuery(), getKey(), getValue(),
                          getKeyWeights(), getScaleAttr(), getMask(),
                          builder.getStringAttr(key));
}

Operation *AttentionOp::emitRows(OpBuilder &builder, int64_t from, int64_t to) {
  AttentionSizes sizes = getSizes();
  MaskAttrInterface mask =
      getMask().forRows(from, to, sizes.numQueries, sizes.numKeys);
  // A bias that is repeated along the rows would need no slice.
  if (!mask || getBias())
    return nullptr;
  Value rows = emitSliceOf(builder, getLoc(), getQuery(),
                           getQueryType().getRank() - 2, from, to);
  // Not by a mapping: one tensor may be query and key.
  auto copy = cast<AttentionOp>(builder.clone(*getOperation()));
  copy.getQueryMutable().assign(rows);
  copy.setMaskAttr(mask);
  SmallVector<int64_t> shape(getType().getShape());
  size_t row = shape.size() - 2;
  shape[row] = cast<RankedTensorType>(rows.getType()).getDimSize(row);
  copy->getResult(0).setType(
      RankedTensorType::get(shape, getType().getElementType()));
  return copy;
}

Operation *AttentionOp::emitHeads(OpBuilder &builder, int64_t from,
                                  int64_t to) {
  return emitHeadsOf(builder, *this, getQueryType(), getKeyType(), from, to,
                     [&](OpOperand &operand) {
                       return &operand == &getQueryMutable() ||
                              operand.get() == getBias();
                     });
}

/// Is the operand a constant of this one value throughout?
static bool isSplat(Value operand, double value) {
  SplatElementsAttr splat;
  return operand && matchPattern(operand, m_Constant(&splat)) &&
         splat.getSplatValue<APFloat>().convertToDouble() == value;
}

/// With these static lengths, does every query see every key?
static bool admitsAllStatically(MaskAttrInterface mask,
                                const AttentionSizes &sizes) {
  int64_t n = sizes.numQueries, m = sizes.numKeys;
  if (ShapedType::isDynamic(n) || ShapedType::isDynamic(m) || n == 0)
    return false;
  // Both ends never decrease: the last query has the latest begin, the first
  // the earliest end.
  return mask.getKeyRange(n - 1, n, m).begin <= 0 &&
         mask.getKeyRange(0, n, m).end >= m;
}

LogicalResult AttentionOp::canonicalize(AttentionOp op,
                                        PatternRewriter &rewriter) {
  if (isSplat(op.getKeyWeights(), 1.0)) {
    rewriter.modifyOpInPlace(op, [&] { op.getKeyWeightsMutable().clear(); });
    return success();
  }
  if (isSplat(op.getBias(), 0.0)) {
    rewriter.modifyOpInPlace(op, [&] { op.getBiasMutable().clear(); });
    return success();
  }
  MaskAttrInterface mask = op.getMask();
  if (!isa<FullMaskAttr>(mask) &&
      (mask.admitsAll() || admitsAllStatically(mask, op.getSizes()))) {
    rewriter.modifyOpInPlace(
        op, [&] { op.setMaskAttr(FullMaskAttr::get(rewriter.getContext())); });
    return success();
  }
  return rewriter.notifyMatchFailure(
      op, "no operand is neutral and the mask drops keys");
}

//===----------------------------------------------------------------------===//
// CheckBoundOp
//===----------------------------------------------------------------------===//

LogicalResult CheckBoundOp::verify() {
  for (Value key : getAllKeys())
    if (failed(verifyQueryKey(*this, getQuery().getType(),
                              cast<RankedTensorType>(key.getType()))))
      return failure();
  if (failed(verifyScale(*this, getScale())))
    return failure();
  if (getAllKeys().size() > largestOrder)
    return emitOpError("has ") << getAllKeys().size() << " key sets; at most "
                               << largestOrder << " are possible";
  if (getSecondMoment() && !getFurtherKeys().empty())
    return emitOpError("cannot check moments of several key sets");
  if (!getBound().isFinite() || getBound().isNegative())
    return emitOpError("bound must be finite and at least 0");
  if (!getMaxNorm().isFinite() || getMaxNorm().isNegative())
    return emitOpError("max_norm must be finite and at least 0");
  if (failed(verifyKeyWeights(*this, getKeyWeights(), getKey().getType())))
    return failure();
  if (!getSecondMoment()) {
    if (getKeyWeights() || !getMask().admitsAll())
      return emitOpError("has a mask or key_weights but no second_moment, and "
                         "norms do not depend on them");
    return success();
  }
  for (APFloat limit : {*getSecondMoment(), *getMean()})
    if (!limit.isFinite() || limit.isNegative())
      return emitOpError(
          "second_moment and mean must be finite and at least 0");
  if (!getMask().startsAtZero())
    return emitOpError("cannot check moments under a mask whose rows do not "
                       "start at key 0");
  return success();
}

//===----------------------------------------------------------------------===//
// CenterKeysOp
//===----------------------------------------------------------------------===//

LogicalResult CenterKeysOp::verify() {
  if (getKey().getType().getRank() < 2)
    return emitOpError("key needs at least the dimensions [m, d], found rank ")
           << getKey().getType().getRank();
  return verifyKeyWeights(*this, getKeyWeights(), getKey().getType());
}

//===----------------------------------------------------------------------===//
// RecordOp
//===----------------------------------------------------------------------===//

LogicalResult RecordOp::verify() {
  RankedTensorType query = getQuery().getType(), key = getKey().getType();
  if (failed(verifyQueryKey(*this, query, key)) ||
      failed(verifyScale(*this, getScale())) ||
      failed(verifyValue(*this, key, getValue().getType())) ||
      failed(verifyKeyWeights(*this, getKeyWeights(), key)))
    return failure();
  if (getKeyString().empty())
    return emitOpError("needs a key that names what is recorded");
  return success();
}
