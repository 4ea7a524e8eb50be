// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "LinearTerms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace polyattn::attn;

/// A float, or a tensor all of whose elements are that.
static std::optional<double> constantOf(Value value) {
  APFloat number(0.0);
  if (!matchPattern(value, m_ConstantFloat(&number))) {
    DenseElementsAttr dense;
    if (!matchPattern(value, m_Constant(&dense)) || !dense.isSplat() ||
        !isa<FloatType>(dense.getElementType()))
      return std::nullopt;
    number = dense.getSplatValue<APFloat>();
  }
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

template <typename ReshapeOp> static bool keepsColumns(ReshapeOp op) {
  auto groups = op.getReassociationIndices();
  return !groups.empty() && groups.back().size() == 1;
}

Value polyattn::attn::skipRowReshapes(Value tensor) {
  for (;;) {
    auto expand = tensor.getDefiningOp<tensor::ExpandShapeOp>();
    auto collapse = tensor.getDefiningOp<tensor::CollapseShapeOp>();
    if (expand && keepsColumns(expand))
      tensor = expand.getSrc();
    else if (collapse && keepsColumns(collapse))
      tensor = collapse.getSrc();
    else
      return tensor;
  }
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

namespace {
/// Collects what a value is a sum of, op by op.
struct Collector {
  SmallVector<LinearTerm> terms;
  bool isRoot = true;

  void addTensor(Value tensor, double factor);
  /// False if the value is no such sum; terms are then as before.
  bool addScalar(linalg::GenericOp op, Value scalar, double factor);
  bool addArithmetic(Operation *op, double factor,
                     function_ref<bool(Value, double)> add);
};
} // namespace

/// a + b, a - b, -a, a c and a / c for constants c.
bool Collector::addArithmetic(Operation *op, double factor,
                              function_ref<bool(Value, double)> add) {
  auto constantOfScalar = [](Value value) { return constantOf(value); };
  if (isa<arith::AddFOp>(op))
    return add(op->getOperand(0), factor) && add(op->getOperand(1), factor);
  if (isa<arith::SubFOp>(op))
    return add(op->getOperand(0), factor) && add(op->getOperand(1), -factor);
  if (isa<arith::NegFOp>(op))
    return add(op->getOperand(0), -factor);
  if (isa<arith::MulFOp>(op))
    for (int i : {0, 1})
      if (auto c = constantOfScalar(op->getOperand(i)))
        return add(op->getOperand(1 - i), factor * *c);
  if (isa<arith::DivFOp>(op))
    if (auto c = constantOfScalar(op->getOperand(1)))
      return add(op->getOperand(0), factor / *c);
  return false;
}

bool Collector::addScalar(linalg::GenericOp op, Value scalar, double factor) {
  auto argument = dyn_cast<BlockArgument>(scalar);
  if (!argument) {
    Operation *inner = scalar.getDefiningOp();
    return inner->getBlock() == op.getBody() &&
           addArithmetic(inner, factor, [&](Value value, double by) {
             return addScalar(op, value, by);
           });
  }
  if (argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= op.getNumDpsInputs())
    return false;
  OpOperand *operand = op.getDpsInputOperand(argument.getArgNumber());
  AffineMap map = op.getMatchingIndexingMap(operand);
  if (map.isIdentity()) {
    addTensor(operand->get(), factor);
    return true;
  }
  bool isBias = map.getNumResults() == 1 && map.getNumDims() > 1 &&
                map.getResult(0) ==
                    getAffineDimExpr(map.getNumDims() - 1, map.getContext());
  if (isBias)
    terms.push_back({factor, operand->get(), true});
  return isBias;
}

void Collector::addTensor(Value tensor, double factor) {
  Value rows = skipRowReshapes(tensor);
  // What others see has to be computed anyway.
  bool isShared = !isRoot && (!tensor.hasOneUse() || !rows.hasOneUse());
  Operation *op = isShared ? nullptr : rows.getDefiningOp();
  isRoot = false;
  size_t before = terms.size();
  if (auto generic = dyn_cast_or_null<linalg::GenericOp>(op)) {
    AffineMap out =
        generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
    if (generic.getNumReductionLoops() == 0 && generic.getNumResults() == 1 &&
        out.isIdentity() && generic.hasPureTensorSemantics() &&
        addScalar(generic, generic.getBody()->getTerminator()->getOperand(0),
                  factor))
      return;
  } else if (op && isa<RankedTensorType>(rows.getType()) &&
             addArithmetic(op, factor, [&](Value value, double by) {
               addTensor(value, by);
               return true;
             })) {
    return;
  }
  terms.truncate(before);
  terms.push_back({factor, rows});
}

SmallVector<LinearTerm> polyattn::attn::linearTerms(Value tensor) {
  Collector collector;
  collector.addTensor(tensor, 1);
  return std::move(collector.terms);
}

bool polyattn::attn::isElementwiseSum(Operation *op) {
  if (op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType()))
    return false;
  if (isa<arith::AddFOp, arith::SubFOp>(op))
    return true;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getNumReductionLoops() == 0 &&
         llvm::any_of(*generic.getBody(), [](Operation &inner) {
           return isa<arith::AddFOp, arith::SubFOp>(inner);
         });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Is each element of the result one of the first operand as it is?
static bool yieldsInput(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  return llvm::hasSingleElement(*body) &&
         body->getTerminator()->getOperand(0) == body->getArgument(0);
}

/// The matrix whose transposition it is, if it is one.
static Value skipTransposition(Value matrix, bool &transposed) {
  for (;;) {
    auto permuted = matrix.getDefiningOp<linalg::TransposeOp>();
    if (permuted && yieldsInput(permuted)) {
      matrix = permuted.getInput();
      transposed = !transposed;
      continue;
    }
    auto op = matrix.getDefiningOp<linalg::GenericOp>();
    if (!op || op.getNumDpsInputs() != 1 || op.getNumResults() != 1 ||
        op.getNumReductionLoops() != 0 || op.getNumLoops() != 2 ||
        !yieldsInput(op))
      return matrix;
    auto maps = op.getIndexingMapsArray();
    if (!maps[0].isPermutation() || !maps[1].isPermutation())
      return matrix;
    if (maps[0] != maps[1])
      transposed = !transposed;
    matrix = op.getInputs()[0];
  }
}

/// Does the body add products of what it is given, and do nothing else? (That
/// of a named op can be anything, too, and linalg's own question looks through
/// functions of one operand.)
static bool addsProducts(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  if (body->getNumArguments() != 3 || body->getOperations().size() != 3)
    return false;
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  auto isOf = [](Operation *op, Value a, Value b) {
    return (op->getOperand(0) == a && op->getOperand(1) == b) ||
           (op->getOperand(0) == b && op->getOperand(1) == a);
  };
  auto product = dyn_cast<arith::MulFOp>(body->front());
  return sum && product &&
         isOf(product, body->getArgument(0), body->getArgument(1)) &&
         isOf(sum, product, body->getArgument(2));
}

static bool isZeros(Value tensor) {
  auto fill = tensor.getDefiningOp<linalg::FillOp>();
  return fill && yieldsInput(fill) &&
         matchPattern(fill.getInputs()[0], m_AnyZeroFloat());
}

std::optional<RowProduct> polyattn::attn::findRowProduct(Value tensor) {
  auto op = skipRowReshapes(tensor).getDefiningOp<linalg::LinalgOp>();
  if (!op || op->getNumOperands() != 3 || op->getNumResults() != 1 ||
      !addsProducts(op) || !isZeros(op.getDpsInits()[0]))
    return std::nullopt;
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  for (Value operand : op->getOperands())
    if (getElementTypeOrSelf(operand.getType()) != element)
      return std::nullopt;
  if (!element.isF32() && !element.isF64())
    return std::nullopt;
  // Loops: rows in their order, columns, the sum.
  AffineMap rows = op.getIndexingMapsArray()[0],
            matrix = op.getIndexingMapsArray()[1],
            out = op.getIndexingMapsArray()[2];
  if (matrix.getNumResults() != 2 || rows.getNumResults() < 2 ||
      out.getNumResults() != rows.getNumResults() ||
      op.getNumReductionLoops() != 1)
    return std::nullopt;
  for (unsigned i = 0; i + 1 < rows.getNumResults(); ++i)
    if (rows.getResult(i) != out.getResult(i))
      return std::nullopt;
  AffineExpr k = rows.getResults().back(), n = out.getResults().back();
  bool plain = matrix.getResult(0) == k && matrix.getResult(1) == n;
  bool transposed = matrix.getResult(0) == n && matrix.getResult(1) == k;
  if (k == n || (!plain && !transposed))
    return std::nullopt;
  Value from = skipTransposition(op.getDpsInputs()[1], transposed);
  return RowProduct{op, op.getDpsInputs()[0], from, transposed};
}
