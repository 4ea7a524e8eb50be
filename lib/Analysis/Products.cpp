// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Sums over a dimension, of elements or of products of two tensors, one of
// which may be constant.

#include "BoundRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"
#include "polyattn/Analysis/SpectralNorm.h"
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
