// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Facts of a tensor whose dimensions are permuted, repeated or sliced.

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
