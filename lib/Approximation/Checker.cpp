// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Branch and bound for max |h|, h(x) = P(x) e^{-x} - 1. On a segment with
// midpoint m and radius rho, with P expanded at m as sum_k b_k y^k, Taylor's
// theorem for P(m + y) e^{-y} gives
//   h(m + y) in e^{-m} (b_0 + [-rho, rho] (b_1 - b_0)
//                       + [-rho^2, rho^2] M / 2) - 1,
//   M = e^rho sum_k |d_k| rho^k,
//   d_k = (k+2)(k+1) b_{k+2} - 2 (k+1) b_{k+1} + b_k,
// since (P e^{-y})'' = (P'' - 2 P' + P) e^{-y}. Near an extremum the linear
// term vanishes, so few segments suffice.

#include "polyattn/Approximation/Checker.h"

#include "polyattn/Approximation/Interval.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

using namespace polyattn;

namespace {

using Coeffs = std::vector<Interval>;

struct Segment {
  double Lo, Hi;
  /// Proved upper bound of |h| on [Lo, Hi].
  double Upper;

  bool operator<(const Segment &Other) const { return Upper < Other.Upper; }
};

/// What is known about |h| on one segment: a value taken somewhere in it, and
/// an upper bound.
struct Range {
  double Attained, Upper;
};

/// The search stops when the upper bound is this close to a value that is
/// attained.
constexpr double RelativeGap = 0.001;
constexpr double AbsoluteGap = 3e-14;
/// What a proof may cost, about a quarter of a second, where halving a segment
/// costs (degree + 1)^2 + HalvingCost. The bound stays valid when the work runs
/// out.
constexpr double WorkLimit = 4e6, HalvingCost = 100;
/// e^{2 Bound} is about the condition of the problem, so this is generous.
constexpr double LargestBound = 300;

/// a + b = Sum + Error exactly (Knuth).
double twoSum(double A, double B, Interval &Error) {
  double Sum = A + B;
  double BPart = Sum - A;
  Error = Interval((A - (Sum - BPart)) + (B - BPart));
  return Sum;
}

/// A * B = Product + Error. The fused operation is exact but for underflow,
/// which the widening covers.
double twoProduct(double A, double B, Interval &Error) {
  double Product = A * B;
  double Rest = std::fma(A, B, -Product);
  Error = Interval::outward(Rest, Rest);
  return Product;
}

/// P(X) by Horner's rule in which the rounding errors of every step are carried
/// along as a second polynomial: what cancels in P near -Bound would otherwise
/// swamp its error.
Interval evaluateExactly(const std::vector<double> &C, double X) {
  double Value = C.back();
  Interval Correction(0);
  for (size_t T = C.size() - 1; T-- > 0;) {
    Interval ProductError, SumError;
    double Product = twoProduct(Value, X, ProductError);
    Value = twoSum(Product, C[T], SumError);
    Correction = Correction * Interval(X) + (ProductError + SumError);
  }
  return Interval(Value) + Correction;
}

/// Coefficients of P(X + y) in y, by repeated synthetic division.
Coeffs shifted(const std::vector<double> &C, double X) {
  Coeffs B(C.begin(), C.end());
  for (size_t First = 0; First + 1 < B.size(); ++First)
    for (size_t K = B.size() - 1; K-- > First;)
      B[K] = B[K] + Interval(X) * B[K + 1];
  B[0] = evaluateExactly(C, X);
  return B;
}

/// Upper bound of |(P'' - 2 P' + P)(m + y) e^{-y}| for |y| <= Radius.
double secondDerivativeBound(const Coeffs &B, double Radius) {
  auto at = [&](size_t K) { return K < B.size() ? B[K] : Interval(0); };
  Interval Sum(0);
  for (size_t K = B.size(); K-- > 0;) {
    Interval K1(static_cast<double>(K + 1)), K2(static_cast<double>(K + 2));
    Interval D = K2 * K1 * at(K + 2) - Interval(2) * K1 * at(K + 1) + at(K);
    Sum = Sum * Interval(Radius) + Interval(D.magnitude());
  }
  return (Sum * expEnclosureAt(Radius)).Hi;
}

/// A number of [Lo, Hi], about the middle.
double middle(double Lo, double Hi) {
  return std::min(std::max(Lo + (Hi - Lo) * 0.5, Lo), Hi);
}

Range evaluate(const std::vector<double> &C, double Lo, double Hi) {
  double Mid = middle(Lo, Hi);
  double Radius = std::max(nextUp(Hi - Mid), nextUp(Mid - Lo));
  Coeffs B = shifted(C, Mid);
  Interval Slope = (B.size() > 1 ? B[1] : Interval(0)) - B[0];
  double Curvature = secondDerivativeBound(B, Radius);

  Interval Change = Interval(-Radius, Radius) * Slope;
  Interval Rest = Interval(Radius) * Interval(Radius) * Interval(0.5) *
                  Interval(-Curvature, Curvature);
  Interval Scale = expEnclosureAt(-Mid);
  Interval AtMid = Scale * B[0] - Interval(1);
  Interval Everywhere = Scale * (B[0] + Change + Rest) - Interval(1);
  return {AtMid.mignitude(), Everywhere.magnitude()};
}

bool isSensible(const std::vector<double> &C, double Bound) {
  if (C.empty() || !(Bound >= 0) || Bound > LargestBound)
    return false;
  return std::all_of(C.begin(), C.end(),
                     [](double X) { return std::isfinite(X); });
}

/// When to stop: an upper bound of at most Target is success, and so is one
/// within the gaps of an attained value; an attained value of at least Hopeless
/// is failure.
struct Goal {
  double Target, Hopeless, RelativeGap, AbsoluteGap;

  bool isSettled(double Upper, double Attained) const {
    return Upper <= Target || Attained >= Hopeless ||
           Upper <= Attained * (1 + RelativeGap) + AbsoluteGap;
  }
};

/// Halves the segment with the largest upper bound until the goal is settled.
/// Returns that bound. `evaluate` says what is known of a segment.
double boundError(const std::function<Range(double, double)> &evaluate,
                  size_t NumCoefficients, double Bound, const Goal &Stop) {
  std::priority_queue<Segment> Queue;
  Range Whole = evaluate(-Bound, Bound);
  Queue.push({-Bound, Bound, Whole.Upper});
  double Attained = Whole.Attained;
  const double Size = static_cast<double>(NumCoefficients);

  for (double Work = WorkLimit; Work > 0; Work -= Size * Size + HalvingCost) {
    Segment Top = Queue.top();
    double Mid = middle(Top.Lo, Top.Hi);
    if (Stop.isSettled(Top.Upper, Attained) || Mid == Top.Lo || Mid == Top.Hi)
      break;
    Queue.pop();
    for (auto [Lo, Hi] : {std::pair(Top.Lo, Mid), std::pair(Mid, Top.Hi)}) {
      Range R = evaluate(Lo, Hi);
      Attained = std::max(Attained, R.Attained);
      // What was proved for the whole holds for its halves.
      Queue.push({Lo, Hi, std::min(R.Upper, Top.Upper)});
    }
  }
  return Queue.top().Upper;
}

double boundRelativeError(const std::vector<double> &C, double Bound,
                          const Goal &Stop) {
  return boundError([&](double Lo, double Hi) { return evaluate(C, Lo, Hi); },
                    C.size(), Bound, Stop);
}

/// T(x) + Sign e^x on [Lo, Hi], T a polynomial: an upper bound, and the value
/// at the midpoint if that is larger than 0. By Taylor's theorem to second
/// order, as above, but for absolute errors, which cancel little.
Range evaluateDifference(const Coeffs &T, double Sign, double Lo, double Hi) {
  double Mid = middle(Lo, Hi);
  double Radius = nextUp(std::max(Hi - Mid, Mid - Lo));
  Coeffs B = T;
  for (size_t First = 0; First + 1 < B.size(); ++First)
    for (size_t K = B.size() - 1; K-- > First;)
      B[K] = B[K] + Interval(Mid) * B[K + 1];
  auto at = [&](size_t K) { return K < B.size() ? B[K] : Interval(0); };

  Interval R(Radius), Exp = Interval(Sign) * expEnclosureAt(Mid);
  Interval Powers(0);
  for (size_t K = B.size(); K-- > 1;)
    Powers = Powers * R + Interval(double(K + 2)) * Interval(double(K + 1)) *
                              Interval(at(K + 2).magnitude());
  double Spread = (Powers * R).Hi;
  Interval Second = Interval(2) * at(2) + Interval(-Spread, Spread) +
                    Exp * expEnclosure(Interval(-Radius, Radius));
  Interval AtMid = at(0) + Exp;
  Interval Change = Interval(-Radius, Radius) * (at(1) + Exp) +
                    Interval(0, (R * R).Hi) * Second / Interval(2);
  return {std::max(AtMid.Lo, 0.0), (AtMid + Change).Hi};
}

/// An upper bound of max (T(x) + Sign e^x) over |x| <= Bound, or of 0.
double boundDifference(const Coeffs &T, double Sign, double Bound,
                       const Goal &Stop) {
  double Proved = boundError(
      [&](double Lo, double Hi) { return evaluateDifference(T, Sign, Lo, Hi); },
      T.size(), Bound, Stop);
  return std::max(Proved, 0.0);
}

} // namespace

std::optional<double>
polyattn::proveQuadraticError(const std::vector<double> &Coefficients,
                              double Bound, double Quadratic) {
  if (!isSensible(Coefficients, Bound) || !(Quadratic >= 0) ||
      !std::isfinite(Quadratic))
    return std::nullopt;
  Coeffs Above(Coefficients.begin(), Coefficients.end());
  Above.resize(std::max<size_t>(Above.size(), 3), Interval(0));
  Coeffs Below = Above;
  for (Interval &C : Below)
    C = -C;
  Above[2] = Above[2] - Interval(Quadratic);
  Below[2] = Below[2] - Interval(Quadratic);
  const Goal Stop = {0, 1, RelativeGap, AbsoluteGap};
  double Proved = std::max(boundDifference(Above, -1, Bound, Stop),
                           boundDifference(Below, 1, Bound, Stop));
  if (!(Proved < 1))
    return std::nullopt;
  return Proved;
}

bool polyattn::proveNonNegative(const std::vector<double> &Coefficients,
                                double Bound) {
  if (!isSensible(Coefficients, Bound))
    return false;
  Coeffs Negative(Coefficients.begin(), Coefficients.end());
  for (Interval &C : Negative)
    C = -C;
  return boundDifference(Negative, 0, Bound,
                         {0, std::numeric_limits<double>::min(), 0, 0}) <= 0;
}

std::optional<double>
polyattn::proveRelativeError(const std::vector<double> &Coefficients,
                             double Bound) {
  if (!isSensible(Coefficients, Bound))
    return std::nullopt;
  double Proved =
      boundRelativeError(Coefficients, Bound, {0, 1, RelativeGap, AbsoluteGap});
  if (!(Proved < 1))
    return std::nullopt;
  return Proved;
}

bool polyattn::checkRelativeError(const std::vector<double> &Coefficients,
                                  double Bound, double Epsilon) {
  if (!isSensible(Coefficients, Bound) || !(Epsilon >= 0))
    return false;
  // No gap: an Epsilon barely above the truth is worth the work.
  return boundRelativeError(Coefficients, Bound,
                            {Epsilon, nextUp(Epsilon), 0, 0}) <= Epsilon;
}
