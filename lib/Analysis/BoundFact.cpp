// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "BoundRules.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "polyattn/Analysis/SpectralNorm.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr double infinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Grids
//===----------------------------------------------------------------------===//

void polyattn::attn::forEachCell(
    ArrayRef<int64_t> grid,
    function_ref<void(int64_t, ArrayRef<int64_t>)> visit) {
  SmallVector<int64_t> index(grid.size(), 0);
  int64_t count = llvm::product_of(grid);
  for (int64_t cell = 0; cell < count; ++cell) {
    visit(cell, index);
    for (size_t d = grid.size(); d-- > 0;) {
      if (++index[d] < grid[d])
        break;
      index[d] = 0;
    }
  }
}

int64_t polyattn::attn::cellOf(ArrayRef<int64_t> grid,
                               ArrayRef<int64_t> index) {
  int64_t cell = 0;
  for (auto [size, i] : llvm::zip_equal(grid, index))
    cell = cell * size + (size == 1 ? 0 : i);
  return cell;
}

/// Coarsens the largest dimensions until there are few enough cells.
static void limitCells(BoundFact::Shape &grid) {
  while (llvm::product_of(grid) > BoundFact::maxCells)
    *llvm::max_element(grid) = 1;
}

BoundFact::Shape polyattn::attn::commonGrid(const BoundFact &a,
                                            const BoundFact &b) {
  BoundFact::Shape grid(a.grid);
  for (auto [size, other] : llvm::zip_equal(grid, b.grid))
    size = std::max(size, other);
  limitCells(grid);
  return grid;
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

BoundFact BoundFact::top(ArrayRef<int64_t> shape) {
  return within(shape, Interval(-infinity, infinity));
}

BoundFact BoundFact::within(ArrayRef<int64_t> shape, Interval value) {
  BoundFact fact;
  fact.shape.assign(shape.begin(), shape.end());
  fact.grid.assign(shape.size(), 1);
  fact.values.assign(1, value);
  fact.norms.resize(shape.size());
  fact.sums.resize(shape.size());
  return fact;
}

Interval BoundFact::hull() const {
  Interval all = values.front();
  for (Interval value : values)
    all = Interval(std::min(all.Lo, value.Lo), std::max(all.Hi, value.Hi));
  return all;
}

bool BoundFact::hasNorm() const {
  auto finite = [](const std::vector<double> &bounds) {
    return llvm::any_of(bounds, [](double n) { return n < infinity; });
  };
  return llvm::any_of(norms, finite) || llvm::any_of(sums, finite);
}

bool BoundFact::isBounded() const {
  return hull().magnitude() < infinity || hasNorm();
}

bool BoundFact::operator==(const BoundFact &o) const {
  auto same = [](Interval a, Interval b) {
    return a.Lo == b.Lo && a.Hi == b.Hi;
  };
  return shape == o.shape && grid == o.grid &&
         llvm::equal(values, o.values, same) && norms == o.norms &&
         sums == o.sums && identities == o.identities &&
         relation == o.relation && scaled == o.scaled && image == o.image &&
         constant == o.constant;
}

std::vector<double>
BoundFact::foldAlong(unsigned d, double init,
                     function_ref<double(double, int64_t)> step) const {
  Shape coarse = grid;
  coarse[d] = 1;
  std::vector<double> folded(llvm::product_of(coarse), init);
  forEachCell(grid, [&](int64_t cell, ArrayRef<int64_t> index) {
    double &value = folded[cellOf(coarse, index)];
    value = step(value, cell);
  });
  std::vector<double> result(values.size());
  forEachCell(grid, [&](int64_t cell, ArrayRef<int64_t> index) {
    result[cell] = folded[cellOf(coarse, index)];
  });
  return result;
}

std::vector<double> BoundFact::magnitudeAlong(unsigned d) const {
  return foldAlong(d, 0, [&](double most, int64_t cell) {
    return std::max(most, values[cell].magnitude());
  });
}

/// How many elements of a fibre along d lie in one cell; infinity if unknown.
static double repeats(const BoundFact &fact, unsigned d) {
  if (fact.isSplit(d))
    return 1;
  return ShapedType::isDynamic(fact.shape[d]) ? infinity
                                              : double(fact.shape[d]);
}

std::vector<double> BoundFact::normAlong(unsigned d) const {
  double count = repeats(*this, d);
  std::vector<double> squares = foldAlong(d, 0, [&](double sum, int64_t cell) {
    double most = values[cell].magnitude();
    return nextUp(sum + timesUp(count, timesUp(most, most)));
  });
  std::vector<double> best(values.size());
  std::vector<double> known =
      norms[d].empty() ? std::vector<double>()
                       : foldAlong(d, infinity, [&](double least, int64_t c) {
                           return std::min(least, norms[d][c]);
                         });
  for (size_t cell = 0; cell < best.size(); ++cell) {
    best[cell] = nextUp(std::sqrt(squares[cell]));
    if (!known.empty())
      best[cell] = std::min(best[cell], known[cell]);
    // The l2 norm is at most the l1 norm.
    if (!sums[d].empty())
      best[cell] = std::min(best[cell], sums[d][cell]);
  }
  return best;
}

std::vector<double> BoundFact::sumAlong(unsigned d) const {
  double count = repeats(*this, d);
  std::vector<double> best = foldAlong(d, 0, [&](double sum, int64_t cell) {
    return nextUp(sum + timesUp(count, values[cell].magnitude()));
  });
  double root = ShapedType::isDynamic(shape[d])
                    ? infinity
                    : nextUp(std::sqrt(double(shape[d])));
  for (size_t cell = 0; cell < best.size(); ++cell) {
    if (!sums[d].empty())
      best[cell] = std::min(best[cell], sums[d][cell]);
    if (!norms[d].empty())
      best[cell] = std::min(best[cell], timesUp(root, norms[d][cell]));
  }
  return best;
}

double BoundFact::maxNorm(unsigned d) const {
  std::vector<double> all = normAlong(d);
  return *llvm::max_element(all);
}

BoundFact polyattn::attn::withElementBounds(BoundFact fact) {
  for (const auto &bounds : fact.norms)
    for (size_t cell = 0; cell < bounds.size(); ++cell) {
      Interval &value = fact.values[cell];
      value = Interval(std::max(value.Lo, -bounds[cell]),
                       std::min(value.Hi, bounds[cell]));
    }
  return fact;
}

//===----------------------------------------------------------------------===//
// Changes of grid and layout
//===----------------------------------------------------------------------===//

BoundFact BoundFact::refined(ArrayRef<int64_t> finer) const {
  BoundFact result = *this;
  for (unsigned d = 0; d < rank(); ++d)
    if (finer[d] == 1 && isSplit(d))
      result = result.coarsened(d);
  Shape from = result.grid;
  if (from == Shape(finer))
    return result;
  int64_t count = llvm::product_of(finer);
  auto repeat = [&](auto &cells) {
    if (cells.empty())
      return;
    std::decay_t<decltype(cells)> fine(count);
    forEachCell(finer, [&](int64_t cell, ArrayRef<int64_t> index) {
      fine[cell] = cells[cellOf(from, index)];
    });
    cells = std::move(fine);
  };
  result.grid.assign(finer.begin(), finer.end());
  repeat(result.values);
  for (auto &bounds : result.norms)
    repeat(bounds);
  for (auto &bounds : result.sums)
    repeat(bounds);
  return result;
}

BoundFact BoundFact::coarsened(unsigned d) const {
  if (!isSplit(d))
    return *this;
  BoundFact result = *this;
  // What the cells say together of fibres across them is lost otherwise.
  result.norms[d] = normAlong(d);
  result.grid[d] = 1;
  int64_t count = llvm::product_of(result.grid);
  auto merge = [&](std::vector<double> &bounds) {
    if (bounds.empty())
      return;
    std::vector<double> coarse(count, 0);
    forEachCell(grid, [&](int64_t cell, ArrayRef<int64_t> index) {
      double &bound = coarse[cellOf(result.grid, index)];
      bound = std::max(bound, bounds[cell]);
    });
    bounds = std::move(coarse);
  };
  for (auto &bounds : result.norms)
    merge(bounds);
  for (auto &bounds : result.sums)
    merge(bounds);
  result.values.assign(count, Interval(infinity, -infinity));
  forEachCell(grid, [&](int64_t cell, ArrayRef<int64_t> index) {
    Interval &all = result.values[cellOf(result.grid, index)];
    all.Lo = std::min(all.Lo, values[cell].Lo);
    all.Hi = std::max(all.Hi, values[cell].Hi);
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Joins and explanations
//===----------------------------------------------------------------------===//

BoundFact BoundFact::join(const BoundFact &a, const BoundFact &b) {
  if (a.shape != b.shape)
    return top(a.shape);
  Shape grid = commonGrid(a, b);
  BoundFact left = a.refined(grid), right = b.refined(grid);
  BoundFact result = left;
  for (auto [value, other] : llvm::zip_equal(result.values, right.values))
    value =
        Interval(std::min(value.Lo, other.Lo), std::max(value.Hi, other.Hi));
  for (unsigned d = 0; d < a.rank(); ++d) {
    std::vector<double> x = left.normAlong(d), y = right.normAlong(d);
    result.norms[d].resize(x.size());
    for (size_t i = 0; i < x.size(); ++i)
      result.norms[d][i] = std::max(x[i], y[i]);
    result.sums[d].clear();
  }
  if (a.identities != b.identities)
    result.identities.clear();
  if (!(a.relation == b.relation))
    result.relation.reset();
  if (a.scaled != b.scaled)
    result.scaled.reset();
  if (a.image != b.image)
    result.image.reset();
  if (a.constant != b.constant)
    result.constant.reset();
  return result;
}

static std::string describe(Location location) {
  std::string text;
  location->walk([&](Location part) {
    auto line = dyn_cast<FileLineColLoc>(part);
    if (!line)
      return WalkResult::advance();
    text = " at " + llvm::sys::path::filename(line.getFilename()).str() + ":" +
           std::to_string(line.getLine());
    return WalkResult::interrupt();
  });
  return text;
}

std::string polyattn::attn::describe(const OriginRef &origin) {
  if (!origin)
    return "unknown";
  std::string here = origin->what + ::describe(origin->where);
  return origin->from ? describe(origin->from) + ", then " + here : here;
}
