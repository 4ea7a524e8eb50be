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

/// The identity of a tensor whose dimension d runs over dimension from[d];
/// nothing if an axis of the root is no longer run over.
static std::optional<Identity> remap(const Identity &identity,
                                     ArrayRef<int64_t> oldShape,
                                     ArrayRef<int> from) {
  Identity result = identity;
  result.axes.clear();
  for (int d : from)
    result.axes.push_back(d < 0 ? -1 : identity.axes[d]);
  for (auto [d, axis] : llvm::enumerate(identity.axes))
    if (axis >= 0 && oldShape[d] != 1 && !llvm::is_contained(from, int(d)))
      return std::nullopt;
  return result;
}

static void remapRelations(const BoundFact &fact, ArrayRef<int> from,
                           BoundFact &result) {
  for (const Identity &identity : fact.identities)
    if (auto moved = remap(identity, fact.shape, from))
      result.identities.push_back(*moved);
  if (!fact.relation)
    return;
  Relation relation = *fact.relation;
  relation.of.clear();
  for (const Identity &identity : fact.relation->of)
    if (auto moved = remap(identity, fact.shape, from))
      relation.of.push_back(*moved);
  if (!relation.of.empty())
    result.relation = relation;
}

/// The elements under the new shape, unless repeating them makes too many.
static std::shared_ptr<const std::vector<double>>
remapConstant(const BoundFact &fact, ArrayRef<int64_t> newShape,
              ArrayRef<int> from) {
  if (!fact.constant || ShapedType::isDynamicShape(newShape))
    return nullptr;
  int64_t count = llvm::product_of(newShape);
  if (count >
      std::max<int64_t>(BoundFact::maxCells, int64_t(fact.constant->size())))
    return nullptr;
  for (auto [d, size] : llvm::enumerate(fact.shape))
    if (size != 1 && !llvm::is_contained(from, int(d)))
      return nullptr;
  auto moved = std::make_shared<std::vector<double>>(count);
  SmallVector<int64_t> old(fact.rank(), 0);
  forEachCell(newShape, [&](int64_t position, ArrayRef<int64_t> index) {
    for (auto [d, source] : llvm::enumerate(from))
      if (source >= 0)
        old[source] = index[d];
    (*moved)[position] = (*fact.constant)[cellOf(fact.shape, old)];
  });
  return moved;
}

BoundFact BoundFact::remapped(ArrayRef<int64_t> newShape,
                              ArrayRef<int> from) const {
  bool isSame = shape == Shape(newShape);
  for (auto [d, old] : llvm::enumerate(from))
    isSame &= old == int(d);
  if (isSame)
    return *this;
  BoundFact source = *this;
  for (unsigned d = 0; d < rank(); ++d)
    if (!llvm::is_contained(from, int(d)))
      source = source.coarsened(d);
  BoundFact result = top(newShape);
  for (auto [d, old] : llvm::enumerate(from))
    result.grid[d] = old < 0 ? 1 : source.grid[old];
  int64_t count = llvm::product_of(result.grid);
  SmallVector<int64_t> cells(count);
  SmallVector<int64_t> oldIndex(rank(), 0);
  forEachCell(result.grid, [&](int64_t cell, ArrayRef<int64_t> index) {
    for (auto [d, old] : llvm::enumerate(from))
      if (old >= 0)
        oldIndex[old] = index[d];
    cells[cell] = cellOf(source.grid, oldIndex);
  });
  auto take = [&](const auto &old) {
    std::decay_t<decltype(old)> taken;
    if (!old.empty())
      for (int64_t cell : cells)
        taken.push_back(old[cell]);
    return taken;
  };
  result.values = take(source.values);
  for (auto [d, old] : llvm::enumerate(from)) {
    if (old < 0)
      continue;
    result.norms[d] = take(source.norms[old]);
    result.sums[d] = take(source.sums[old]);
    if (image && image->axis == unsigned(old)) {
      auto moved = std::make_shared<LinearImage>(*image);
      moved->axis = unsigned(d);
      result.image = moved;
    }
  }
  remapRelations(source, from, result);
  result.constant = remapConstant(*this, newShape, from);
  result.origin = origin;
  return result;
}

BoundFact BoundFact::sliced(unsigned d, int64_t offset, int64_t size) const {
  bool isAll = !ShapedType::isDynamic(size) && size == shape[d];
  if (isAll)
    return *this;
  BoundFact result = *this;
  result.shape[d] = size;
  result.constant.reset();
  result.scaled.reset();
  result.relation.reset();
  result.identities.clear();
  if (isSplit(d) &&
      (ShapedType::isDynamic(offset) || ShapedType::isDynamic(size)))
    result = result.coarsened(d);
  bool known = !ShapedType::isDynamic(offset) && !ShapedType::isDynamic(size);
  if (!known) {
    if (image && image->axis == d)
      result.image.reset();
    return result;
  }
  if (isSplit(d)) {
    result.grid[d] = size;
    std::vector<Interval> taken(llvm::product_of(result.grid));
    SmallVector<int64_t> cells(taken.size());
    forEachCell(result.grid, [&](int64_t cell, ArrayRef<int64_t> index) {
      SmallVector<int64_t> old(index);
      old[d] += offset;
      cells[cell] = cellOf(grid, old);
      taken[cell] = values[cells[cell]];
    });
    result.values = std::move(taken);
    auto take = [&](std::vector<double> &bounds) {
      std::vector<double> some;
      if (!bounds.empty())
        for (int64_t cell : cells)
          some.push_back(bounds[cell]);
      bounds = std::move(some);
    };
    for (auto &bounds : result.norms)
      take(bounds);
    for (auto &bounds : result.sums)
      take(bounds);
  }
  for (const Identity &identity : identities) {
    if (identity.slice || identity.axes[d] < 0)
      continue;
    Identity part = identity;
    part.slice = Identity::Slice{identity.axes[d], offset, size};
    result.identities.push_back(part);
  }
  if (image && image->axis == d) {
    result.image = slicedImage(*image, offset, size);
    double bound = blockNorm(*image, offset, size);
    if (result.norms[d].empty())
      result.norms[d].assign(result.numCells(), infinity);
    for (double &norm : result.norms[d])
      norm = std::min(norm, bound);
  }
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
