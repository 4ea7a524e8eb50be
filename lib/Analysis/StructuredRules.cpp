// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The rule of linalg ops, named or generic: operands are brought into the shape
// of the loops, the body is evaluated there with the rules of its scalar ops,
// and what the loops reduce is summed up.

#include "BoundRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "polyattn/Analysis/SpectralNorm.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr double infinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Sums over one dimension
//===----------------------------------------------------------------------===//

/// The relative error of a sum of products over `count` terms, to be multiplied
/// by the sum of absolute values; infinity if unknown.
static double chainError(double count, const Format &format) {
  double chain = (count + 2) * format.unit;
  return chain < 0.25 ? nextUp(2 * chain) : infinity;
}

/// A fact with one value for every cell of `a` but those along d.
static BoundFact collapsed(const BoundFact &a, unsigned d,
                           ArrayRef<Interval> values) {
  BoundFact coarse = BoundFact::top(a.shape);
  coarse.grid = a.grid;
  coarse.values.assign(values.begin(), values.end());
  coarse = coarse.coarsened(d);
  coarse.norms[d].clear();
  return coarse;
}

static double countOf(const BoundFact &a, unsigned d) {
  return ShapedType::isDynamic(a.shape[d]) ? infinity : double(a.shape[d]);
}

BoundFact polyattn::attn::sumOver(const RuleInput &input, const BoundFact &a,
                                  unsigned d) {
  double count = countOf(a, d);
  double error = chainError(count, input.format);
  double underflow = nextUp(count * input.format.tiny);
  std::vector<double> sums = a.sumAlong(d);
  bool noneNegative = a.hull().Lo >= 0;
  std::vector<Interval> values;
  for (double sum : sums) {
    double most = nextUp(nextUp(sum + timesUp(sum, error)) + underflow);
    values.push_back(
        rounded(Interval(noneNegative ? 0 : -most, most), input.format));
  }
  BoundFact result = collapsed(a, d, values);
  relateSum(a, d, input.format, result);
  return result;
}

BoundFact polyattn::attn::maximumOver(const BoundFact &a, unsigned d) {
  BoundFact result = collapsed(a, d, a.values);
  Relation relation;
  relation.kind = Relation::Kind::Maximum;
  for (Identity identity : a.identities) {
    if (!identity.isExact() || identity.sign != 1 || identity.axes[d] < 0)
      continue;
    // One set of axes for all names.
    uint64_t axis = uint64_t(1) << identity.axes[d];
    if (!relation.of.empty() && relation.reduced != axis)
      continue;
    relation.reduced = axis;
    identity.axes[d] = -1;
    relation.of.push_back(identity);
  }
  if (!relation.of.empty())
    result.relation = relation;
  return result;
}

BoundFact polyattn::attn::contraction(const RuleInput &input,
                                      const BoundFact &left,
                                      const BoundFact &right, unsigned d) {
  BoundFact::Shape grid = commonGrid(left, right);
  BoundFact a = left.refined(grid), b = right.refined(grid);
  double count = countOf(a, d);
  double error = chainError(count, input.format);
  double underflow = nextUp(2 * count * input.format.tiny);
  std::vector<double> normA = a.normAlong(d), normB = b.normAlong(d);
  std::vector<double> sumA = a.sumAlong(d), sumB = b.sumAlong(d);
  std::vector<double> mostA = a.magnitudeAlong(d), mostB = b.magnitudeAlong(d);
  std::vector<Interval> values;
  for (size_t i = 0; i < normA.size(); ++i) {
    double most =
        std::min({timesUp(normA[i], normB[i]), timesUp(sumA[i], mostB[i]),
                  timesUp(mostA[i], sumB[i])});
    most = nextUp(nextUp(most + timesUp(most, error)) + underflow);
    values.push_back(rounded(Interval(-most, most), input.format));
  }
  return collapsed(a, d, values);
}

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
  SmallVector<int> from;
  for (AffineExpr expr : map.getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop && !isa<AffineConstantExpr>(expr))
      return BoundFact::top(shape);
    from.push_back(loop ? int(loop.getPosition()) : -1);
  }
  return fact.remapped(shape, from);
}

//===----------------------------------------------------------------------===//
// Products with constant matrices
//===----------------------------------------------------------------------===//

/// The loops but k that `weights` runs over; nothing if x runs over one of
/// them, too.
static std::optional<SmallVector<unsigned>>
columnLoops(const Factor &x, const Factor &weights, unsigned k) {
  SmallVector<unsigned> columns;
  for (auto [loop, d] : llvm::enumerate(weights.from)) {
    if (d < 0 || loop == k || x.fact.shape[loop] == 1)
      continue;
    if (x.from[loop] >= 0)
      return std::nullopt;
    columns.push_back(unsigned(loop));
  }
  return columns;
}

/// The constant operand with a row for each k and a column for each combination
/// of the other loops.
static std::shared_ptr<const Matrix> matrixOf(const Factor &weights, unsigned k,
                                              ArrayRef<unsigned> columns) {
  ArrayRef<int64_t> loops = weights.fact.shape;
  auto matrix = std::make_shared<Matrix>();
  matrix->rows = loops[k];
  matrix->cols = 1;
  BoundFact::Shape sizes{loops[k]};
  for (unsigned loop : columns) {
    matrix->cols *= loops[loop];
    sizes.push_back(loops[loop]);
  }
  const BoundFact &operand = *weights.operand;
  matrix->entries.reserve(matrix->rows * matrix->cols);
  SmallVector<int64_t> at(operand.rank(), 0);
  forEachCell(sizes, [&](int64_t, ArrayRef<int64_t> index) {
    at[weights.from[k]] = index[0];
    for (auto [i, loop] : llvm::enumerate(columns))
      at[weights.from[loop]] = index[i + 1];
    matrix->entries.push_back((*operand.constant)[cellOf(operand.shape, at)]);
  });
  return matrix;
}

/// x W for the constant operand, if it is one and x has a bound.
static std::shared_ptr<LinearImage> imageOf(const RuleInput &input,
                                            const Factor &x,
                                            const Factor &weights, unsigned k,
                                            SmallVector<unsigned> &columns) {
  int64_t rows = x.fact.shape[k];
  if (!x.operand || !weights.operand || !weights.operand->constant ||
      weights.from[k] < 0 || ShapedType::isDynamic(rows))
    return nullptr;
  auto loops = columnLoops(x, weights, k);
  double radius = x.fact.maxNorm(k);
  double error = chainError(double(rows), input.format);
  if (!loops || loops->empty() || !(radius < infinity) || !(error < infinity))
    return nullptr;
  columns = *loops;
  auto image = std::make_shared<LinearImage>();
  image->axis = columns.back();
  image->radius = radius;
  image->error = error;
  image->slack = nextUp(4 * double(rows) * input.format.tiny);
  image->weights = matrixOf(weights, k, columns);
  return image;
}

/// Norms of x W along the last dimension that only W has.
static void boundOutputs(const RuleInput &input, const Factor &x,
                         const Factor &weights, unsigned k, BoundFact &result) {
  SmallVector<unsigned> columns;
  auto image = imageOf(input, x, weights, k, columns);
  if (!image)
    return;
  ArrayRef<unsigned> outer = ArrayRef(columns).drop_back();
  BoundFact::Shape grid = result.grid;
  for (unsigned loop : outer)
    grid[loop] = x.fact.shape[loop];
  if (llvm::product_of(grid) > BoundFact::maxCells)
    return;
  result = result.refined(grid);
  int64_t size = x.fact.shape[image->axis];
  std::vector<double> bounds;
  for (int64_t from = 0; from < image->weights->cols; from += size)
    bounds.push_back(blockNorm(*image, from, size));
  auto &norms = result.norms[image->axis];
  norms.resize(result.numCells());
  forEachCell(grid, [&](int64_t cell, ArrayRef<int64_t> index) {
    int64_t block = 0;
    for (unsigned loop : outer)
      block = block * x.fact.shape[loop] + index[loop];
    norms[cell] = bounds[block];
  });
  if (bounds.size() == 1)
    result.image = image;
  result.origin =
      hop(input.op, "product with a constant matrix", x.fact.origin);
}

BoundFact polyattn::attn::product(const RuleInput &input, const Factor &a,
                                  const Factor &b, unsigned k) {
  BoundFact result = contraction(input, a.fact, b.fact, k);
  passOnOrigin(input.op, {a.fact, b.fact}, result);
  boundOutputs(input, a, b, k, result);
  boundOutputs(input, b, a, k, result);
  return result;
}

BoundFact polyattn::attn::matmulRule(const RuleInput &input) {
  // Loops over batch, rows, columns and the dimension summed over.
  const BoundFact &a = input.in[0], &b = input.in[1];
  SmallVector<int64_t> loops{input.shape[0], input.shape[1], input.shape[2],
                             a.shape[2]};
  SmallVector<int> fromA{0, 1, -1, 2}, fromB{0, -1, 2, 1};
  // Zero points shift what is multiplied; floats have none.
  for (const BoundFact &zero : input.in.drop_front(2))
    if (zero.hull().magnitude() != 0)
      return BoundFact::top(input.shape);
  Factor left{a.remapped(loops, fromA), &a, fromA};
  Factor right{b.remapped(loops, fromB), &b, fromB};
  BoundFact result = product(input, left, right, 3);
  return result.remapped(input.shape, {0, 1, 2});
}

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
  BoundFact reduced(Value scalar);
  Factor factor(Value scalar);
  BoundFact initial() {
    return inLoops(input.in[outOperand()], outMap(), loops);
  }
  unsigned outOperand() {
    return op.getNumDpsInputs() + input.resultNumber;
  }
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

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

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
      bodyOp->getNumResults() != 1 || !Format::of(type))
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

/// What `scalar`, as yielded, accumulates over the reduced loops.
BoundFact StructuredOp::reduced(Value scalar) {
  Operation *last = scalar.getDefiningOp();
  BlockArgument out = op.getBlock()->getArgument(outOperand());
  if (!last || last->getNumOperands() != 2 || !out.hasOneUse() ||
      !llvm::is_contained(last->getOperands(), Value(out)))
    return BoundFact::top(loops);
  Value term = last->getOperand(last->getOperand(0) == out ? 1 : 0);
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
