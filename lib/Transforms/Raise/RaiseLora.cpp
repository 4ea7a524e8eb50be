// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Linear layers with low-rank adapters: x W + scale (x A) B, and x M where M is
// W + scale A B.

#include "RaiseLora.h"
#include "../OpRemarks.h"
#include "LinearTerms.h"
#include "polyattn/Dialect/Attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral passName = "attn-raise";

namespace {

/// x W, an adapter's (x A) B, and what else they are added to.
struct Layer {
  std::optional<RowProduct> weight, first, second;
  double scale = 1;
  Value bias;
  /// What stopped it, once there is an adapter.
  std::string miss;
};

} // namespace

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

/// Columns of the product.
static int64_t columnsOf(const RowProduct &product) {
  return typeOf(product.matrix).getDimSize(product.transposed ? 0 : 1);
}
static int64_t depthOf(const RowProduct &product) {
  return typeOf(product.matrix).getDimSize(product.transposed ? 1 : 0);
}

/// Is (x A) B of such a rank an adapter?
static bool isLowRank(int64_t rank, int64_t in, int64_t out) {
  return ShapedType::isStatic(rank) && rank > 0 &&
         (ShapedType::isDynamic(in) || rank < in) &&
         (ShapedType::isDynamic(out) || rank < out);
}

//===----------------------------------------------------------------------===//
// Two products
//===----------------------------------------------------------------------===//

/// Takes `term` for the adapter if it is a product of a product.
static bool takeAdapter(Layer &layer, const LinearTerm &term) {
  auto second = findRowProduct(term.tensor);
  if (!second)
    return false;
  SmallVector<LinearTerm> middle = linearTerms(second->rows);
  if (middle.size() != 1 || middle[0].isBias)
    return false;
  auto first = findRowProduct(middle[0].tensor);
  if (!first)
    return false;
  layer.first = first;
  layer.second = second;
  layer.scale = term.factor * middle[0].factor;
  return std::isfinite(layer.scale);
}

/// An adapter times something that is no constant.
static bool isScaledAdapter(const LinearTerm &term) {
  Operation *op = term.tensor.getDefiningOp();
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  bool isProduct =
      isa_and_nonnull<arith::MulFOp>(op) ||
      (generic &&
       isa_and_nonnull<arith::MulFOp>(
           generic.getBody()->getTerminator()->getOperand(0).getDefiningOp()));
  return isProduct && llvm::any_of(op->getOperands(), [](Value operand) {
           Layer layer;
           return isa<RankedTensorType>(operand.getType()) &&
                  takeAdapter(layer, {1, operand});
         });
}

/// Whether nobody else sees the intermediate results.
static bool isUsedOnce(const RowProduct &product) {
  return product.op->hasOneUse();
}

static std::string whyNot(const Layer &layer) {
  if (skipRowReshapes(layer.first->rows) != skipRowReshapes(layer.weight->rows))
    return "its input is another tensor than that of the product with the "
           "weight";
  int64_t rank = columnsOf(*layer.first);
  if (!isLowRank(rank, depthOf(*layer.weight), columnsOf(*layer.weight)))
    return "its rank " +
           (ShapedType::isDynamic(rank) ? std::string("is not known")
                                        : std::to_string(rank)) +
           (ShapedType::isDynamic(rank) ? ""
                                        : " is no lower than the layer's "
                                          "sizes");
  for (const RowProduct *product :
       {&*layer.weight, &*layer.first, &*layer.second})
    if (!isUsedOnce(*product))
      return "one of its products is also used elsewhere";
  return {};
}

/// The layer that `op` computes; nothing if it has no adapter.
static std::optional<Layer> matchLayer(Operation *op) {
  SmallVector<LinearTerm> terms = linearTerms(op->getResult(0));
  Layer layer;
  SmallVector<LinearTerm> others;
  bool isScaled = false, hasProduct = false;
  for (const LinearTerm &term : terms)
    if (term.isBias || layer.second || !takeAdapter(layer, term)) {
      others.push_back(term);
      isScaled |= !term.isBias && isScaledAdapter(term);
      hasProduct |= !term.isBias && findRowProduct(term.tensor);
    }
  if (!layer.second && isScaled && hasProduct) {
    layer.miss = "its scale is not a constant";
    return layer;
  }
  if (!layer.second)
    return std::nullopt;
  for (const LinearTerm &term : others) {
    auto product = term.isBias ? std::nullopt : findRowProduct(term.tensor);
    if (product && !layer.weight) {
      layer.weight = product;
      if (term.factor != 1)
        layer.miss = "the product with the weight is scaled, too";
    } else if (term.isBias && !layer.bias && term.factor == 1) {
      layer.bias = term.tensor;
    } else {
      layer.miss = "something else is added in the same op";
    }
  }
  // A product of a product on its own, or beside a residual, is no adapter.
  if (!layer.weight)
    return std::nullopt;
  if (layer.miss.empty())
    layer.miss = whyNot(layer);
  return layer;
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

/// The matrix in the layout of the weight.
static Value inLayout(OpBuilder &b, Location loc, Value matrix,
                      bool isTransposed, bool transposed) {
  if (isTransposed == transposed)
    return matrix;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, matrix);
  std::reverse(sizes.begin(), sizes.end());
  Value empty =
      tensor::EmptyOp::create(b, loc, sizes, typeOf(matrix).getElementType());
  return linalg::TransposeOp::create(b, loc, matrix, empty,
                                     ArrayRef<int64_t>{1, 0})
      ->getResult(0);
}

static std::string describe(int64_t rank, double scale, const RowProduct &by) {
  auto size = [](int64_t size) {
    return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
  };
  return "adapter of rank " + size(rank) + ", scale " + readable(scale) +
         ", on " + size(depthOf(by)) + " x " + size(columnsOf(by));
}

/// `rows`, [rows, columns], with the dimensions of `like`.
static Value withRowsOf(OpBuilder &b, Location loc, Value rows, Value like) {
  RankedTensorType type = typeOf(like);
  if (rows.getType() == type)
    return rows;
  if (typeOf(rows).getRank() == type.getRank())
    return tensor::CastOp::create(b, loc, type, rows);
  return {};
}

static bool buildLayer(Operation *root, Layer &layer) {
  // The product has its rows as `x`; the sum may have grouped them anew, which
  // reshapes after it repeat.
  OpBuilder b(root);
  Location loc = root->getLoc();
  bool transposed = layer.weight->transposed;
  Value a = inLayout(b, loc, layer.first->matrix, layer.first->transposed,
                     transposed);
  Value down = inLayout(b, loc, layer.second->matrix, layer.second->transposed,
                        transposed);
  Value x = skipRowReshapes(layer.weight->rows);
  RankedTensorType type = typeOf(root->getResult(0)), rows = typeOf(x);
  // Whichever form of x has the result's leading dimensions.
  auto fits = [&](Value candidate) {
    return llvm::equal(typeOf(candidate).getShape().drop_back(),
                       type.getShape().drop_back());
  };
  for (Value form = layer.weight->rows; !fits(x) && form != x;) {
    if (fits(form)) {
      x = form;
      break;
    }
    Operation *reshape = form.getDefiningOp();
    form = reshape->getOperand(0);
  }
  if (!fits(x))
    return false;
  auto op =
      LoraLinearOp::create(b, loc, x, layer.weight->matrix, a, down, layer.bias,
                           /*adapters=*/Value(), b.getF64FloatAttr(layer.scale),
                           transposed ? b.getUnitAttr() : UnitAttr());
  Value result = withRowsOf(b, loc, op.getY(), root->getResult(0));
  emitPassed(op, passName,
             OpRemark("Raised", "raised to attn.lora_linear: " +
                                    describe(columnsOf(*layer.first),
                                             layer.scale, *layer.weight)));
  root->getResult(0).replaceAllUsesWith(result);
  return true;
}

//===----------------------------------------------------------------------===//
// One product with a merged weight
//===----------------------------------------------------------------------===//

/// x M, where M is W + scale L R.
static bool raiseMerged(Operation *op) {
  auto product = findRowProduct(op->getResult(0));
  if (!product || product->op != op)
    return false;
  Operation *sum = product->matrix.getDefiningOp();
  if (!sum || !isElementwiseSum(sum))
    return false;
  SmallVector<LinearTerm> terms = linearTerms(product->matrix);
  if (terms.size() != 2)
    return false;
  auto right = findRowProduct(terms[1].tensor);
  if (!right) {
    std::swap(terms[0], terms[1]);
    right = findRowProduct(terms[1].tensor);
  }
  if (!right || terms[0].isBias || terms[0].factor != 1 ||
      findRowProduct(terms[0].tensor) ||
      terms[0].tensor.getType() != product->matrix.getType() ||
      typeOf(right->rows).getRank() != 2)
    return false;
  if (!isLowRank(depthOf(*right), depthOf(*product), columnsOf(*product)) ||
      !std::isfinite(terms[1].factor))
    return false;
  OpBuilder b(op);
  Location loc = op->getLoc();
  // The sum is in the layout of M: [in, out] is A B, [out, in] is B A.
  Value l = right->rows,
        r = inLayout(b, loc, right->matrix, right->transposed, false);
  Value a = product->transposed ? r : l, down = product->transposed ? l : r;
  UnitAttr flag = product->transposed ? b.getUnitAttr() : UnitAttr();
  auto merge = LoraMergeOp::create(b, loc, terms[0].tensor, a, down,
                                   b.getF64FloatAttr(terms[1].factor), flag);
  // An adapter that adds nothing any more.
  auto layer = LoraLinearOp::create(b, loc, product->rows, merge, a, down,
                                    /*bias=*/Value(), /*adapters=*/Value(),
                                    b.getF64FloatAttr(0), flag);
  Value result = withRowsOf(b, loc, layer.getY(), op->getResult(0));
  emitPassed(merge, passName,
             OpRemark("Raised", "raised to attn.lora_merge: " +
                                    describe(depthOf(*right), terms[1].factor,
                                             *product)));
  op->getResult(0).replaceAllUsesWith(result);
  return true;
}

void polyattn::attn::raiseLora(Operation *scope) {
  SmallVector<Operation *> sums, products;
  scope->walk([&](Operation *op) {
    if (isElementwiseSum(op))
      sums.push_back(op);
    else if (isa<linalg::LinalgOp>(op) && op->getNumResults() == 1 &&
             isa<RankedTensorType>(op->getResult(0).getType()))
      products.push_back(op);
  });
  // Sums before what they are added to, so that an adapter is seen before a
  // residual.
  for (Operation *op : sums) {
    if (op->use_empty())
      continue;
    std::optional<Layer> layer = matchLayer(op);
    if (!layer)
      continue;
    if (layer->miss.empty() && !buildLayer(op, *layer))
      layer->miss = "its rows are grouped otherwise than its input's";
    if (!layer->miss.empty())
      emitMissed(op, passName,
                 OpRemark("NotRaised", "adapter not raised: " + layer->miss));
  }
  for (Operation *op : products)
    if (!op->use_empty())
      raiseMerged(op);
}
