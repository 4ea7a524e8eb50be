// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Verification, type inference, canonicalisation and interface methods of ops.

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Approximation/Monomials.h"
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

#include "polyattn/Dialect/Attn/AttnOpInterfaces.cpp.inc"
#define GET_OP_CLASSES
#include "polyattn/Dialect/Attn/AttnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Equal, or not known to differ.
static bool mayEqual(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

/// [n, d] has no batch dimension, [.., h, n, d] has rank - 2 of them.
static ArrayRef<int64_t> batchShape(RankedTensorType type) {
  return type.getShape().drop_back(2);
}

static int64_t product(ArrayRef<int64_t> dims) {
  int64_t result = 1;
  for (int64_t d : dims) {
    if (ShapedType::isDynamic(d))
      return ShapedType::kDynamic;
    result *= d;
  }
  return result;
}

/// Batch dimensions of query and key agree; in the last one, heads, the
/// query's are a multiple of the key's.
static LogicalResult verifyHeads(Operation *op, RankedTensorType query,
                                 RankedTensorType key) {
  ArrayRef<int64_t> q = batchShape(query), k = batchShape(key);
  if (q.empty())
    return success();
  for (auto [i, dims] :
       llvm::enumerate(llvm::zip(q.drop_back(), k.drop_back())))
    if (!mayEqual(std::get<0>(dims), std::get<1>(dims)))
      return op->emitOpError("batch dimension ")
             << i << " of query is " << std::get<0>(dims) << " but of key is "
             << std::get<1>(dims);
  int64_t hq = q.back(), hk = k.back();
  if (ShapedType::isDynamic(hq) || ShapedType::isDynamic(hk))
    return success();
  if (hk == 0 ? hq != 0 : hq % hk != 0)
    return op->emitOpError("has ")
           << hq << " query heads, which is not a multiple of its " << hk
           << " key heads";
  return success();
}

/// Query and key agree in type, rank, head dimension and heads.
static LogicalResult verifyQueryKey(Operation *op, RankedTensorType query,
                                    RankedTensorType key) {
  if (query.getRank() < 2)
    return op->emitOpError("query needs at least the dimensions [n, d], found "
                           "rank ")
           << query.getRank();
  if (query.getElementType() != key.getElementType())
    return op->emitOpError("query and key have different element types ")
           << query.getElementType() << " and " << key.getElementType();
  if (query.getRank() != key.getRank())
    return op->emitOpError("query has rank ")
           << query.getRank() << " but key has rank " << key.getRank();
  int64_t d = query.getShape().back(), kd = key.getShape().back();
  if (!mayEqual(d, kd))
    return op->emitOpError("head dimension of query is ")
           << d << " but of key is " << kd;
  return verifyHeads(op, query, key);
}

/// One row of value for each of key.
static LogicalResult verifyValue(Operation *op, RankedTensorType key,
                                 RankedTensorType value) {
  if (value.getElementType() != key.getElementType())
    return op->emitOpError("key and value have different element types ")
           << key.getElementType() << " and " << value.getElementType();
  if (value.getRank() != key.getRank())
    return op->emitOpError("key has rank ")
           << key.getRank() << " but value has rank " << value.getRank();
  for (int64_t i = 0; i + 1 < key.getRank(); ++i)
    if (!mayEqual(key.getDimSize(i), value.getDimSize(i)))
      return op->emitOpError("dimension ")
             << i << " of key is " << key.getDimSize(i) << " but of value is "
             << value.getDimSize(i);
  return success();
}

static LogicalResult verifyScale(Operation *op, const APFloat &scale) {
  if (!scale.isFinite())
    return op->emitOpError("scale must be finite");
  return success();
}

/// Each dimension of `type` equals that of `shape` or is 1.
static LogicalResult verifyBroadcast(Operation *op, StringRef what,
                                     RankedTensorType type,
                                     ArrayRef<int64_t> shape) {
  if (type.getRank() != int64_t(shape.size()))
    return op->emitOpError() << what << " must have rank " << shape.size()
                             << ", found " << type.getRank();
  for (auto [i, dim] : llvm::enumerate(type.getShape()))
    if (dim != 1 && !mayEqual(dim, shape[i]))
      return op->emitOpError() << what << " dimension " << i << " is " << dim
                               << "; it must be 1 or " << shape[i];
  return success();
}

/// One weight for each key, in f32 or the keys' type; batch dimensions may
/// be 1.
static LogicalResult verifyKeyWeights(Operation *op, Value weights,
                                      RankedTensorType key) {
  if (!weights)
    return success();
  auto type = cast<RankedTensorType>(weights.getType());
  if (type.getElementType() != key.getElementType() &&
      !type.getElementType().isF32())
    return op->emitOpError("key_weights have element type ")
           << type.getElementType() << "; they must be f32 or "
           << key.getElementType();
  if (type.getRank() != key.getRank() - 1 ||
      !mayEqual(type.getShape().back(), key.getShape()[key.getRank() - 2]))
    return op->emitOpError("key_weights must have the shape of key without its "
                           "last dimension, batch dimensions may be 1; found ")
           << type;
  return verifyBroadcast(op, "key_weights", type, key.getShape().drop_back());
}

/// One bound for each query head, beside one that covers all of them.
static LogicalResult verifyHeadBounds(AttentionOp op) {
  std::optional<ArrayAttr> bounds = op.getHeadBounds();
  if (!bounds)
    return success();
  RankedTensorType query = op.getQueryType();
  int64_t heads = query.getRank() > 2 ? batchShape(query).back() : 1;
  if (int64_t(bounds->size()) != heads)
    return op.emitOpError("has ")
           << bounds->size() << " head_bounds; it must have as many as query "
           << "heads, and their number must be static";
  if (!op.getBound())
    return op.emitOpError("has head_bounds but no bound; `bound` covers all "
                          "heads, so it is the largest of them");
  for (auto [i, bound] : llvm::enumerate(bounds->getAsRange<BoundAttr>()))
    if (bound.getValue() > op.getBound()->getValue())
      return op.emitOpError("bound of head ")
             << i << " exceeds the op's bound, which covers all heads";
  return success();
}

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
  int64_t numKeys = key.getShape()[key.getRank() - 2];
  if (Value bias = getBias()) {
    auto type = cast<RankedTensorType>(bias.getType());
    SmallVector<int64_t> shape(query.getShape());
    shape.back() = numKeys;
    if (type.getElementType() != query.getElementType())
      return emitOpError("bias has element type ")
             << type.getElementType() << " but query has "
             << query.getElementType();
    if (failed(verifyBroadcast(*this, "bias", type, shape)))
      return failure();
  }
  if (failed(verifyKeyWeights(*this, getKeyWeights(), key)) ||
      failed(verifyHeadBounds(*this)))
    return failure();
  if (getCertificate() && !getKernel().getPolynomial())
    return emitOpError("has a certificate but its kernel is not a polynomial");
  if (getEvaluation() == Evaluation::State) {
    if (!getKernel().getPolynomial())
      return emitOpError("cannot be evaluated through a state: its kernel is "
                         "not a polynomial");
    std::string reason = whyNoState();
    if (!reason.empty())
      return emitOpError("cannot be evaluated through a state: ") << reason;
  }
  return success();
}

void AttentionOp::setKernel(KernelAttrInterface kernel) {
  setKernelAttr(kernel);
}

void AttentionOp::setBound(BoundAttr bound, ArrayAttr headBounds) {
  auto set = [&](StringAttr name, Attribute attr) {
    if (attr)
      (*this)->setAttr(name, attr);
    else
      (*this)->removeAttr(name);
  };
  set(getBoundAttrName(), bound);
  set(getHeadBoundsAttrName(), headBounds);
}

void AttentionOp::setCertificate(CertificateAttr certificate) {
  if (certificate)
    setCertificateAttr(certificate);
  else
    removeCertificateAttr();
}

void AttentionOp::setEvaluation(Evaluation evaluation) {
  setEvaluationAttr(EvaluationAttr::get(getContext(), evaluation));
}

FloatType AttentionOp::getElementType() {
  return cast<FloatType>(getQueryType().getElementType());
}

AttentionSizes AttentionOp::getSizes() {
  RankedTensorType query = getQueryType(), key = getKeyType();
  int64_t rank = query.getRank();
  return {product(batchShape(query)), product(batchShape(key)),
          query.getDimSize(rank - 2), key.getDimSize(rank - 2),
          query.getDimSize(rank - 1), getValueType().getDimSize(rank - 1)};
}

LengthDims AttentionOp::getLengthDims() {
  int64_t dim = getQueryType().getRank() - 2;
  return {{getQuery(), dim}, {getKey(), dim}};
}

/// Tables and states beyond this rank would not fit any machine sensibly.
static constexpr uint64_t largestRank = 1 << 20;

std::string AttentionOp::whyNoState() {
  AttentionSizes sizes = getSizes();
  if (getBias())
    return "its scores have an additive bias, which is no product of query and "
           "key features";
  if (ShapedType::isDynamic(sizes.headDim) ||
      ShapedType::isDynamic(sizes.valueDim))
    return "its head dimension is dynamic";
  if (std::optional<ArrayRef<double>> c = getKernel().getPolynomial()) {
    uint64_t rank = monomialCount(sizes.headDim, c->size() - 1);
    if (rank > largestRank)
      return "its rank " + std::to_string(rank) + " exceeds " +
             std::to_string(largestRank);
    ElementKind kind =
        getElementType().isF64() ? ElementKind::F64 : ElementKind::F32;
    if (!weightsAreNormal(c->vec(), getScale().convertToDouble(), kind))
      return "its feature weights leave the range of normal numbers";
  }
  return {};
}

Value AttentionOp::emitBoundCheck(OpBuilder &builder,
                                  const InputLimits &limits) {
  auto real = [&](double x) { return builder.getF64FloatAttr(x); };
  const std::optional<MomentLimits> &moments = limits.moments;
  // Norms do not depend on mask and key weights.
  return CheckBoundOp::create(
      builder, getLoc(), getQuery(), getKey(),
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
         check.getKey() == getKey() && check.getScaleAttr() == getScaleAttr() &&
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

int64_t AttentionOp::getNumHeads() {
  ArrayRef<int64_t> batch = batchShape(getQueryType());
  return batch.empty() ? 1 : batch.back();
}

Operation *AttentionOp::emitRecord(OpBuilder &builder, StringRef key) {
  return RecordOp::create(builder, getLoc(), getQuery(), getKey(), getValue(),
                          getKeyWeights(), getScaleAttr(), getMask(),
                          builder.getStringAttr(key));
}

/// Indices [from, to) of one dimension; all of a dimension that is 1.
static Value emitSliceOf(OpBuilder &builder, Location loc, Value tensor,
                         int64_t dim, int64_t from, int64_t to) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getDimSize(dim) == 1)
    return tensor;
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      strides(type.getRank(), builder.getIndexAttr(1)),
      sizes = tensor::getMixedSizes(builder, loc, tensor);
  offsets[dim] = builder.getIndexAttr(from);
  sizes[dim] = builder.getIndexAttr(to - from);
  return tensor::ExtractSliceOp::create(builder, loc, tensor, offsets, sizes,
                                        strides);
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
  RankedTensorType query = getQueryType();
  int64_t dim = query.getRank() - 3;
  if (dim < 0)
    return nullptr;
  int64_t heads = query.getDimSize(dim),
          keyHeads = getKeyType().getDimSize(dim);
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(keyHeads))
    return nullptr;
  int64_t group = heads / keyHeads;
  if (from % group != 0 || to % group != 0)
    return nullptr;
  SmallVector<std::pair<OpOperand *, int64_t>> shares = {
      {&getQueryMutable(), 1},
      {&getKeyMutable(), group},
      {&getValueMutable(), group}};
  if (getBias())
    shares.push_back({&getBiasMutable()[0], 1});
  if (getKeyWeights())
    shares.push_back({&getKeyWeightsMutable()[0], group});
  SmallVector<std::pair<unsigned, Value>> slices;
  for (auto [operand, share] : shares)
    slices.push_back({operand->getOperandNumber(),
                      emitSliceOf(builder, getLoc(), operand->get(), dim,
                                  from / share, to / share)});
  auto copy = cast<AttentionOp>(builder.clone(*getOperation()));
  for (auto [number, slice] : slices)
    copy->setOperand(number, slice);
  if (std::optional<ArrayAttr> bounds = getHeadBounds())
    copy.setHeadBoundsAttr(
        builder.getArrayAttr(bounds->getValue().slice(from, to - from)));
  SmallVector<int64_t> shape(getType().getShape());
  shape[dim] = to - from;
  copy->getResult(0).setType(
      RankedTensorType::get(shape, getType().getElementType()));
  return copy;
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
  if (failed(verifyQueryKey(*this, getQuery().getType(), getKey().getType())) ||
      failed(verifyScale(*this, getScale())))
    return failure();
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
