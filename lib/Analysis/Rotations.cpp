// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// x * cos + rotate_half(x) * sin for constant tables.

#include "BoundRules.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr double infinity = std::numeric_limits<double>::infinity();

namespace {
/// Both products of a rotation, and the dimension of the halves.
struct Rotation {
  const BoundFact::Scaled &plain, &rotated;
  unsigned dim;
};
} // namespace

/// The square of the norm of [[c0, -s0], [s1, c1]].
static double pairNorm(Interval c0, Interval s0, Interval c1, Interval s1) {
  auto square = [](Interval v) {
    return Interval(0, timesUp(v.magnitude(), v.magnitude()));
  };
  double trace = (square(c0) + square(s0) + square(c1) + square(s1)).Hi;
  double det = (c0 * c1 + s0 * s1).mignitude();
  double under =
      nextUp(nextUp(trace * trace) - nextDown(4 * nextDown(det * det)));
  return nextUp((trace + nextUp(std::sqrt(std::max(under, 0.0)))) / 2);
}

/// The largest factor by which pairs grow, over all positions.
static double rotationNorm(const Rotation &r, ArrayRef<int64_t> shape) {
  BoundFact::Shape grid(r.plain.grid);
  for (auto [size, other] : llvm::zip_equal(grid, r.rotated.grid))
    size = std::max(size, other);
  int64_t half = shape[r.dim] / 2;
  grid[r.dim] = half;
  double most = 0;
  forEachCell(grid, [&](int64_t, ArrayRef<int64_t> index) {
    SmallVector<int64_t> other(index);
    other[r.dim] += half;
    auto factor = [](const BoundFact::Scaled &s, ArrayRef<int64_t> at) {
      return s.factors[cellOf(s.grid, at)];
    };
    most = std::max(most,
                    pairNorm(factor(r.plain, index), factor(r.rotated, index),
                             factor(r.plain, other), factor(r.rotated, other)));
  });
  return nextUp(std::sqrt(most));
}

static std::optional<unsigned> rotationDim(const BoundFact &x,
                                           const BoundFact &rotated) {
  for (const Identity &a : x.identities)
    for (const Identity &b : rotated.identities) {
      if (a.root != b.root || a.axes != b.axes || !a.isExact() ||
          !b.isExact() || a.view != View::Plain || a.sign != 1 ||
          b.view != View::RotatedHalf || b.sign != 1)
        continue;
      for (auto [d, axis] : llvm::enumerate(a.axes))
        if (axis == b.viewAxis && x.shape[d] % 2 == 0)
          return unsigned(d);
    }
  return std::nullopt;
}

/// The largest magnitude among factors.
static double mostFactor(const BoundFact::Scaled &scaled) {
  double most = 0;
  for (Interval factor : scaled.factors)
    most = std::max(most, factor.magnitude());
  return most;
}

void polyattn::attn::applyRotation(const RuleInput &input, const BoundFact &a,
                                   const BoundFact &b, BoundFact &result) {
  if (!a.scaled || !b.scaled)
    return;
  const auto *plain = a.scaled.get(), *rotated = b.scaled.get();
  std::optional<unsigned> d = rotationDim(*plain->base, *rotated->base);
  if (!d) {
    std::swap(plain, rotated);
    d = rotationDim(*plain->base, *rotated->base);
  }
  if (!d || ShapedType::isDynamicShape(input.shape))
    return;
  double factor = rotationNorm({*plain, *rotated, *d}, input.shape);
  double sum = nextUp(mostFactor(*plain) + mostFactor(*rotated));
  factor = nextUp(factor + nextUp(8 * input.format.unit * sum));
  double underflow = nextUp(4 * double(input.shape[*d]) * input.format.tiny);
  std::vector<double> norms = plain->base->refined(result.grid).normAlong(*d);
  if (result.norms[*d].empty())
    result.norms[*d].assign(result.numCells(), infinity);
  for (size_t i = 0; i < norms.size(); ++i)
    result.norms[*d][i] = std::min(
        result.norms[*d][i], nextUp(timesUp(norms[i], factor) + underflow));
  result.origin = hop(input.op, "rotation", plain->base->origin);
}
