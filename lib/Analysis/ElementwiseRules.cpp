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
/// Error that functions of the math library (and their polynomial or hardware
/// counterparts) are trusted with, in units roundoff.
static constexpr double mathUlps = 16;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

std::optional<Format> Format::of(Type type) {
  auto real = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  if (!real)
    return std::nullopt;
  const llvm::fltSemantics &semantics = real.getFloatSemantics();
  Format format;
  format.semantics = &semantics;
  format.unit = std::ldexp(1.0, -int(APFloat::semanticsPrecision(semantics)));
  format.tiny = std::ldexp(
      1.0, std::max(APFloat::semanticsMinExponent(semantics), -1022));
  return format;
}

static double convert(double value, const Format &format,
                      APFloat::roundingMode mode) {
  APFloat number(value);
  bool losesInfo;
  number.convert(*format.semantics, mode, &losesInfo);
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

Interval polyattn::attn::rounded(Interval exact, const Format &format,
                                 double ulps) {
  double lo = exact.Lo, hi = exact.Hi;
  double error = ulps * format.unit;
  if (error > 0) {
    lo = nextDown(lo - nextUp(std::fabs(lo) * error));
    hi = nextUp(hi + nextUp(std::fabs(hi) * error));
  }
  // The whole program may flush results that are not normal to zero.
  if (std::fabs(lo) <= format.tiny)
    lo = lo >= 0 ? 0 : -format.tiny;
  if (std::fabs(hi) <= format.tiny)
    hi = hi <= 0 ? 0 : format.tiny;
  // Outwards, so that an op that is fused with the next one, and therefore not
  // rounded at all, is covered too. Beyond the largest number lies infinity.
  return Interval(convert(lo, format, APFloat::rmTowardNegative),
                  convert(hi, format, APFloat::rmTowardPositive));
}

double polyattn::attn::timesUp(double a, double b) {
  return a == 0 || b == 0 ? 0 : nextUp(a * b);
}

void polyattn::attn::roundNorms(BoundFact &fact, const Format &format,
                                double roundings) {
  double factor = 1 + 2 * roundings * format.unit;
  for (unsigned d = 0; d < fact.rank(); ++d) {
    double count =
        ShapedType::isDynamic(fact.shape[d]) ? 0x1p48 : double(fact.shape[d]);
    double underflow = nextUp(count * roundings * format.tiny);
    for (auto *bounds : {&fact.norms[d], &fact.sums[d]})
      for (double &bound : *bounds)
        bound = nextUp(nextUp(bound * factor) + underflow);
  }
}

OriginRef polyattn::attn::hop(Operation *op, const Twine &what,
                              const OriginRef &from) {
  return std::make_shared<Origin>(Origin{what.str(), op->getLoc(), from});
}

/// f of every cell, rounded. Norms are not touched: there are none.
static BoundFact mapValues(const RuleInput &input, const BoundFact &a,
                           llvm::function_ref<Interval(Interval)> f,
                           double ulps = 0) {
  BoundFact result = BoundFact::top(input.shape);
  result.grid = a.grid;
  result.values.clear();
  for (Interval value : a.values)
    result.values.push_back(rounded(f(value), input.format, ulps));
  return result;
}

static BoundFact zipValues(const RuleInput &input, const BoundFact &a,
                           const BoundFact &b,
                           llvm::function_ref<Interval(Interval, Interval)> f,
                           double ulps = 0) {
  BoundFact result = BoundFact::top(input.shape);
  result.grid = a.grid;
  result.values.clear();
  for (auto [x, y] : llvm::zip_equal(a.values, b.values))
    result.values.push_back(rounded(f(x, y), input.format, ulps));
  return result;
}

/// Both on the same grid.
static std::pair<BoundFact, BoundFact> aligned(const BoundFact &a,
                                               const BoundFact &b) {
  BoundFact::Shape grid = commonGrid(a, b);
  return {a.refined(grid), b.refined(grid)};
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Is every element the same known number within a cell?
static bool isConstant(const BoundFact &fact) {
  return llvm::all_of(fact.values, [](Interval v) { return v.Lo == v.Hi; });
}

/// x W + b + constant is an image of x again, if the constant runs along the
/// axis alone.
static void shiftImage(const RuleInput &input, const BoundFact &a,
                       const BoundFact &b, BoundFact &result) {
  if (!a.image || !isConstant(b))
    return;
  unsigned axis = a.image->axis;
  for (unsigned d = 0; d < b.rank(); ++d)
    if (d != axis && b.isSplit(d))
      return;
  auto image = std::make_shared<LinearImage>(*a.image);
  int64_t size = image->weights->cols;
  image->bias.resize(size, 0);
  double u = input.format.unit;
  for (int64_t j = 0; j < size; ++j) {
    double shift = b.values[b.isSplit(axis) ? j : 0].Lo;
    double biased = image->bias[j] + shift;
    // Away from zero: by the rounding of the program, which is relative to the
    // sum of both, and of this very addition.
    double most = nextUp(nextUp(std::fabs(biased)) * (1 + 2 * u));
    image->bias[j] = std::copysign(most, biased);
  }
  image->radius = nextUp(image->radius * (1 + 2 * u));
  result.image = image;
}

BoundFact polyattn::attn::add(const RuleInput &input, const BoundFact &left,
                              const BoundFact &right) {
  auto [a, b] = aligned(left, right);
  BoundFact result =
      zipValues(input, a, b, [](Interval x, Interval y) { return x + y; });
  for (unsigned d = 0; d < result.rank(); ++d) {
    if (a.norms[d].empty() && b.norms[d].empty())
      continue;
    std::vector<double> x = a.normAlong(d), y = b.normAlong(d);
    for (size_t i = 0; i < x.size(); ++i)
      result.norms[d].push_back(nextUp(x[i] + y[i]));
  }
  roundNorms(result, input.format, 1);
  relateShifted(left, right.hull(), input.format, result);
  if (!result.relation)
    relateShifted(right, left.hull(), input.format, result);
  applyRotation(input, left, right, result);
  shiftImage(input, left, right, result);
  if (!result.image)
    shiftImage(input, right, left, result);
  return result;
}

static BoundFact addRule(const RuleInput &input) {
  return add(input, input.in[0], input.in[1]);
}

static BoundFact negated(const BoundFact &a) {
  BoundFact result = a;
  result.relation.reset();
  result.scaled.reset();
  result.image.reset();
  result.constant.reset();
  for (Interval &value : result.values)
    value = -value;
  for (Identity &identity : result.identities)
    identity.sign = -identity.sign;
  return result;
}

static BoundFact negateRule(const RuleInput &input) {
  return negated(input.in[0]);
}

static BoundFact subtractRule(const RuleInput &input) {
  BoundFact result = add(input, input.in[0], negated(input.in[1]));
  applyDifference(input, input.in[0], input.in[1], result);
  return result;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Remembers that the result is x times constants.
static void rememberScaled(const BoundFact &x, const BoundFact &factors,
                           BoundFact &result) {
  if (x.identities.empty() || isConstant(x) || !isConstant(factors))
    return;
  auto scaled = std::make_shared<BoundFact::Scaled>();
  auto base = std::make_shared<BoundFact>(x);
  base->scaled.reset();
  scaled->base = base;
  scaled->grid = factors.grid;
  scaled->factors = factors.values;
  result.scaled = scaled;
}

/// |x y| <= |x| max|y|, both ways round, for one kind of norm.
static std::vector<double> productNorm(const std::vector<double> &x,
                                       const std::vector<double> &y,
                                       const std::vector<double> &mostX,
                                       const std::vector<double> &mostY) {
  std::vector<double> bounds(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    bounds[i] = std::min(timesUp(x[i], mostY[i]), timesUp(mostX[i], y[i]));
  return bounds;
}

BoundFact polyattn::attn::multiply(const RuleInput &input,
                                   const BoundFact &left,
                                   const BoundFact &right) {
  auto [a, b] = aligned(left, right);
  bool isSquare = isSameTensor(left, right);
  BoundFact result = zipValues(input, a, b, [&](Interval x, Interval y) {
    Interval product = x * y;
    return isSquare ? Interval(0, std::max(0.0, product.Hi)) : product;
  });
  for (unsigned d = 0; d < result.rank(); ++d) {
    bool norms = !a.norms[d].empty() || !b.norms[d].empty();
    bool sums = !a.sums[d].empty() || !b.sums[d].empty();
    if (!norms && !sums)
      continue;
    std::vector<double> mostA = a.magnitudeAlong(d),
                        mostB = b.magnitudeAlong(d);
    if (norms)
      result.norms[d] =
          productNorm(a.normAlong(d), b.normAlong(d), mostA, mostB);
    if (sums)
      result.sums[d] = productNorm(a.sumAlong(d), b.sumAlong(d), mostA, mostB);
  }
  roundNorms(result, input.format, 1);
  if (isSquare) {
    relateSquare(left, input.format, 1, result);
    return result;
  }
  relateScaled(left, right.hull(), input.format, result);
  if (!result.relation)
    relateScaled(right, left.hull(), input.format, result);
  rememberScaled(left, right, result);
  rememberScaled(right, left, result);
  applyNormalisation(input, left, right, /*inverse=*/true, result);
  applyNormalisation(input, right, left, /*inverse=*/true, result);
  return result;
}

static BoundFact multiplyRule(const RuleInput &input) {
  return multiply(input, input.in[0], input.in[1]);
}

/// 1 / x, not rounded.
static Interval inverse(Interval x) {
  // An interval that ends at 0 may hold -0, whose inverse is -infinity.
  if (x.Lo > 0)
    return Interval(std::max(0.0, nextDown(1 / x.Hi)), nextUp(1 / x.Lo));
  if (x.Hi < 0)
    return -inverse(-x);
  return Interval(-infinity, infinity);
}

/// x / y, not rounded.
static Interval quotient(Interval x, Interval y) {
  Interval product = x * inverse(y);
  // A quotient of numbers that are not negative is none either.
  if (x.Lo >= 0 && y.Lo > 0)
    product.Lo = std::max(product.Lo, 0.0);
  return product;
}

static BoundFact divideRule(const RuleInput &input) {
  const BoundFact &left = input.in[0], &right = input.in[1];
  auto [a, b] = aligned(left, right);
  BoundFact result = zipValues(input, a, b, quotient);
  for (unsigned d = 0; d < result.rank(); ++d) {
    if (a.norms[d].empty())
      continue;
    BoundFact inverted = b;
    for (Interval &value : inverted.values)
      value = inverse(value);
    std::vector<double> x = a.normAlong(d);
    std::vector<double> most = inverted.magnitudeAlong(d);
    for (size_t i = 0; i < x.size(); ++i)
      result.norms[d].push_back(timesUp(x[i], most[i]));
  }
  roundNorms(result, input.format, 1);
  relateScaled(left, inverse(right.hull()), input.format, result);
  if (!result.relation && left.hull().Lo > 0) {
    BoundFact inverted = BoundFact::top(input.shape);
    relatePower(right, -1, input.format, 1, inverted);
    relateScaled(inverted, left.hull(), input.format, result);
  }
  applyNormalisation(input, left, right, /*inverse=*/false, result);
  return result;
}

static BoundFact reciprocalRule(const RuleInput &input) {
  BoundFact result = mapValues(input, input.in[0], inverse, mathUlps);
  relatePower(input.in[0], -1, input.format, mathUlps, result);
  return result;
}

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

/// Each result element is one of two: norms add up in squares at worst; here
/// simply as sums.
static void chooseNorms(const BoundFact &a, const BoundFact &b,
                        BoundFact &result) {
  for (unsigned d = 0; d < result.rank(); ++d) {
    if (a.norms[d].empty() && b.norms[d].empty())
      continue;
    std::vector<double> x = a.normAlong(d), y = b.normAlong(d);
    for (size_t i = 0; i < x.size(); ++i)
      result.norms[d].push_back(nextUp(x[i] + y[i]));
  }
}

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
    chooseNorms(a, b, result);
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
  chooseNorms(a, b, result);
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
