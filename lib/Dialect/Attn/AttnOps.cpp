// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Verification, type inference, canonicalisation and interface methods of ops.

#include "polyattn/Dialect/Attn/Attn.h"
#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Approximation/Monomials.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

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
  for (auto [i, dims] : llvm::enumerate(llvm::zip(q.drop_back(), k.drop_back())))
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

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

LogicalResult AttentionOp::inferReturnTypes(
    MLIRContext *, std::optional<Location> loc, AttentionOp::Adaptor adaptor,
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
  if (value.getElementType() != key.getElementType())
    return emitOpError("key and value have different element types ")
           << key.getElementType() << " and " << value.getElementType();
  if (value.getRank() != key.getRank())
    return emitOpError("key has rank ")
           << key.getRank() << " but value has rank " << value.getRank();
  for (int64_t i = 0; i + 1 < key.getRank(); ++i)
    if (!mayEqual(key.getDimSize(i), value.getDimSize(i)))
      return emitOpError("dimension ")
             << i << " of key is " << key.getDimSize(i) << " but of value is "
             << value.getDimSize(i);
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
  if (Value weights = getKeyWeights()) {
    auto type = cast<RankedTensorType>(weights.getType());
    if (type.getElementType() != key.getElementType() &&
        !type.getElementType().isF32())
      return emitOpError("key_weights have element type ")
             << type.getElementType() << "; they must be f32 or "
             << key.getElementType();
    if (type.getRank() != key.getRank() - 1 ||
        !mayEqual(type.getShape().back(), numKeys))
      return emitOpError("key_weights must have the shape of key without its "
                         "last dimension, batch dimensions may be 1; found ")
             << type;
    if (failed(verifyBroadcast(*this, "key_weights", type,
                               key.getShape().drop_back())))
      return failure();
  }
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

void AttentionOp::setBound(BoundAttr bound) {
  if (bound)
    setBoundAttr(bound);
  else
    removeBoundAttr();
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
  return {product(batchShape(query)),  product(batchShape(key)),
          query.getDimSize(rank - 2),  key.getDimSize(rank - 2),
          query.getDimSize(rank - 1),  getValueType().getDimSize(rank - 1)};
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

Value AttentionOp::emitBoundCheck(OpBuilder &builder, double bound,
                                  double maxNorm) {
  return CheckBoundOp::create(builder, getLoc(), getQuery(), getKey(),
                              getScaleAttr(), builder.getF64FloatAttr(bound),
                              builder.getF64FloatAttr(maxNorm));
}

bool AttentionOp::isBoundCheck(Value condition, double bound, double maxNorm) {
  auto check = condition.getDefiningOp<CheckBoundOp>();
  return check && check.getQuery() == getQuery() && check.getKey() == getKey() &&
         check.getScaleAttr() == getScaleAttr() &&
         check.getBound().convertToDouble() <= bound &&
         check.getMaxNorm().convertToDouble() <= maxNorm;
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
  if (!op.getMask().admitsAll() &&
      admitsAllStatically(op.getMask(), op.getSizes())) {
    rewriter.modifyOpInPlace(op, [&] {
      op.setMaskAttr(FullMaskAttr::get(rewriter.getContext()));
    });
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
  return success();
}
