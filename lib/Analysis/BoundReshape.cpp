// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Facts of a tensor under another shape: dimensions are split and merged, heads
// above all.

#include "BoundRules.h"
#include "polyattn/Analysis/SpectralNorm.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

namespace {
/// Dimensions [oldBegin, oldEnd) of one shape hold the same elements as
/// [newBegin, newEnd) of the other.
struct DimGroup {
  unsigned oldBegin, oldEnd, newBegin, newEnd;
};
} // namespace

static SmallVector<DimGroup> groupDims(ArrayRef<int64_t> from,
                                       ArrayRef<int64_t> to) {
  SmallVector<DimGroup> groups;
  unsigned i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    DimGroup group{i, i, j, j};
    int64_t a = 1, b = 1;
    auto takeOld = [&] { a *= from[group.oldEnd++]; };
    auto takeNew = [&] { b *= to[group.newEnd++]; };
    if (i < from.size())
      takeOld();
    if (j < to.size())
      takeNew();
    while (a != b)
      if (a < b)
        takeOld();
      else
        takeNew();
    groups.push_back(group);
    i = group.oldEnd;
    j = group.newEnd;
  }
  return groups;
}

/// The one dimension in [begin, end) that is not 1; nothing if several are.
static std::optional<int> soleDim(ArrayRef<int64_t> shape, unsigned begin,
                                  unsigned end) {
  int sole = -1;
  for (unsigned d = begin; d < end; ++d) {
    if (shape[d] == 1)
      continue;
    if (sole >= 0)
      return std::nullopt;
    sole = int(d);
  }
  return sole;
}

namespace {
/// The parts of a reshape, group after group.
struct Reshape {
  const BoundFact &old;
  BoundFact result;
  SmallVector<DimGroup> groups;
  /// For each new dimension the old one, where there is just one.
  SmallVector<int> from;
  bool isPlain = true;

  Reshape(const BoundFact &old, ArrayRef<int64_t> newShape)
      : old(old), result(BoundFact::top(newShape)),
        groups(groupDims(old.shape, newShape)), from(newShape.size(), -1) {
    for (const DimGroup &g : groups) {
      auto sole = soleDim(old.shape, g.oldBegin, g.oldEnd);
      auto now = soleDim(newShape, g.newBegin, g.newEnd);
      if (sole && now && *sole >= 0)
        from[*now] = *sole;
      else if (!sole || !now)
        isPlain = false;
    }
  }
};
} // namespace

/// Splits all or none of each group's dimensions, so that cells keep their
/// order under the new shape.
static BoundFact alignedToGroups(const BoundFact &fact,
                                 ArrayRef<DimGroup> groups) {
  BoundFact::Shape grid = fact.grid;
  for (const DimGroup &g : groups) {
    bool any = false;
    for (unsigned d = g.oldBegin; d < g.oldEnd; ++d)
      any |= fact.isSplit(d);
    BoundFact::Shape finer = grid;
    if (any)
      for (unsigned d = g.oldBegin; d < g.oldEnd; ++d)
        finer[d] = fact.shape[d];
    if (llvm::product_of(finer) > BoundFact::maxCells)
      for (unsigned d = g.oldBegin; d < g.oldEnd; ++d)
        finer[d] = 1;
    grid = finer;
  }
  return fact.refined(grid);
}

/// Bounds along the new dimensions of one group.
static void reshapeBounds(const BoundFact &old, const DimGroup &g,
                          BoundFact &result) {
  auto sole = soleDim(old.shape, g.oldBegin, g.oldEnd);
  auto now = soleDim(result.shape, g.newBegin, g.newEnd);
  if (sole && *sole >= 0) {
    // Fibres along the new dimensions are parts of those along the old one.
    for (unsigned d = g.newBegin; d < g.newEnd; ++d) {
      if (result.shape[d] == 1)
        continue;
      result.norms[d] = old.norms[*sole];
      result.sums[d] = old.sums[*sole];
    }
    return;
  }
  if (sole || !now)
    return;
  // Several become one: a fibre consists of as many fibres along its last
  // dimension as there are indices of the others.
  unsigned last = g.oldEnd - 1;
  while (old.shape[last] == 1)
    --last;
  std::vector<double> along = old.normAlong(last);
  double others = 1;
  for (unsigned d = g.oldBegin; d < last; ++d)
    others *= double(old.shape[d]);
  double root = nextUp(std::sqrt(others));
  double most = *llvm::max_element(along);
  result.norms[*now].assign(result.numCells(), timesUp(root, most));
}

/// A block of outputs for each index of the new dimensions but the last one.
static void splitImage(const BoundFact &old, const DimGroup &g,
                       BoundFact &result) {
  unsigned last = g.newEnd - 1;
  while (last > g.newBegin && result.shape[last] == 1)
    --last;
  int64_t size = result.shape[last];
  BoundFact::Shape grid = result.grid;
  for (unsigned d = g.newBegin; d < last; ++d)
    grid[d] = result.shape[d];
  if (llvm::product_of(grid) > BoundFact::maxCells)
    return;
  result = result.refined(grid);
  int64_t blocks = old.image->weights->cols / size;
  std::vector<double> bounds(blocks);
  for (int64_t block = 0; block < blocks; ++block)
    bounds[block] = blockNorm(*old.image, block * size, size);
  std::vector<double> cells(result.numCells());
  forEachCell(grid, [&](int64_t cell, ArrayRef<int64_t> index) {
    int64_t block = 0;
    for (unsigned d = g.newBegin; d < last; ++d)
      block = block * result.shape[d] + index[d];
    cells[cell] = bounds[block];
    if (!result.norms[last].empty())
      cells[cell] = std::min(cells[cell], result.norms[last][cell]);
  });
  result.norms[last] = std::move(cells);
}

BoundFact BoundFact::reshaped(ArrayRef<int64_t> newShape) const {
  if (ShapedType::isDynamicShape(shape) ||
      ShapedType::isDynamicShape(newShape) || llvm::is_contained(shape, 0))
    return within(newShape, withElementBounds(*this).hull());
  Reshape plan(*this, newShape);
  if (plan.isPlain) {
    BoundFact moved = remapped(newShape, plan.from);
    moved.constant = constant;
    return moved;
  }
  BoundFact aligned = alignedToGroups(withElementBounds(*this), plan.groups);
  BoundFact &result = plan.result;
  for (const DimGroup &g : plan.groups) {
    bool split = false;
    for (unsigned d = g.oldBegin; d < g.oldEnd; ++d)
      split |= aligned.isSplit(d);
    for (unsigned d = g.newBegin; d < g.newEnd; ++d)
      result.grid[d] = split ? newShape[d] : 1;
  }
  result.values = aligned.values;
  for (const DimGroup &g : plan.groups)
    reshapeBounds(aligned, g, result);
  if (image)
    for (const DimGroup &g : plan.groups)
      if (image->axis >= g.oldBegin && image->axis < g.oldEnd) {
        auto sole = soleDim(shape, g.oldBegin, g.oldEnd);
        auto now = soleDim(newShape, g.newBegin, g.newEnd);
        if (sole && *sole == int(image->axis) && now && *now >= 0) {
          auto moved = std::make_shared<LinearImage>(*image);
          moved->axis = unsigned(*now);
          result.image = moved;
        } else if (sole && *sole == int(image->axis)) {
          splitImage(*this, g, result);
        }
      }
  result.constant = constant;
  result.origin = origin;
  return result;
}
