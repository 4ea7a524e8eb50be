// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Rules of ops that work on single elements: arith, math and their tosa
// counterparts. The same rules serve tensors and the scalars in linalg bodies.

#include "BoundRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr double infinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Powers and roots
//===----------------------------------------------------------------------===//

static BoundFact square(const RuleInput &input, const BoundFact &x,
                        double ulps) {
  BoundFact result = mapValues(
      input, x,
      [](Interval v) {
        return Interval(nextDown(v.mignitude() * v.mignitude()),
                        timesUp(v.magnitude(), v.magnitude()));
      },
      ulps);
  for (Interval &value : result.values)
    value.Lo = std::max(value.Lo, 0.0);
  relateSquare(x, input.format, ulps, result);
  return result;
}

static BoundFact squareRoot(const RuleInput &input, const BoundFact &x,
                            double ulps) {
  BoundFact result = mapValues(input, x, sqrtEnclosure, ulps);
  relatePower(x, 0.5, input.format, ulps, result);
  return result;
}

static BoundFact inverseRoot(const RuleInput &input, const BoundFact &x) {
  BoundFact result = mapValues(
      input, x,
      [](Interval v) {
        return v.Lo > 0 ? inverse(sqrtEnclosure(v))
                        : Interval(-infinity, infinity);
      },
      mathUlps);
  relatePower(x, -0.5, input.format, mathUlps, result);
  return result;
}

static BoundFact sqrtRule(const RuleInput &input) {
  return squareRoot(input, input.in[0], 1);
}
static BoundFact rsqrtRule(const RuleInput &input) {
  return inverseRoot(input, input.in[0]);
}

static BoundFact powerRule(const RuleInput &input) {
  Interval exponent = input.in[1].hull();
  if (exponent.Lo != exponent.Hi)
    return BoundFact::top(input.shape);
  if (exponent.Lo == 2)
    return square(input, input.in[0], mathUlps);
  // Unlike the square root, (-infinity)^0.5 is infinite, not NaN.
  if (!(input.in[0].hull().Lo >= 0))
    return BoundFact::top(input.shape);
  if (exponent.Lo == 0.5)
    return squareRoot(input, input.in[0], mathUlps);
  if (exponent.Lo == -0.5)
    return inverseRoot(input, input.in[0]);
  return BoundFact::top(input.shape);
}

static BoundFact integerPowerRule(const RuleInput &input) {
  Interval exponent = input.in[1].hull();
  if (exponent.Lo == 2 && exponent.Hi == 2)
    return square(input, input.in[0], mathUlps);
  return BoundFact::top(input.shape);
}

//===----------------------------------------------------------------------===//
// Functions with a bounded range
//===----------------------------------------------------------------------===//

static BoundFact expRule(const RuleInput &input) {
  return mapValues(
      input, input.in[0],
      [](Interval v) {
        Interval e = expEnclosure(v);
        return Interval(std::max(e.Lo, 0.0), e.Hi);
      },
      mathUlps);
}

static Interval exponential2(Interval v) {
  return expEnclosure(v * Interval(0x1.62e42fefa39efp-1, 0x1.62e42fefa39f0p-1));
}

static BoundFact exp2Rule(const RuleInput &input) {
  return mapValues(input, input.in[0], exponential2, mathUlps);
}

/// Odd and increasing, |tanh x| <= min(1, |x|).
static BoundFact tanhRule(const RuleInput &input) {
  BoundFact result = mapValues(
      input, input.in[0],
      [](Interval v) {
        return Interval(std::max(std::min(v.Lo, 0.0), -1.0),
                        std::min(std::max(v.Hi, 0.0), 1.0));
      },
      mathUlps);
  result.norms = input.in[0].norms;
  roundNorms(result, input.format, mathUlps);
  return result;
}

static BoundFact unitRule(const RuleInput &input) {
  return mapValues(
      input, input.in[0], [](Interval) { return Interval(-1, 1); }, mathUlps);
}

static BoundFact sigmoidRule(const RuleInput &input) {
  return mapValues(
      input, input.in[0],
      [](Interval v) {
        Interval one(1);
        Interval s = inverse(one + expEnclosure(-v));
        return Interval(std::max(s.Lo, 0.0), std::min(s.Hi, 1.0));
      },
      mathUlps);
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

static Interval maximum(Interval x, Interval y) {
  return Interval(std::max(x.Lo, y.Lo), std::max(x.Hi, y.Hi));
}
static Interval minimum(Interval x, Interval y) { return -maximum(-x, -y); }

static BoundFact choose(const RuleInput &input, const BoundFact &left,
                        const BoundFact &right, bool isMaximum) {
  auto [a, b] = aligned(left, right);
  BoundFact result = zipValues(input, a, b, isMaximum ? maximum : minimum);
  // Moving towards a range that holds 0 makes nothing larger.
  if (isMaximum ? b.hull().Hi <= 0 : b.hull().Lo >= 0)
    result.norms = a.norms;
  else if (isMaximum ? a.hull().Hi <= 0 : a.hull().Lo >= 0)
    result.norms = b.norms;
  else
    addNorms(a, b, result);
  if (isMaximum) {
    relateClamped(left, right.hull(), result);
    if (!result.relation)
      relateClamped(right, left.hull(), result);
  }
  return result;
}

static BoundFact maximumRule(const RuleInput &input) {
  return choose(input, input.in[0], input.in[1], true);
}
static BoundFact minimumRule(const RuleInput &input) {
  return choose(input, input.in[0], input.in[1], false);
}

/// Does the comparison hold where x is the larger one (1), the smaller (-1)?
static int direction(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::OGT:
  case P::OGE:
  case P::UGT:
  case P::UGE:
    return 1;
  case P::OLT:
  case P::OLE:
  case P::ULT:
  case P::ULE:
    return -1;
  default:
    return 0;
  }
}

/// select(x < y, y, x) is a maximum, and so on.
static BoundFact selectRule(const RuleInput &input) {
  const BoundFact &left = input.in[1], &right = input.in[2];
  if (auto select = dyn_cast<arith::SelectOp>(input.op))
    if (auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>()) {
      int towards = direction(compare.getPredicate());
      Value x = compare.getLhs(), y = compare.getRhs();
      bool kept = x == select.getTrueValue() && y == select.getFalseValue();
      bool swapped = y == select.getTrueValue() && x == select.getFalseValue();
      if (towards && (kept || swapped))
        return choose(input, left, right, (towards > 0) == kept);
    }
  auto [a, b] = aligned(left, right);
  BoundFact result = zipValues(input, a, b, [](Interval x, Interval y) {
    return Interval(std::min(x.Lo, y.Lo), std::max(x.Hi, y.Hi));
  });
  addNorms(a, b, result);
  return result;
}

static BoundFact clampRule(const RuleInput &input) {
  auto clamp = cast<tosa::ClampOp>(input.op);
  auto low = dyn_cast<FloatAttr>(clamp.getMinValAttr());
  auto high = dyn_cast<FloatAttr>(clamp.getMaxValAttr());
  if (!low || !high)
    return BoundFact::top(input.shape);
  Interval range(low.getValueAsDouble(), high.getValueAsDouble());
  BoundFact result = mapValues(input, input.in[0], [&](Interval v) {
    return minimum(maximum(v, Interval(range.Lo)), Interval(range.Hi));
  });
  if (range.Lo <= 0 && range.Hi >= 0)
    result.norms = input.in[0].norms;
  return result;
}

//===----------------------------------------------------------------------===//
// Signs and conversions
//===----------------------------------------------------------------------===//

static BoundFact absoluteRule(const RuleInput &input) {
  BoundFact result = input.in[0];
  result.relation.reset();
  result.scaled.reset();
  result.image.reset();
  result.constant.reset();
  for (Interval &value : result.values)
    value = Interval(value.mignitude(), value.magnitude());
  for (Identity &identity : result.identities)
    identity.sign = 0;
  return result;
}

/// Between float types: at most one rounding.
static BoundFact convertRule(const RuleInput &input) {
  std::optional<Format> from = Format::of(input.op->getOperand(0).getType());
  if (!from)
    return BoundFact::top(input.shape);
  const BoundFact &x = input.in[0];
  BoundFact result = mapValues(input, x, [](Interval v) { return v; });
  bool exact =
      from->unit >= input.format.unit && from->tiny >= input.format.tiny;
  if (exact) {
    result = x;
    result.scaled.reset();
    result.relation.reset();
  } else {
    result.norms = x.norms;
    result.sums = x.sums;
    roundNorms(result, input.format, 1);
    result.identities = x.identities;
    for (Identity &identity : result.identities) {
      identity.rel = nextUp(identity.rel + 2 * input.format.unit);
      identity.abs = nextUp(nextUp(identity.abs * (1 + 2 * input.format.unit)) +
                            input.format.tiny);
    }
  }
  relateRounded(x, *from, input.format, result);
  return result;
}

static BoundFact identityRule(const RuleInput &input) { return input.in[0]; }

llvm::ArrayRef<RuleEntry> polyattn::attn::elementwiseRules() {
  constexpr auto broadcast = RuleEntry::Broadcasting;
  static const RuleEntry entries[] = {
      {"arith.addf", addRule},
      {"arith.subf", subtractRule},
      {"arith.mulf", multiplyRule},
      {"arith.divf", divideRule},
      {"arith.negf", negateRule},
      {"arith.maximumf", maximumRule},
      {"arith.maxnumf", maximumRule},
      {"arith.minimumf", minimumRule},
      {"arith.minnumf", minimumRule},
      {"arith.select", selectRule},
      {"arith.extf", convertRule},
      {"arith.truncf", convertRule},
      {"math.absf", absoluteRule},
      {"math.sqrt", sqrtRule},
      {"math.rsqrt", rsqrtRule},
      {"math.powf", powerRule},
      {"math.fpowi", integerPowerRule},
      {"math.exp", expRule},
      {"math.exp2", exp2Rule},
      {"math.tanh", tanhRule},
      {"math.erf", unitRule},
      {"math.sin", unitRule},
      {"math.cos", unitRule},
      {"tosa.add", addRule, broadcast},
      {"tosa.sub", subtractRule, broadcast},
      {"tosa.mul", multiplyRule, broadcast},
      {"tosa.negate", negateRule, broadcast},
      {"tosa.maximum", maximumRule, broadcast},
      {"tosa.minimum", minimumRule, broadcast},
      {"tosa.select", selectRule, broadcast},
      {"tosa.clamp", clampRule, broadcast},
      {"tosa.abs", absoluteRule, broadcast},
      {"tosa.pow", powerRule, broadcast},
      {"tosa.exp", expRule, broadcast},
      {"tosa.rsqrt", rsqrtRule, broadcast},
      {"tosa.reciprocal", reciprocalRule, broadcast},
      {"tosa.tanh", tanhRule, broadcast},
      {"tosa.sigmoid", sigmoidRule, broadcast},
      {"tosa.erf", unitRule, broadcast},
      {"tosa.sin", unitRule, broadcast},
      {"tosa.cos", unitRule, broadcast},
      {"tosa.cast", convertRule, broadcast},
      {"tosa.identity", identityRule, broadcast},
  };
  return entries;
}
