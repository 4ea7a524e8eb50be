// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace polyattn::attn;

/// The input that `x` is, through a conversion to a wider float; -1 if none.
static int inputOf(Value x, unsigned inputs) {
  if (auto wider = x.getDefiningOp<arith::ExtFOp>())
    x = wider.getIn();
  auto argument = dyn_cast<BlockArgument>(x);
  return argument && argument.getArgNumber() < inputs
             ? int(argument.getArgNumber())
             : -1;
}

/// What `select(index == input, sum, result)` selects by; `sum` becomes the
/// sum.
static std::optional<Selection> findSelection(linalg::LinalgOp op, Value &sum) {
  auto select = sum.getDefiningOp<arith::SelectOp>();
  if (!select || op.getNumDpsInputs() != 3 ||
      select.getFalseValue() != op.getRegionOutputArgs().front())
    return std::nullopt;
  auto equal = select.getCondition().getDefiningOp<arith::CmpIOp>();
  if (!equal || equal.getPredicate() != arith::CmpIPredicate::eq)
    return std::nullopt;
  auto index = equal.getLhs().getDefiningOp<linalg::IndexOp>();
  auto cast = equal.getRhs().getDefiningOp<arith::IndexCastOp>();
  OpOperand *operand = op.getDpsInputOperand(2);
  AffineMap map = op.getMatchingIndexingMap(operand);
  if (!index || !cast || inputOf(cast.getIn(), 3) != 2 ||
      map.getNumResults() != 1 || !isa<AffineDimExpr>(map.getResult(0)))
    return std::nullopt;
  sum = select.getTrueValue();
  return Selection{operand, unsigned(index.getDim()), map.getDimPosition(0)};
}

bool polyattn::attn::isContraction(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0 ||
      !op.getBlock())
    return false;
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  if (op.getNumDpsInputs() != 2 && !findSelection(op, yielded))
    return false;
  auto sum = yielded.getDefiningOp<arith::AddFOp>();
  if (!sum)
    return false;
  BlockArgument result = op.getRegionOutputArgs().front();
  Value term = sum.getLhs() == result   ? sum.getRhs()
               : sum.getRhs() == result ? sum.getLhs()
                                        : Value();
  auto product = term ? term.getDefiningOp<arith::MulFOp>() : nullptr;
  if (!product)
    return false;
  int left = inputOf(product.getLhs(), 2), right = inputOf(product.getRhs(), 2);
  return left >= 0 && right >= 0 && left != right;
}

bool Contraction::isInnermost(OpOperand *operand, unsigned loop) {
  AffineMap map = mapOf(operand);
  return map.getResults().back() == getAffineDimExpr(loop, map.getContext());
}

/// The innermost of `loops` in the operand, of which there is one.
static unsigned innermost(AffineMap map, ArrayRef<unsigned> loops) {
  for (AffineExpr result : llvm::reverse(map.getResults()))
    for (unsigned loop : loops)
      if (result == getAffineDimExpr(loop, map.getContext()))
        return loop;
  return loops.back();
}

static std::string whyNot(linalg::LinalgOp op) {
  if (!isContraction(op))
    return "it is no sum of products of floats";
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type || type.getEncoding())
      return "an operand is no plain tensor";
    // That of a selection.
    if (operand.getOperandNumber() == 2 && op.getNumDpsInputs() == 3)
      continue;
    Type element = type.getElementType();
    if (!element.isF32() && !element.isF16() && !element.isBF16())
      return "its element type is neither f32, f16 nor bf16";
    if (!op.getMatchingIndexingMap(&operand).isProjectedPermutation())
      return "an operand is indexed by more than single loops";
  }
  if (op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getNumResults() == 0)
    return "its result is a single number";
  return {};
}

/// The loop of C's rows: of those that only the scalars have, the longest.
static std::optional<unsigned> chooseRows(Contraction &c) {
  std::optional<unsigned> rows;
  for (unsigned loop : c.outer) {
    if (!c.mapOf(c.scalars).isFunctionOfDim(loop) ||
        c.mapOf(c.vectors).isFunctionOfDim(loop))
      continue;
    auto length = [&](unsigned l) {
      return ShapedType::isDynamic(c.size(l)) ? INT64_MAX : c.size(l);
    };
    if (!rows || length(loop) >= length(*rows))
      rows = loop;
  }
  return rows;
}

/// Why no vector code selects so; empty if there is some.
static std::string whyNotSelected(Contraction &c) {
  Selection &by = *c.selection;
  bool inA = c.mapOf(c.scalars).isFunctionOfDim(by.loop),
       inB = c.mapOf(c.vectors).isFunctionOfDim(by.loop),
       inC = c.mapOf(c.output()).isFunctionOfDim(by.loop);
  bool rowsChoose = c.rowsChoose() && !inA && inB && !inC;
  bool rowsAreSummed = by.row == c.k && !inA && !inB && inC;
  if ((rowsChoose || rowsAreSummed) && c.outerReductions.empty() &&
      c.n != by.loop)
    return {};
  return "it selects otherwise than rows choose matrices";
}

FailureOr<Contraction>
polyattn::attn::describeContraction(linalg::LinalgOp op, std::string &reason) {
  reason = whyNot(op);
  if (!reason.empty())
    return failure();
  Contraction c{op};
  OpOperand *a = op.getDpsInputOperand(0), *b = op.getDpsInputOperand(1);
  AffineMap result = c.mapOf(c.output());
  c.n = cast<AffineDimExpr>(result.getResults().back()).getPosition();
  bool inA = c.mapOf(a).isFunctionOfDim(c.n),
       inB = c.mapOf(b).isFunctionOfDim(c.n);
  if (inA == inB) {
    reason = "its innermost dimension is one of both operands";
    return failure();
  }
  c.scalars = inA ? b : a;
  c.vectors = inA ? a : b;
  if (op.getNumDpsInputs() == 3) {
    Value yielded = op.getBlock()->getTerminator()->getOperand(0);
    c.selection = findSelection(op, yielded);
  }
  auto isSelected = [&](unsigned loop) {
    return c.selection && loop == c.selection->loop;
  };
  SmallVector<unsigned> reductions;
  for (auto [loop, type] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (type == utils::IteratorType::reduction) {
      if (!isSelected(loop))
        reductions.push_back(loop);
    } else if (loop != c.n)
      c.outer.push_back(loop);
  }
  if (reductions.empty()) {
    reason = "it sums over nothing but a selection";
    return failure();
  }
  for (unsigned loop : reductions)
    if (!c.mapOf(a).isFunctionOfDim(loop) ||
        !c.mapOf(b).isFunctionOfDim(loop)) {
      reason = "it sums over a dimension that only one operand has";
      return failure();
    }
  c.k = innermost(c.mapOf(c.vectors), reductions);
  for (unsigned loop : reductions)
    if (loop != c.k)
      c.outerReductions.push_back(loop);
  c.m = chooseRows(c);
  if (c.m)
    llvm::erase(c.outer, *c.m);
  if (c.selection)
    reason = whyNotSelected(c);
  if (!reason.empty())
    return failure();
  if (!c.isInnermost(c.vectors, c.n) && !c.isInnermost(c.vectors, c.k)) {
    reason = "neither rows nor columns of an operand are adjacent in memory";
    return failure();
  }
  return c;
}
