// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Rounding, sums, products and quotients of facts, element by element.

#include "BoundRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr double infinity = std::numeric_limits<double>::infinity();

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
  if (format.semantics == &APFloat::IEEEdouble())
    return value;
  // Millions of entries of activations are f32.
  if (format.semantics == &APFloat::IEEEsingle()) {
    float nearest = float(value);
    if (mode == APFloat::rmTowardNegative && double(nearest) > value)
      return std::nextafterf(nearest, -std::numeric_limits<float>::infinity());
    if (mode == APFloat::rmTowardPositive && double(nearest) < value)
      return std::nextafterf(nearest, std::numeric_limits<float>::infinity());
    return nearest;
  }
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
  // Errors are relative, and flushing keeps the sign as well.
  if (exact.Lo >= 0)
    lo = std::max(lo, 0.0);
  if (exact.Hi <= 0)
    hi = std::min(hi, 0.0);
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
BoundFact polyattn::attn::mapValues(const RuleInput &input, const BoundFact &a,
                                    llvm::function_ref<Interval(Interval)> f,
                                    double ulps) {
  BoundFact result = BoundFact::top(input.shape);
  result.grid = a.grid;
  result.values.clear();
  for (Interval value : a.values)
    result.values.push_back(rounded(f(value), input.format, ulps));
  return result;
}

BoundFact polyattn::attn::zipValues(
    const RuleInput &input, const BoundFact &a, const BoundFact &b,
    llvm::function_ref<Interval(Interval, Interval)> f, double ulps) {
  BoundFact result = BoundFact::top(input.shape);
  result.grid = a.grid;
  result.values.clear();
  for (auto [x, y] : llvm::zip_equal(a.values, b.values))
    result.values.push_back(rounded(f(x, y), input.format, ulps));
  return result;
}

/// Both on the same grid.
std::pair<BoundFact, BoundFact> polyattn::attn::aligned(const BoundFact &a,
                                                        const BoundFact &b) {
  BoundFact::Shape grid = commonGrid(a, b);
  return {a.refined(grid), b.refined(grid)};
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Is every element the same known number within a cell?
bool polyattn::attn::isConstant(const BoundFact &fact) {
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

void polyattn::attn::addNorms(const BoundFact &a, const BoundFact &b,
                              BoundFact &result) {
  for (unsigned d = 0; d < result.rank(); ++d) {
    if (a.norms[d].empty() && b.norms[d].empty())
      continue;
    std::vector<double> x = a.normAlong(d), y = b.normAlong(d);
    for (size_t i = 0; i < x.size(); ++i)
      result.norms[d].push_back(nextUp(x[i] + y[i]));
  }
}

BoundFact polyattn::attn::add(const RuleInput &input, const BoundFact &left,
                              const BoundFact &right) {
  auto [a, b] = aligned(left, right);
  BoundFact result = zipValues(input, a, b, [](Interval x, Interval y) {
    Interval sum = x + y;
    return x.Lo >= 0 && y.Lo >= 0 ? Interval(std::max(sum.Lo, 0.0), sum.Hi)
                                  : sum;
  });
  addNorms(a, b, result);
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

BoundFact polyattn::attn::addRule(const RuleInput &input) {
  return add(input, input.in[0], input.in[1]);
}

BoundFact polyattn::attn::negated(const BoundFact &a) {
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

BoundFact polyattn::attn::negateRule(const RuleInput &input) {
  return negated(input.in[0]);
}

BoundFact polyattn::attn::subtractRule(const RuleInput &input) {
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

BoundFact polyattn::attn::multiplyRule(const RuleInput &input) {
  return multiply(input, input.in[0], input.in[1]);
}

/// 1 / x, not rounded.
Interval polyattn::attn::inverse(Interval x) {
  // An interval that ends at 0 may hold -0, whose inverse is -infinity.
  if (x.Lo > 0)
    return Interval(std::max(0.0, nextDown(1 / x.Hi)), nextUp(1 / x.Lo));
  if (x.Hi < 0)
    return -inverse(-x);
  return Interval(-infinity, infinity);
}

/// x / y, not rounded.
Interval polyattn::attn::quotient(Interval x, Interval y) {
  Interval product = x * inverse(y);
  // A quotient of numbers that are not negative is none either.
  if (x.Lo >= 0 && y.Lo > 0)
    product.Lo = std::max(product.Lo, 0.0);
  return product;
}

BoundFact polyattn::attn::divideRule(const RuleInput &input) {
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

BoundFact polyattn::attn::reciprocalRule(const RuleInput &input) {
  BoundFact result = mapValues(input, input.in[0], inverse, mathUlps);
  relatePower(input.in[0], -1, input.format, mathUlps, result);
  return result;
}
