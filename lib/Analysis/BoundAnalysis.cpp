// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Analysis/BoundAnalysis.h"
#include "BoundRules.h"
#include "mlir/Analysis/DataFlow/Utils.h"
#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static llvm::StringMap<const RuleEntry *> makeTable() {
  llvm::StringMap<const RuleEntry *> table;
  for (const RuleEntry &entry : elementwiseRules())
    table[entry.op] = &entry;
  for (const RuleEntry &entry : layoutRules())
    table[entry.op] = &entry;
  return table;
}

const RuleEntry *polyattn::attn::lookupRule(StringRef op) {
  static const llvm::StringMap<const RuleEntry *> table = makeTable();
  return table.lookup(op);
}

bool polyattn::attn::isPredictable(Operation *op) {
  auto fast = dyn_cast<arith::ArithFastMathInterface>(op);
  if (!fast || !fast.getFastMathFlagsAttr())
    return true;
  using F = arith::FastMathFlags;
  F harmless = F::nnan | F::ninf | F::nsz | F::contract;
  return !bool(fast.getFastMathFlagsAttr().getValue() & ~harmless);
}

void polyattn::attn::passOnOrigin(Operation *op, ArrayRef<BoundFact> in,
                                  BoundFact &result) {
  if (result.origin || !result.isBounded())
    return;
  const BoundFact *source = nullptr;
  for (const BoundFact &fact : in) {
    if (!fact.origin || fact.constant || isConstant(fact) || !fact.isBounded())
      continue;
    if (!source || (fact.hasNorm() && !source->hasNorm()))
      source = &fact;
  }
  const RuleEntry *entry = lookupRule(op->getName().getStringRef());
  if (source && entry && entry->kind == RuleEntry::Layout)
    result.origin = source->origin;
  else
    result.origin = hop(op, op->getName().getStringRef(),
                        source ? source->origin : nullptr);
}

void polyattn::attn::nameTensor(Value value, BoundFact &fact) {
  if (fact.rank() > 60)
    return;
  Identity identity;
  identity.root = value;
  for (unsigned d = 0; d < fact.rank(); ++d)
    identity.axes.push_back(int(d));
  fact.identities.push_back(identity);
}

void polyattn::attn::dropScalarNames(BoundFact &fact) {
  auto isScalar = [](const Identity &identity) {
    return !isa<ShapedType>(identity.root.getType());
  };
  llvm::erase_if(fact.identities, isScalar);
  if (!fact.relation)
    return;
  llvm::erase_if(fact.relation->of, isScalar);
  if (fact.relation->of.empty())
    fact.relation.reset();
}

//===----------------------------------------------------------------------===//
// The lattice
//===----------------------------------------------------------------------===//

BoundValue BoundValue::join(const BoundValue &a, const BoundValue &b) {
  if (!a.fact || !b.fact)
    return a.fact ? a : b;
  if (a == b)
    return a;
  BoundFact joined = BoundFact::join(*a.fact, *b.fact);
  if (joined == *a.fact)
    return a;
  // A value that keeps growing, as in a loop, is soon given up.
  constexpr unsigned patience = 8;
  unsigned changes = std::max(a.changes, b.changes) + 1;
  if (changes > patience)
    joined = BoundFact::top(joined.shape);
  return {std::make_shared<BoundFact>(std::move(joined)), changes};
}

void BoundValue::print(llvm::raw_ostream &os) const {
  if (!fact) {
    os << "unreached";
    return;
  }
  Interval all = fact->hull();
  os << "[" << all.Lo << ", " << all.Hi << "]";
  for (unsigned d = 0; d < fact->rank(); ++d)
    os << " |" << d << "|<=" << fact->maxNorm(d);
}

static SmallVector<int64_t> shapeOf(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.hasRank() ? llvm::to_vector(shaped.getShape())
                                    : SmallVector<int64_t>();
}

void BoundAnalysis::setToEntryState(BoundLattice *lattice) {
  Value value = lattice->getAnchor();
  BoundFact fact = BoundFact::top(shapeOf(value.getType()));
  auto argument = dyn_cast<BlockArgument>(value);
  bool isInput = argument && isa_and_nonnull<FunctionOpInterface>(
                                 argument.getOwner()->getParentOp());
  if (isInput && isa<FloatType>(getElementTypeOrSelf(value.getType())) &&
      inputMagnitude < std::numeric_limits<double>::infinity()) {
    fact = BoundFact::within(fact.shape,
                             Interval(-inputMagnitude, inputMagnitude));
    fact.origin = std::make_shared<Origin>(
        Origin{"assumed of the argument", value.getLoc(), nullptr});
  }
  nameTensor(value, fact);
  propagateIfChanged(
      lattice, lattice->join(BoundValue{std::make_shared<BoundFact>(fact)}));
}

//===----------------------------------------------------------------------===//
// Transfer
//===----------------------------------------------------------------------===//

/// A tosa operand of rank equal to the result's, repeated where it has size 1.
static BoundFact broadcastTo(const BoundFact &fact, ArrayRef<int64_t> shape) {
  SmallVector<int> from(shape.size(), -1);
  int missing = int(shape.size()) - int(fact.rank());
  if (missing < 0)
    return BoundFact::within(shape, withElementBounds(fact).hull());
  for (unsigned d = 0; d < fact.rank(); ++d)
    if (fact.shape[d] != 1 || shape[d + missing] == 1)
      from[d + missing] = int(d);
  return fact.remapped(shape, from);
}

/// A scalar, or a tensor or vector of known rank.
static bool isRanked(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return !shaped || shaped.hasRank();
}

BoundFact BoundAnalysis::transfer(Operation *op, ArrayRef<BoundFact> in,
                                  unsigned resultNumber) {
  Type type = op->getResult(resultNumber).getType();
  BoundFact::Shape shape(shapeOf(type));
  Attribute constant;
  if (matchPattern(op, m_Constant(&constant))) {
    BoundFact fact = constantFact(constant, type);
    fact.origin = hop(op, "constant");
    return fact;
  }
  std::optional<Format> format = Format::of(type);
  if (!format || !isPredictable(op) ||
      !llvm::all_of(op->getOperandTypes(), isRanked) || !isRanked(type) ||
      llvm::is_contained(shape, 0))
    return BoundFact::top(shape);
  RuleInput input{op, in, shape, *format, resultNumber};
  if (isa<linalg::LinalgOp>(op))
    return structuredRule(input, [&](Value value) -> std::optional<BoundFact> {
      auto *lattice = getLatticeElementFor(getProgramPointAfter(op), value);
      if (!lattice->getValue().fact)
        return std::nullopt;
      return *lattice->getValue().fact;
    });
  const RuleEntry *entry = lookupRule(op->getName().getStringRef());
  if (!entry || op->getNumResults() != 1)
    return BoundFact::top(shape);
  if (entry->kind != RuleEntry::Broadcasting)
    return entry->rule(input);
  std::vector<BoundFact> repeated;
  for (const BoundFact &fact : in)
    repeated.push_back(broadcastTo(fact, shape));
  input.in = repeated;
  return entry->rule(input);
}

LogicalResult
BoundAnalysis::visitOperation(Operation *op,
                              ArrayRef<const BoundLattice *> operands,
                              ArrayRef<BoundLattice *> results) {
  std::vector<BoundFact> in;
  for (const BoundLattice *operand : operands) {
    if (!operand->getValue().fact)
      return success();
    in.push_back(*operand->getValue().fact);
  }
  for (auto [number, lattice] : llvm::enumerate(results)) {
    BoundFact fact = withElementBounds(transfer(op, in, unsigned(number)));
    passOnOrigin(op, in, fact);
    nameTensor(op->getResult(unsigned(number)), fact);
    propagateIfChanged(
        lattice, lattice->join(
                     BoundValue{std::make_shared<BoundFact>(std::move(fact))}));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Answers
//===----------------------------------------------------------------------===//

FailureOr<Bounds> Bounds::compute(Operation *root, double inputMagnitude) {
  Bounds bounds;
  bounds.solver = std::make_shared<DataFlowSolver>();
  dataflow::loadBaselineAnalyses(*bounds.solver);
  bounds.solver->load<BoundAnalysis>(inputMagnitude);
  if (failed(bounds.solver->initializeAndRun(root)))
    return failure();
  return bounds;
}

const BoundFact *Bounds::of(Value value) const {
  const auto *lattice = solver->lookupState<BoundLattice>(value);
  return lattice ? lattice->getValue().fact.get() : nullptr;
}

/// "tensor.pad at model.mlir:12".
static std::string nameAndPlace(Operation *op) {
  return describe(hop(op, op->getName().getStringRef()));
}

std::string Bounds::whyUnbounded(Value value) const {
  for (;;) {
    Operation *op = value.getDefiningOp();
    if (!op) {
      auto argument = cast<BlockArgument>(value);
      return "nothing is known of argument " +
             std::to_string(argument.getArgNumber());
    }
    Value next;
    for (Value operand : op->getOperands()) {
      const BoundFact *fact = of(operand);
      bool isFloat = isa<FloatType>(getElementTypeOrSelf(operand.getType()));
      bool isEmpty =
          operand.getDefiningOp() &&
          operand.getDefiningOp()->getName().getStringRef() == "tensor.empty";
      if (isFloat && fact && !fact->isBounded() && !isEmpty && !next)
        next = operand;
    }
    if (!next)
      return "no bound follows from " + nameAndPlace(op);
    value = next;
  }
}
