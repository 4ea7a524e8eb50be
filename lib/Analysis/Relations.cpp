// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Normalisations: what a tensor that is made of a sum over another one says of
// their product or quotient. docs/bounds.md derives the formulas.

#include "BoundRules.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr double infinity = std::numeric_limits<double>::infinity();

static uint64_t bit(int axis) { return uint64_t(1) << axis; }

//===----------------------------------------------------------------------===//
// How relations come about and change
//===----------------------------------------------------------------------===//

/// g -> (1 - error) g, downwards.
static void shrink(Relation &r, double error) {
  double factor = nextDown(1 - error);
  if (!(factor > 0)) {
    r.scale = r.floor = 0;
    return;
  }
  r.scale = nextDown(r.scale * factor);
  if (r.offset != 0)
    r.offset = nextDown(r.offset * (r.offset > 0 ? factor : 2 - factor));
  r.floor = std::max(0.0, nextDown(r.floor * factor));
}

/// One more operation with a relative error of `ulps` units roundoff, which may
/// flush results that are not normal.
static void shrinkByRounding(Relation &r, const Format &format, double ulps) {
  shrink(r, nextUp(3 * ulps * format.unit / std::fabs(r.power)));
  double tiny = r.power == 1 ? format.tiny
                             : std::max(format.tiny * format.tiny,
                                        std::numeric_limits<double>::min());
  // Inverses of numbers that are not infinite are normal, or nearly so: 8 ulps
  // cover what rounding does to them.
  if (r.power > 0)
    r.offset = nextDown(r.offset - tiny);
  else
    shrink(r, nextUp(24 * format.unit / std::fabs(r.power)));
}

static bool isPowers(const BoundFact &fact) {
  return fact.relation && fact.relation->kind == Relation::Kind::Powers;
}

bool polyattn::attn::isSameTensor(const BoundFact &a, const BoundFact &b) {
  return llvm::any_of(a.identities, [&](const Identity &x) {
    return x.isExact() && x.sign == 1 && llvm::is_contained(b.identities, x);
  });
}

void polyattn::attn::relateSquare(const BoundFact &x, const Format &format,
                                  double ulps, BoundFact &result) {
  if (x.identities.empty())
    return;
  Relation r;
  r.of = x.identities;
  shrinkByRounding(r, format, ulps);
  result.relation = r;
}

/// The sum of values that are >= 0, and the sum of any values.
static std::optional<Relation> plainSum(const BoundFact &a, double count,
                                        const Format &format) {
  Relation r;
  r.exponent = 1;
  r.of = a.identities;
  if (a.hull().Lo >= 0)
    return r;
  r.kind = Relation::Kind::Mean;
  double chain = (count + 1) * format.unit;
  r.error = nextUp(2 * chain * timesUp(count, a.hull().magnitude()));
  if (!(chain < 0.25) || !(r.error < infinity))
    return std::nullopt;
  return r;
}

void polyattn::attn::relateSum(const BoundFact &a, unsigned d,
                               const Format &format, BoundFact &result) {
  if (ShapedType::isDynamic(a.shape[d]))
    return;
  double count = double(a.shape[d]);
  std::optional<Relation> r;
  if (isPowers(a) && a.relation->power == 1)
    r = a.relation;
  else if (!a.relation)
    r = plainSum(a, count, format);
  if (!r)
    return;
  // All names must agree on what is summed.
  SmallVector<Identity, 2> of;
  std::optional<int> axis;
  for (Identity identity : r->of) {
    if (identity.slice || identity.axes[d] < 0 ||
        (axis && *axis != identity.axes[d]))
      continue;
    axis = identity.axes[d];
    identity.axes[d] = -1;
    of.push_back(identity);
  }
  if (of.empty())
    return;
  r->of = of;
  r->reduced |= bit(*axis);
  if (r->kind == Relation::Kind::Powers) {
    // Each of `count` offsets is part of the sum.
    r->offset = r->offset < 0 ? nextDown(r->offset * count) : 0;
    r->floor = 0;
    shrink(*r, nextUp(2 * (count + 1) * format.unit));
  }
  result.relation = r;
}

static void scaleMean(const BoundFact &y, Interval c, const Format &format,
                      BoundFact &result) {
  Relation r = *y.relation;
  double middle = c.Lo + (c.Hi - c.Lo) / 2;
  double most = y.hull().magnitude();
  double width = nextUp(c.Hi - c.Lo);
  double changed = timesUp(most, c.magnitude());
  r.scale *= middle;
  r.error = nextUp(timesUp(r.error, c.magnitude()) + timesUp(most, width));
  r.error = nextUp(r.error + nextUp(2 * format.unit * changed) + format.tiny);
  // The product of scales is rounded, too.
  r.error = nextUp(r.error + nextUp(changed * 0x1p-50));
  if (r.error < infinity)
    result.relation = r;
}

void polyattn::attn::relateScaled(const BoundFact &y, Interval c,
                                  const Format &format, BoundFact &result) {
  if (!y.relation || !(c.Lo > 0) || !(c.Hi < infinity))
    return;
  if (y.relation->kind == Relation::Kind::Mean)
    return scaleMean(y, c, format, result);
  if (!isPowers(y))
    return;
  Relation r = *y.relation;
  double smallest = std::pow(format.tiny, std::max(0.0, -r.power)) / 2;
  if (r.power < 0 && !(c.Lo * smallest >= format.tiny))
    return;
  double factor = r.power > 0 ? c.Lo : nextDown(1 / c.Hi);
  if (std::fabs(r.power) == 0.5)
    factor = nextDown(factor * factor);
  r.scale = nextDown(r.scale * factor);
  // A negative offset must not shrink: the factor has been rounded down thrice.
  r.offset = nextDown(r.offset *
                      (r.offset > 0 ? factor : nextUp(factor * (1 + 0x1p-49))));
  r.floor = std::max(0.0, nextDown(r.floor * factor));
  // A scale that is negative in the end is of no use; one that is 0 neither.
  if (!(r.scale > 0))
    return;
  shrinkByRounding(r, format, 1);
  result.relation = r;
}

void polyattn::attn::relateShifted(const BoundFact &y, Interval c,
                                   const Format &format, BoundFact &result) {
  if (!isPowers(y) || y.relation->power < 0 || !(c.Lo >= 0))
    return;
  Relation r = *y.relation;
  if (r.power == 1) {
    r.offset = nextDown(r.offset + c.Lo);
    r.floor = nextDown(r.floor + c.Lo);
  } else {
    r.floor = std::max(r.floor, nextDown(c.Lo * c.Lo));
  }
  r.floor = std::max(r.floor, 0.0);
  shrink(r, nextUp(3 * format.unit / r.power));
  result.relation = r;
}

void polyattn::attn::relatePower(const BoundFact &y, double power,
                                 const Format &format, double ulps,
                                 BoundFact &result) {
  if (!isPowers(y) || y.relation->power < 0)
    return;
  Relation r = *y.relation;
  r.power *= power;
  if (r.power != 0.5 && r.power != -0.5 && r.power != -1)
    return;
  shrinkByRounding(r, format, ulps);
  result.relation = r;
}

void polyattn::attn::relateRounded(const BoundFact &y, const Format &from,
                                   const Format &to, BoundFact &result) {
  if (!y.relation)
    return;
  Relation r = *y.relation;
  if (from.unit >= to.unit && from.tiny >= to.tiny) {
    result.relation = r;
    return;
  }
  switch (r.kind) {
  case Relation::Kind::Powers:
    // The narrower format may have infinities where y has none.
    if (r.power < 0)
      return;
    shrinkByRounding(r, to, 1);
    break;
  case Relation::Kind::Mean:
    r.error =
        nextUp(r.error + nextUp(2 * to.unit * y.hull().magnitude()) + to.tiny);
    if (!(r.error < infinity) || !(result.hull().magnitude() < infinity))
      return;
    break;
  case Relation::Kind::Maximum:
    return;
  }
  result.relation = r;
}

void polyattn::attn::relateClamped(const BoundFact &y, Interval c,
                                   BoundFact &result) {
  if (!y.relation || y.relation->kind == Relation::Kind::Mean)
    return;
  Relation r = *y.relation;
  if (r.kind == Relation::Kind::Powers) {
    if (r.power < 0)
      return;
    double least = std::max(0.0, c.Lo);
    if (r.power == 0.5)
      least = std::max(0.0, nextDown(least * least));
    r.floor = std::max(r.floor, least);
  }
  result.relation = r;
}

//===----------------------------------------------------------------------===//
// Where they meet
//===----------------------------------------------------------------------===//

/// Do x and y, of this shape, run over the root in step, with y the same along
/// the axes that it has reduced?
static bool inStep(const Identity &x, const Identity &y, uint64_t reduced,
                   ArrayRef<int64_t> shape) {
  if (x.root != y.root || x.view != y.view || x.viewAxis != y.viewAxis ||
      x.slice || y.slice)
    return false;
  for (auto [d, size] : llvm::enumerate(shape)) {
    int axis = x.axes[d];
    bool isReduced = axis >= 0 && (reduced & bit(axis));
    if (size != 1 && y.axes[d] != (isReduced ? -1 : axis))
      return false;
  }
  return true;
}

/// Number of elements that a reduction over these root axes sums.
static double reducedCount(const Identity &x, uint64_t reduced) {
  auto type = dyn_cast<ShapedType>(x.root.getType());
  double count = 1;
  for (auto [d, axis] : llvm::enumerate(x.axes))
    if (axis >= 0 && (reduced & bit(axis)) && type && axis < type.getRank())
      count *= double(type.getDimSize(axis));
  return count;
}

/// sup over t >= 0 of (slope t + constant) / sqrt(max(scale t^2 + offset,
/// floor)).
static double supOfQuotient(double slope, double constant, const Relation &r) {
  if (!(r.scale > 0))
    return infinity;
  double squared = nextUp(1 / r.scale);
  if (r.offset < 0) {
    if (!(r.floor > 0))
      return infinity;
    squared = nextUp(squared * nextUp(1 + nextUp(-r.offset / r.floor)));
  }
  double bound = nextUp(slope * nextUp(std::sqrt(squared)));
  if (constant == 0)
    return bound;
  double least = std::max(r.offset, r.floor);
  if (!(least > 0))
    return infinity;
  return nextUp(bound + nextUp(constant / nextDown(std::sqrt(least))));
}

/// A bound of the norm (of the exponent of r) of x times or over what r speaks
/// of, one of whose names is y.
static double quotientNorm(const Identity &x, const Identity &y,
                           const Relation &r) {
  double root = nextUp(std::sqrt(reducedCount(x, r.reduced)));
  double above = 1 + x.rel, below = 1 - y.rel;
  if (!(below > 0))
    return infinity;
  if (r.exponent == 1) {
    if (x.abs != 0 || y.abs != 0 || !(r.scale > 0))
      return infinity;
    double bound = nextUp(nextUp(above / below) / r.scale);
    if (r.offset >= 0)
      return bound;
    return r.floor > 0 ? nextUp(bound * nextUp(1 + nextUp(-r.offset / r.floor)))
                       : infinity;
  }
  // |x| <= above t + root x.abs, and u = below t - root y.abs enters the sum.
  double slope = nextUp(above / below);
  double constant =
      nextUp(nextUp(slope * timesUp(root, y.abs)) + timesUp(root, x.abs));
  return supOfQuotient(slope, constant, r);
}

static StringRef nameOf(const Identity &x, const Relation &r) {
  if (r.exponent == 1)
    return "softmax";
  if (x.view == View::Centred)
    return "layer_norm";
  return std::fabs(r.scale - 1) < 1e-2 ? "l2_normalize" : "rms_norm";
}

static void setBound(std::vector<double> &bounds, int64_t cells, double bound) {
  if (bounds.empty())
    bounds.assign(cells, infinity);
  for (double &old : bounds)
    old = std::min(old, bound);
}

void polyattn::attn::applyNormalisation(const RuleInput &input,
                                        const BoundFact &x, const BoundFact &y,
                                        bool inverse, BoundFact &result) {
  if (!isPowers(y))
    return;
  const Relation &r = *y.relation;
  double needed = r.exponent == 2 ? 0.5 : 1;
  if (r.power != (inverse ? -needed : needed))
    return;
  for (const Identity &xName : x.identities)
    for (const Identity &yName : r.of) {
      if (!inStep(xName, yName, r.reduced, input.shape))
        continue;
      double bound = quotientNorm(xName, yName, r);
      if (!(bound < infinity))
        continue;
      bound = nextUp(bound * (1 + 4 * input.format.unit));
      bound = nextUp(
          bound + nextUp(reducedCount(xName, r.reduced) * input.format.tiny));
      for (unsigned d = 0; d < result.rank(); ++d) {
        if (xName.axes[d] < 0 || !(r.reduced & bit(xName.axes[d])))
          continue;
        auto &bounds = r.exponent == 2 ? result.norms[d] : result.sums[d];
        setBound(bounds, result.numCells(), bound);
        if (r.exponent == 1)
          setBound(result.norms[d], result.numCells(), bound);
      }
      // A sum of 0 makes 0 / 0, which is NaN; any other is positive.
      if (r.exponent == 1 && x.hull().Lo >= 0)
        for (Interval &value : result.values)
          value.Lo = std::max(value.Lo, 0.0);
      result.origin = hop(input.op, nameOf(xName, r), x.origin);
    }
}

/// x less its mean, up to what rounding makes of it.
static std::optional<Identity> centred(const RuleInput &input,
                                       const BoundFact &x, const Identity &name,
                                       const Relation &mean, double mostMean) {
  if (name.view != View::Plain || name.sign != 1 || !name.isExact() ||
      llvm::popcount(mean.reduced) != 1)
    return std::nullopt;
  double count = reducedCount(name, mean.reduced);
  double most = x.hull().magnitude();
  double sums = timesUp(count, most);
  Identity result = name;
  result.view = View::Centred;
  result.viewAxis = llvm::countr_zero(mean.reduced);
  result.abs = nextUp(
      mean.error +
      timesUp(sums, nextUp(std::fabs(mean.scale - 1 / count) + 0x1p-52)));
  double rounding = nextUp(2 * input.format.unit * nextUp(most + mostMean));
  result.abs = nextUp(result.abs + rounding + input.format.tiny);
  if (!(result.abs < infinity))
    return std::nullopt;
  return result;
}

void polyattn::attn::applyDifference(const RuleInput &input, const BoundFact &x,
                                     const BoundFact &y, BoundFact &result) {
  if (!y.relation || isPowers(y))
    return;
  const Relation &r = *y.relation;
  for (const Identity &xName : x.identities)
    for (const Identity &yName : r.of) {
      if (!inStep(xName, yName, r.reduced, input.shape))
        continue;
      if (r.kind == Relation::Kind::Mean) {
        if (auto name = centred(input, x, xName, r, y.hull().magnitude()))
          result.identities.push_back(*name);
      } else if (xName.isExact() && xName == xName && xName.sign == 1) {
        for (Interval &value : result.values)
          value = Interval(std::min(value.Lo, 0.0), std::min(value.Hi, 0.0));
      }
    }
}
