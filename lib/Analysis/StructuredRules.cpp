// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The rule of linalg ops, named or generic: operands are brought into the shape
// of the loops, the body is evaluated there with the rules of its scalar ops,
// and what the loops reduce is summed up.

#include "BoundRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"
#include "polyattn/Analysis/SpectralNorm.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// From operands to loops and back
//===----------------------------------------------------------------------===//

/// For each loop the dimension of the operand that runs over it; nothing if the
/// map does more than choose loops.
static std::optional<SmallVector<int>> loopSources(AffineMap map) {
  SmallVector<int> from(map.getNumDims(), -1);
  for (auto [d, expr] : llvm::enumerate(map.getResults())) {
    if (isa<AffineConstantExpr>(expr))
      continue;
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop || from[loop.getPosition()] >= 0)
      return std::nullopt;
    from[loop.getPosition()] = int(d);
  }
  return from;
}

static BoundFact inLoops(const BoundFact &fact, AffineMap map,
                         ArrayRef<int64_t> loops) {
  if (auto from = loopSources(map))
    return fact.remapped(loops, *from);
  BoundFact anywhere = BoundFact::within(loops, withElementBounds(fact).hull());
  anywhere.origin = fact.origin;
  return anywhere;
}

static BoundFact outOfLoops(const BoundFact &fact, AffineMap map,
                            ArrayRef<int64_t> shape) {
  // Otherwise some elements are what they were before.
  if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return BoundFact::top(shape);
  SmallVector<int> from;
  for (AffineExpr expr : map.getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    from.push_back(loop ? int(loop.getPosition()) : -1);
  }
  return fact.remapped(shape, from);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

namespace {
class StructuredOp {
public:
  using Captured = llvm::function_ref<std::optional<BoundFact>(Value)>;

  StructuredOp(const RuleInput &input, Captured captured)
      : input(input), op(cast<linalg::LinalgOp>(input.op)), captured(captured),
        loops(op.getStaticLoopRanges()), maps(op.getIndexingMapsArray()) {}

  BoundFact run();

private:
  RuleInput inBody(Operation *bodyOp, ArrayRef<BoundFact> in) const;
  BoundFact evaluate(Value scalar);
  BoundFact evaluateOp(Operation *bodyOp, unsigned number);
  bool dependsOnOutputs(Value scalar);
  BoundFact reduced(Value scalar);
  Factor factor(Value scalar);
  BoundFact initial() {
    return inLoops(input.in[outOperand()], outMap(), loops);
  }
  unsigned outOperand() { return op.getNumDpsInputs() + input.resultNumber; }
  AffineMap outMap() { return maps[outOperand()]; }
  SmallVector<unsigned> reductions() {
    SmallVector<unsigned> dims;
    op.getReductionDims(dims);
    return dims;
  }

  const RuleInput &input;
  linalg::LinalgOp op;
  Captured captured;
  SmallVector<int64_t> loops;
  SmallVector<AffineMap> maps;
  DenseMap<Value, BoundFact> known;
};
} // namespace

RuleInput StructuredOp::inBody(Operation *bodyOp,
                               ArrayRef<BoundFact> in) const {
  Type type = bodyOp->getResult(0).getType();
  return {bodyOp, in, BoundFact::Shape(loops),
          Format::of(type).value_or(Format()), 0};
}

BoundFact StructuredOp::evaluateOp(Operation *bodyOp, unsigned number) {
  Attribute constant;
  Type type = bodyOp->getResult(number).getType();
  if (matchPattern(bodyOp, m_Constant(&constant)))
    return constantFact(constant, type)
        .remapped(loops, SmallVector<int>(loops.size(), -1));
  const RuleEntry *entry = lookupRule(bodyOp->getName().getStringRef());
  if (!entry || entry->kind != RuleEntry::Elementwise ||
      bodyOp->getNumResults() != 1 || !Format::of(type) ||
      !isPredictable(bodyOp))
    return BoundFact::top(loops);
  std::vector<BoundFact> in;
  for (Value operand : bodyOp->getOperands())
    in.push_back(evaluate(operand));
  BoundFact result = withElementBounds(entry->rule(inBody(bodyOp, in)));
  passOnOrigin(bodyOp, in, result);
  nameTensor(bodyOp->getResult(number), result);
  return result;
}

BoundFact StructuredOp::evaluate(Value scalar) {
  auto found = known.find(scalar);
  if (found != known.end())
    return found->second;
  BoundFact fact = BoundFact::top(loops);
  Block *body = op.getBlock();
  if (auto argument = dyn_cast<BlockArgument>(scalar);
      argument && argument.getOwner() == body) {
    unsigned number = argument.getArgNumber();
    fact = inLoops(input.in[number], maps[number], loops);
  } else if (scalar.getParentBlock() == body) {
    fact = evaluateOp(scalar.getDefiningOp(),
                      cast<OpResult>(scalar).getResultNumber());
  } else if (auto outer = captured(scalar)) {
    fact = outer->remapped(loops, SmallVector<int>(loops.size(), -1));
  }
  known.try_emplace(scalar, fact);
  return fact;
}

/// The operand that a scalar of the body is, but for widening.
Factor StructuredOp::factor(Value scalar) {
  Factor result{evaluate(scalar), nullptr, {}};
  while (auto extend = scalar.getDefiningOp<arith::ExtFOp>())
    scalar = extend.getIn();
  auto argument = dyn_cast<BlockArgument>(scalar);
  if (!argument || argument.getOwner() != op.getBlock())
    return result;
  if (auto from = loopSources(maps[argument.getArgNumber()])) {
    result.operand = &input.in[argument.getArgNumber()];
    result.from = *from;
  }
  return result;
}

/// Does the scalar depend on what has been accumulated so far?
bool StructuredOp::dependsOnOutputs(Value scalar) {
  if (auto argument = dyn_cast<BlockArgument>(scalar))
    return argument.getOwner() == op.getBlock() &&
           argument.getArgNumber() >= op.getNumDpsInputs();
  Operation *definition = scalar.getDefiningOp();
  if (definition->getBlock() != op.getBlock())
    return false;
  if (definition->getNumRegions() != 0)
    return true;
  return llvm::any_of(definition->getOperands(),
                      [&](Value operand) { return dependsOnOutputs(operand); });
}

/// What `scalar`, as yielded, accumulates over the reduced loops.
BoundFact StructuredOp::reduced(Value scalar) {
  Operation *last = scalar.getDefiningOp();
  BlockArgument out = op.getBlock()->getArgument(outOperand());
  if (!last || last->getNumOperands() != 2 ||
      !llvm::is_contained(last->getOperands(), Value(out)))
    return BoundFact::top(loops);
  Value term = last->getOperand(last->getOperand(0) == out ? 1 : 0);
  if (dependsOnOutputs(term) || !isPredictable(last))
    return BoundFact::top(loops);
  if (isa<arith::AddFOp>(last)) {
    auto multiply = term.getDefiningOp<arith::MulFOp>();
    bool isContraction =
        multiply && reductions().size() == 1 &&
        !isSameTensor(evaluate(multiply.getLhs()), evaluate(multiply.getRhs()));
    BoundFact sum =
        isContraction ? product(input, factor(multiply.getLhs()),
                                factor(multiply.getRhs()), reductions().front())
                      : evaluate(term);
    if (!isContraction)
      for (unsigned d : reductions())
        sum = sumOver(input, sum, d);
    BoundFact init = initial();
    Interval start = init.hull();
    return start.Lo == 0 && start.Hi == 0 ? sum : add(input, sum, init);
  }
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(last)) {
    BoundFact most = evaluate(term);
    for (unsigned d : reductions())
      most = maximumOver(most, d);
    Interval start = initial().hull();
    for (Interval &value : most.values)
      value =
          Interval(std::max(value.Lo, start.Lo), std::max(value.Hi, start.Hi));
    return most;
  }
  return BoundFact::top(loops);
}

BoundFact StructuredOp::run() {
  Value yielded =
      op.getBlock()->getTerminator()->getOperand(input.resultNumber);
  BoundFact result =
      op.getNumReductionLoops() == 0 ? evaluate(yielded) : reduced(yielded);
  dropScalarNames(result);
  return outOfLoops(result, outMap(), input.shape);
}

BoundFact polyattn::attn::structuredRule(
    const RuleInput &input,
    llvm::function_ref<std::optional<BoundFact>(Value)> captured) {
  return StructuredOp(input, captured).run();
}
