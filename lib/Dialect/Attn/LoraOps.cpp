// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn.lora_linear, attn.lora_merge, attn.lora_linear_grad: verification, type
// inference, canonicalisation.

#include "OpSupport.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

namespace {
/// Checks of one op's matrices, with an error at the op where they fail.
struct LoraVerifier {
  Operation *op;
  LoraLayout layout;
  RankedTensorType weight, a, b;
  /// Null without several adapters.
  RankedTensorType adapters;

  LogicalResult matrices();
  LogicalResult elements(Type element);
  LogicalResult rows(StringRef name, RankedTensorType x, int64_t columns);
  LogicalResult bias(RankedTensorType type, Type element);
  LogicalResult adapterRows(RankedTensorType x);

private:
  /// Of A or B, without the number of adapters.
  int64_t size(RankedTensorType type, int64_t dim) {
    return type.getDimSize(dim + (adapters ? 1 : 0));
  }
  LogicalResult ranks();
  LogicalResult equal(StringRef what, int64_t left, StringRef where,
                      int64_t right) {
    if (mayEqual(left, right))
      return success();
    return op->emitOpError()
           << what << " is " << left << " but " << where << " has " << right
           << (layout.transposed ? "; transposed matrices are [out, in], "
                                   "[r, in] and [out, r]"
                                 : "; matrices are [in, out], [in, r] and "
                                   "[r, out] without `transposed`");
  }
};
} // namespace

LogicalResult LoraVerifier::ranks() {
  if (weight.getRank() != 2)
    return op->emitOpError("needs a weight of two dimensions, found ")
           << weight;
  int64_t rank = adapters ? 3 : 2;
  for (RankedTensorType type : {a, b})
    if (type.getRank() != rank)
      return op->emitOpError("needs a and b of ")
             << (adapters ? "three dimensions, the first of which counts "
                            "adapters"
                          : "two dimensions, or `adapters` that say which one "
                            "each row uses")
             << ", found " << type;
  return success();
}

LogicalResult LoraVerifier::matrices() {
  if (failed(ranks()))
    return failure();
  if (adapters && !mayEqual(a.getDimSize(0), b.getDimSize(0)))
    return op->emitOpError("a has ")
           << a.getDimSize(0) << " adapters but b " << b.getDimSize(0);
  if (failed(equal("the input size of a", size(a, layout.in()), "weight",
                   weight.getDimSize(layout.in()))) ||
      failed(equal("the output size of b", size(b, layout.out()), "weight",
                   weight.getDimSize(layout.out()))))
    return failure();
  return equal("the rank of a", size(a, layout.out()), "b",
               size(b, layout.in()));
}

LogicalResult LoraVerifier::elements(Type element) {
  if (weight.getElementType() != element)
    return op->emitOpError("has inputs of ")
           << element << " but a weight of " << weight.getElementType();
  for (RankedTensorType type : {a, b})
    if (type.getElementType() != element &&
        !(type.getElementType().isF32() && !element.isF64()))
      return op->emitOpError("a and b must be of ")
             << element
             << (element.isF64() || element.isF32() ? "" : " or 'f32'")
             << ", found " << type.getElementType();
  return success();
}

/// [.., n, columns].
LogicalResult LoraVerifier::rows(StringRef name, RankedTensorType x,
                                 int64_t columns) {
  if (x.getRank() < 2)
    return op->emitOpError()
           << name << " needs at least the dimensions [n, columns], found "
           << x;
  return equal((name + "'s last dimension").str(), x.getShape().back(),
               "weight", columns);
}

LogicalResult LoraVerifier::bias(RankedTensorType type, Type element) {
  if (type.getRank() != 1 ||
      !mayEqual(type.getDimSize(0), weight.getDimSize(layout.out())))
    return op->emitOpError("bias must have one entry for each of ")
           << weight.getDimSize(layout.out()) << " outputs, found " << type;
  if (type.getElementType() != element &&
      !(type.getElementType().isF32() && !element.isF64()))
    return op->emitOpError("bias must be of ")
           << element << (element.isF64() || element.isF32() ? "" : " or 'f32'")
           << ", found " << type.getElementType();
  return success();
}

LogicalResult LoraVerifier::adapterRows(RankedTensorType x) {
  if (!adapters)
    return success();
  bool fits = adapters.getRank() == x.getRank() - 1;
  for (int64_t i = 0; fits && i < adapters.getRank(); ++i)
    fits = mayEqual(adapters.getDimSize(i), x.getDimSize(i));
  if (!fits)
    return op->emitOpError("adapters must have one entry for each row of x, "
                           "so the shape of x without its last dimension; "
                           "found ")
           << adapters << " beside " << x;
  return success();
}

template <typename OpT> static LoraVerifier verifierOf(OpT op, Value adapters) {
  return {op,
          {op.getTransposed()},
          op.getWeight().getType(),
          op.getA().getType(),
          op.getB().getType(),
          adapters ? typeOf(adapters) : RankedTensorType()};
}

LogicalResult LoraLinearOp::verify() {
  LoraVerifier verifier = verifierOf(*this, getAdapters());
  RankedTensorType x = getX().getType(), weight = getWeight().getType();
  if (failed(verifyScale(*this, getScale())) || failed(verifier.matrices()) ||
      failed(verifier.elements(x.getElementType())) ||
      failed(verifier.rows("x", x, weight.getDimSize(verifier.layout.in()))) ||
      failed(verifier.adapterRows(x)))
    return failure();
  return getBias() ? verifier.bias(typeOf(getBias()), x.getElementType())
                   : success();
}

LogicalResult LoraMergeOp::verify() {
  LoraVerifier verifier = verifierOf(*this, Value());
  if (failed(verifyScale(*this, getScale())) || failed(verifier.matrices()))
    return failure();
  return verifier.elements(getWeight().getType().getElementType());
}

LogicalResult LoraLinearGradOp::verify() {
  LoraVerifier verifier = verifierOf(*this, getAdapters());
  RankedTensorType x = getX().getType(), dy = getDy().getType(),
                   weight = getWeight().getType();
  if (failed(verifyScale(*this, getScale())) || failed(verifier.matrices()) ||
      failed(verifier.elements(x.getElementType())) ||
      failed(verifier.rows("x", x, weight.getDimSize(verifier.layout.in()))) ||
      failed(
          verifier.rows("dy", dy, weight.getDimSize(verifier.layout.out()))) ||
      failed(verifier.adapterRows(x)))
    return failure();
  bool alike =
      dy.getElementType() == x.getElementType() && dy.getRank() == x.getRank();
  for (int64_t i = 0; alike && i + 1 < x.getRank(); ++i)
    alike = mayEqual(dy.getDimSize(i), x.getDimSize(i));
  if (!alike)
    return emitOpError("dy must have x's element type and dimensions but the "
                       "last; found ")
           << dy << " beside " << x;
  if (getResults().empty())
    return emitOpError("computes nothing; ask for the gradient of x, a or b");
  for (auto [gradient, of] : {std::pair<Value, Value>{getDx(), getX()},
                              {getDa(), getA()},
                              {getDb(), getB()}})
    if (gradient && gradient.getType() != of.getType())
      return emitOpError("a gradient has the type of what it is of, ")
             << of.getType() << ", found " << gradient.getType();
  return success();
}

LogicalResult LoraLinearOp::inferReturnTypes(MLIRContext *,
                                             std::optional<Location> loc,
                                             LoraLinearOp::Adaptor adaptor,
                                             SmallVectorImpl<Type> &inferred) {
  auto x = dyn_cast<RankedTensorType>(adaptor.getX().getType());
  auto weight = dyn_cast<RankedTensorType>(adaptor.getWeight().getType());
  if (!x || !weight || x.getRank() < 2 || weight.getRank() != 2)
    return emitOptionalError(loc, "'", LoraLinearOp::getOperationName(),
                             "' op needs inputs [.., n, in] and a weight of "
                             "two dimensions");
  SmallVector<int64_t> shape(x.getShape());
  shape.back() = weight.getDimSize(LoraLayout{adaptor.getTransposed()}.out());
  inferred.push_back(RankedTensorType::get(shape, x.getElementType()));
  return success();
}

//===----------------------------------------------------------------------===//
// Canonicalisation
//===----------------------------------------------------------------------===//

bool polyattn::attn::addsNothing(Value a, Value b, double scale,
                                 bool transposed) {
  RankedTensorType type = typeOf(a);
  int64_t rankDim = type.getRank() - (transposed ? 2 : 1);
  return scale == 0 || type.getDimSize(rankDim) == 0 ||
         matchPattern(a, m_AnyZeroFloat()) || matchPattern(b, m_AnyZeroFloat());
}

/// A matrix with one dimension of size 0 stands for no adapter.
static Value emitNoAdapter(OpBuilder &b, Location loc, Value like,
                           int64_t rankDim) {
  RankedTensorType type = typeOf(like);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, like);
  SmallVector<OpFoldResult> last(ArrayRef(sizes).take_back(2));
  last[rankDim] = b.getIndexAttr(0);
  return tensor::EmptyOp::create(b, loc, last, type.getElementType());
}

LogicalResult LoraLinearOp::canonicalize(LoraLinearOp op,
                                         PatternRewriter &rewriter) {
  if (op.getBias() && matchPattern(op.getBias(), m_AnyZeroFloat())) {
    rewriter.modifyOpInPlace(op, [&] { op.getBiasMutable().clear(); });
    return success();
  }
  LoraLayout layout{op.getTransposed()};
  bool isPlain = !op.getAdapters() &&
                 op.getA().getType().getDimSize(layout.out()) == 0 &&
                 op.getScale().convertToDouble() == 0;
  if (isPlain ||
      !addsNothing(op.getA(), op.getB(), op.getScale().convertToDouble(),
                   op.getTransposed()))
    return failure();
  Value a = emitNoAdapter(rewriter, op.getLoc(), op.getA(), layout.out());
  Value b = emitNoAdapter(rewriter, op.getLoc(), op.getB(), layout.in());
  rewriter.modifyOpInPlace(op, [&] {
    op.getAdaptersMutable().clear();
    op.getAMutable().assign(a);
    op.getBMutable().assign(b);
    op.setScale(APFloat(0.0));
  });
  return success();
}

OpFoldResult LoraMergeOp::fold(FoldAdaptor) {
  if (addsNothing(getA(), getB(), getScale().convertToDouble(),
                  getTransposed()))
    return getWeight();
  return {};
}

/// Gradients that nobody reads are not computed.
LogicalResult LoraLinearGradOp::canonicalize(LoraLinearGradOp op,
                                             PatternRewriter &rewriter) {
  auto used = [](Value result) { return result && !result.use_empty(); };
  Value old[] = {op.getDx(), op.getDa(), op.getDb()};
  SmallVector<Type> types(3);
  bool changes = false, any = false;
  for (auto [type, result] : llvm::zip_equal(types, old)) {
    if (used(result))
      type = result.getType();
    changes |= result && !type;
    any |= bool(type);
  }
  if (!changes || !any)
    return failure();
  auto fewer = LoraLinearGradOp::create(
      rewriter, op.getLoc(), types[0], types[1], types[2], op.getDy(),
      op.getX(), op.getWeight(), op.getA(), op.getB(), op.getAdapters(),
      op.getScaleAttr(), op.getTransposedAttr());
  Value now[] = {fewer.getDx(), fewer.getDa(), fewer.getDb()};
  for (auto [before, after] : llvm::zip_equal(old, now))
    if (after)
      rewriter.replaceAllUsesWith(before, after);
  rewriter.eraseOp(op);
  return success();
}
