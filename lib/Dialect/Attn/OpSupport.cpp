// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "OpSupport.h"
#include "polyattn/Approximation/Monomials.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Equal, or not known to differ.
bool polyattn::attn::mayEqual(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

/// [n, d] has no batch dimension, [.., h, n, d] has rank - 2 of them.
ArrayRef<int64_t> polyattn::attn::batchShape(RankedTensorType type) {
  return type.getShape().drop_back(2);
}

int64_t polyattn::attn::product(ArrayRef<int64_t> dims) {
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
LogicalResult polyattn::attn::verifyHeads(Operation *op, RankedTensorType query,
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
LogicalResult polyattn::attn::verifyQueryKey(Operation *op,
                                             RankedTensorType query,
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
LogicalResult polyattn::attn::verifyValue(Operation *op, RankedTensorType key,
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

LogicalResult polyattn::attn::verifyScale(Operation *op, const APFloat &scale) {
  if (!scale.isFinite())
    return op->emitOpError("scale must be finite");
  return success();
}

/// Each dimension of `type` equals that of `shape` or is 1.
LogicalResult polyattn::attn::verifyBroadcast(Operation *op, StringRef what,
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
LogicalResult polyattn::attn::verifyKeyWeights(Operation *op, Value weights,
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

LogicalResult polyattn::attn::verifyBias(Operation *op, Value bias,
                                         RankedTensorType query,
                                         RankedTensorType key) {
  if (!bias)
    return success();
  auto type = cast<RankedTensorType>(bias.getType());
  if (type.getElementType() != query.getElementType())
    return op->emitOpError("bias has element type ")
           << type.getElementType() << " but query has "
           << query.getElementType();
  SmallVector<int64_t> shape(query.getShape());
  shape.back() = key.getDimSize(key.getRank() - 2);
  return verifyBroadcast(op, "bias", type, shape);
}

/// One bound for each query head, beside one that covers all of them.
LogicalResult polyattn::attn::verifyHeadBounds(ApproximableOpInterface op) {
  std::optional<ArrayAttr> bounds = op.getHeadBounds();
  if (!bounds)
    return success();
  int64_t heads = op.getNumHeads();
  if (int64_t(bounds->size()) != heads)
    return op->emitOpError("has ")
           << bounds->size() << " head_bounds; it must have as many as query "
           << "heads, and their number must be static";
  if (!op.getBound())
    return op->emitOpError("has head_bounds but no bound; `bound` covers all "
                           "heads, so it is the largest of them");
  for (auto [i, bound] : llvm::enumerate(bounds->getAsRange<BoundAttr>()))
    if (bound.getValue() > op.getBound()->getValue())
      return op->emitOpError("bound of head ")
             << i << " exceeds the op's bound, which covers all heads";
  return success();
}

/// What a certificate, and evaluation through a state, ask of the kernel.
LogicalResult polyattn::attn::verifyEvaluation(ApproximableOpInterface op) {
  if (op.getCertificate() && !op.getKernel().getPolynomial())
    return op->emitOpError(
        "has a certificate but its kernel is not a polynomial");
  if (op.getEvaluation() != Evaluation::State)
    return success();
  if (!op.getKernel().getPolynomial())
    return op->emitOpError("cannot be evaluated through a state: its kernel is "
                           "not a polynomial");
  std::string reason = op.whyNoState();
  if (!reason.empty())
    return op->emitOpError("cannot be evaluated through a state: ") << reason;
  return success();
}

//===----------------------------------------------------------------------===//
// What ops of attention share
//===----------------------------------------------------------------------===//

/// Tables and states beyond this rank would not fit any machine sensibly.
static constexpr uint64_t largestRank = 1 << 20;

std::string polyattn::attn::whyNoFeatures(ApproximableOpInterface op) {
  AttentionSizes sizes = op.getSizes();
  if (ShapedType::isDynamic(sizes.headDim) ||
      ShapedType::isDynamic(sizes.valueDim))
    return "its head dimension is dynamic";
  if (std::optional<ArrayRef<double>> c = op.getKernel().getPolynomial()) {
    uint64_t rank = monomialCount(sizes.headDim, c->size() - 1);
    if (rank > largestRank)
      return "its rank " + std::to_string(rank) + " exceeds " +
             std::to_string(largestRank);
    ElementKind kind =
        op.getElementType().isF64() ? ElementKind::F64 : ElementKind::F32;
    if (!weightsAreNormal(c->vec(), op.getScale().convertToDouble(), kind))
      return "its feature weights leave the range of normal numbers";
  }
  return {};
}

/// Indices [from, to) of one dimension; all of a dimension that is 1.
Value polyattn::attn::emitSliceOf(OpBuilder &builder, Location loc,
                                  Value tensor, int64_t dim, int64_t from,
                                  int64_t to) {
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

Operation *
polyattn::attn::emitHeadsOf(OpBuilder &builder, ApproximableOpInterface op,
                            RankedTensorType query, RankedTensorType key,
                            int64_t from, int64_t to,
                            function_ref<bool(OpOperand &)> isPerQueryHead) {
  int64_t dim = query.getRank() - 3;
  if (dim < 0)
    return nullptr;
  int64_t heads = query.getDimSize(dim), keyHeads = key.getDimSize(dim);
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(keyHeads))
    return nullptr;
  int64_t group = heads / keyHeads;
  if (from % group != 0 || to % group != 0)
    return nullptr;
  SmallVector<Value> slices;
  for (OpOperand &operand : op->getOpOperands()) {
    int64_t share = isPerQueryHead(operand) ? 1 : group;
    slices.push_back(emitSliceOf(builder, op.getLoc(), operand.get(), dim,
                                 from / share, to / share));
  }
  auto copy = cast<ApproximableOpInterface>(builder.clone(*op));
  copy->setOperands(slices);
  if (std::optional<ArrayAttr> bounds = op.getHeadBounds())
    copy.setBound(*op.getBound(), builder.getArrayAttr(bounds->getValue().slice(
                                      from, to - from)));
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = to - from;
  copy->getResult(0).setType(
      RankedTensorType::get(shape, type.getElementType()));
  return copy;
}
