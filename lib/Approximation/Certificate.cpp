// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The error terms of a certificate. All arithmetic is in intervals, and the
// upper ends are what is returned.

#include "polyattn/Approximation/Certificate.h"

#include "polyattn/Approximation/Checker.h"
#include "polyattn/Approximation/Interval.h"
#include "polyattn/Approximation/Monomials.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace polyattn;

namespace {

/// Bounds on sum_t |c_t| and the kernel error that the range condition of
/// maxNorm relies on. Taylor's sum is below e.
constexpr double LargestCoefficientSum = 64, LargestKernelError = 0.875;

/// Unsigned counts that stick at the largest value instead of wrapping around.
struct Count {
  uint64_t Value;

  Count(uint64_t Value) : Value(Value) {}
};

Count operator+(Count A, Count B) {
  uint64_t Sum = A.Value + B.Value;
  return Sum < A.Value ? std::numeric_limits<uint64_t>::max() : Sum;
}

Count operator*(Count A, Count B) {
  if (B.Value != 0 && A.Value > std::numeric_limits<uint64_t>::max() / B.Value)
    return std::numeric_limits<uint64_t>::max();
  return A.Value * B.Value;
}

Count blocks(uint64_t Terms, uint64_t Block) {
  return Terms / Block + (Terms % Block != 0);
}

struct NumberFormat {
  /// Unit roundoff and smallest normal number of the accumulation type.
  double Unit, SmallestNormal;
  /// Unit roundoff of the stored result; 0 if it is the accumulator itself.
  double OutputUnit;
};

NumberFormat formatOf(ElementKind Kind) {
  switch (Kind) {
  case ElementKind::F64:
    return {0x1p-53, 0x1p-1022, 0};
  case ElementKind::F32:
    return {0x1p-24, 0x1p-126, 0};
  case ElementKind::F16:
    return {0x1p-24, 0x1p-126, 0x1p-11};
  case ElementKind::BF16:
    break;
  }
  return {0x1p-24, 0x1p-126, 0x1p-8};
}

bool isSensible(const SummationShape &Shape) {
  return Shape.MaxKeys > 0 && Shape.KeyBlock > 0 && Shape.FeatureBlock > 0 &&
         Shape.HeadDim > 0 && Shape.KeySets > 0;
}

/// sum_t |c_t| x^t
Interval absolutePolynomial(const std::vector<double> &C, double X) {
  Interval Sum(0);
  for (size_t T = C.size(); T-- > 0;)
    Sum = Sum * Interval(X) + Interval(std::fabs(C[T]));
  return Sum;
}

/// gamma_K = K u / (1 - K u); infinite if K u >= 1.
Interval gammaOf(double Roundings, double Unit) {
  Interval Product = Interval(Roundings) * Interval(Unit);
  if (!(Product.Hi < 1))
    return Interval(std::numeric_limits<double>::infinity());
  return Product / (Interval(1) - Product);
}

} // namespace

double polyattn::weightChange(double Epsilon) {
  if (Epsilon <= 0)
    return 0;
  if (!(Epsilon < 1))
    return 2;
  // 2 (1 - sqrt(1 - e^2)) / e = 2 e / (1 + sqrt(1 - e^2)), which does not
  // cancel.
  Interval E(Epsilon);
  Interval Root = sqrtEnclosure((Interval(1) - E) * (Interval(1) + E));
  return std::min((Interval(2) * E / (Interval(1) + Root)).Hi, 2.0);
}

uint64_t polyattn::roundingChain(const SummationShape &Shape) {
  if (!isSensible(Shape))
    return std::numeric_limits<uint64_t>::max();
  const Count G = Shape.Degree, P = Shape.KeySets, One = 1;

  // One key set: its key weight, the product with the value, and the sums
  // inside a block, over blocks, over partial states.
  Count Blocks = blocks(Shape.MaxKeys, Shape.KeyBlock);
  // Under a mask each of several sets adds the keys of the last block to the
  // blocks before one by one.
  Count InBlock = std::min(Shape.KeyBlock, Shape.MaxKeys);
  Count KeySum = Count(2) + InBlock + Count(2) * Blocks;
  if (Shape.KeySets > 1)
    KeySum = KeySum + InBlock;
  // Centring and balancing round each factor of a feature twice; g factors take
  // g - 1 products.
  Count Features = Count(3) * G;
  // Computing a feature weight in f64 and storing it, then multiplying by it.
  Count FeatureWeight = Count(3) * G + Count(5);
  uint64_t Rank = monomialCount(Shape.HeadDim, Shape.Degree);
  Count FeatureSum = One + std::min(Shape.FeatureBlock, Rank) +
                     blocks(Rank, Shape.FeatureBlock);
  Count State =
      P * (Features + KeySum) + (P + FeatureWeight) + Features + FeatureSum;

  // A term of degree t contains t scores. A score: centring and balancing of p
  // + 1 vectors, p products, the sum, the scale.
  Count Score = Count(Shape.HeadDim) + Count(3) * P + Count(4);
  // Horner takes two roundings a step, and one for the coefficient.
  Count Direct = G * Score + Count(2) * G + One + P * KeySum + P;

  // One more for adding a state part and a direct part, one that stands for
  // underflow.
  return (Count(std::max(State.Value, Direct.Value)) + Count(2)).Value;
}

/// roundingError where the denominator is at least LeastWeight times the sum of
/// the key weights.
static std::optional<double>
roundingErrorAbove(Interval LeastWeight,
                   const std::vector<double> &Coefficients, double Bound,
                   const SummationShape &Shape, ElementKind Kind) {
  if (!isSensible(Shape) || Coefficients.empty() ||
      Coefficients.size() > uint64_t(Shape.Degree) + 1)
    return std::nullopt;
  if (!(absolutePolynomial(Coefficients, 1).Hi <= LargestCoefficientSum))
    return std::nullopt;

  NumberFormat Format = formatOf(Kind);
  // Counts above 2^53 would not convert exactly, but are hopeless anyway.
  Interval Gamma =
      gammaOf(static_cast<double>(roundingChain(Shape)), Format.Unit);
  Interval Relative =
      Gamma * (absolutePolynomial(Coefficients, Bound) / LeastWeight);
  if (!(Relative.Hi < 0.5))
    return std::nullopt;

  Interval Sums = Interval(2) * Relative / (Interval(1) - Relative);
  Interval Size = Interval(1) + Sums;
  // A reciprocal good to one unit in the last place, and a product.
  Interval Division = gammaOf(4, Format.Unit);
  Interval Output =
      Interval(Format.OutputUnit) * Size * (Interval(1) + Division);
  return (Sums + Division * Size + Output).Hi;
}

std::optional<double>
polyattn::roundingError(const std::vector<double> &Coefficients, double Bound,
                        double KernelError, const SummationShape &Shape,
                        ElementKind Kind) {
  if (!(Bound >= 0) || !(KernelError >= 0 && KernelError <= LargestKernelError))
    return std::nullopt;
  return roundingErrorAbove((Interval(1) - Interval(KernelError)) *
                                expEnclosureAt(-Bound),
                            Coefficients, Bound, Shape, Kind);
}

static ErrorBudget budgetOf(double KernelError, double WeightChange,
                            double RoundingError) {
  return {KernelError, WeightChange, RoundingError,
          nextUp(WeightChange + RoundingError)};
}

std::optional<ErrorBudget>
polyattn::certify(const std::vector<double> &Coefficients, double Bound,
                  const SummationShape &Shape, ElementKind Kind) {
  std::optional<double> KernelError = proveRelativeError(Coefficients, Bound);
  if (!KernelError)
    return std::nullopt;
  std::optional<double> Rounding =
      roundingError(Coefficients, Bound, *KernelError, Shape, Kind);
  if (!Rounding)
    return std::nullopt;
  return budgetOf(*KernelError, weightChange(*KernelError), *Rounding);
}

double polyattn::momentWeightChange(double Constant, const MomentClaim &Claim) {
  Interval Mean = Interval(Constant) +
                  Interval(Claim.Quadratic) * Interval(Claim.SecondMoment);
  double Change = (Interval(2) * Mean * expEnclosureAt(Claim.Mean)).Hi;
  return Change >= 0 && Change < 2 ? Change : 2;
}

std::optional<ErrorBudget>
polyattn::certifyMoments(const std::vector<double> &Coefficients, double Bound,
                         const MomentClaim &Claim, const SummationShape &Shape,
                         ElementKind Kind) {
  if (!(Claim.SecondMoment >= 0) || !(Claim.Mean >= 0) || !(Bound >= 0))
    return std::nullopt;
  std::optional<double> Constant =
      proveQuadraticError(Coefficients, Bound, Claim.Quadratic);
  // maxNorm relies on P(0) >= 1 - LargestKernelError.
  if (!Constant || *Constant > LargestKernelError ||
      !proveNonNegative(Coefficients, Bound))
    return std::nullopt;
  Interval LeastWeight =
      expEnclosureAt(-Claim.Mean) - Interval(*Constant) -
      Interval(Claim.Quadratic) * Interval(Claim.SecondMoment);
  if (!(LeastWeight.Lo > 0))
    return std::nullopt;
  std::optional<double> Rounding =
      roundingErrorAbove(LeastWeight, Coefficients, Bound, Shape, Kind);
  if (!Rounding)
    return std::nullopt;
  return budgetOf(*Constant, momentWeightChange(*Constant, Claim), *Rounding);
}

double polyattn::maxNorm(unsigned Degree, uint64_t MaxKeys, double RootDimScale,
                         ElementKind Kind) {
  if (MaxKeys == 0 || !(RootDimScale > 0) || !std::isfinite(RootDimScale))
    return 0;
  NumberFormat Format = formatOf(Kind);
  // (RootDimScale R)^Degree 5 MaxKeys 2^42 <= u / (2 SmallestNormal), with 2^42
  // = 2^32 (range of w v) 2^6 (sum |c_t|) 2^4 (slack); docs/certificates.md,
  // "Range".
  Interval Limit = Interval(Format.Unit) / Interval(2 * Format.SmallestNormal);
  Interval Fixed =
      Interval(5) *
      (Interval(static_cast<double>(MaxKeys)) * Interval(1 + 0x1p-52)) *
      Interval(0x1p42);
  Interval X(std::max(RootDimScale, 1.0));
  auto fits = [&](double R) {
    Interval Product = Fixed;
    for (unsigned T = 0; T < Degree; ++T)
      Product = Product * X * Interval(R);
    return Product.Hi <= Limit.Lo;
  };
  // Beyond 2^30 nothing is gained, and squared norms stay far from overflow in
  // the guard itself.
  double R = 0x1p30;
  while (R >= 1 && !fits(R))
    R /= 2;
  return R >= 1 ? R : 0;
}

bool polyattn::weightsAreNormal(const std::vector<double> &Coefficients,
                                double Scale, ElementKind Kind) {
  const bool IsF64 = Kind == ElementKind::F64;
  const double Smallest = formatOf(Kind).SmallestNormal;
  const double Largest = IsF64 ? std::numeric_limits<double>::max()
                               : double(std::numeric_limits<float>::max());
  // Multinomials of degree t lie between 1 and t!.
  double Power = 1, Factorial = 1;
  for (size_t T = 0; T < Coefficients.size(); ++T) {
    double Weight = std::fabs(Coefficients[T] * Power);
    bool IsZero = Coefficients[T] == 0 || (Scale == 0 && T > 0);
    if (!IsZero && !(Weight >= Smallest && Weight * Factorial <= Largest))
      return false;
    Power *= Scale;
    Factorial *= double(T + 1);
  }
  return true;
}
