// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Interval arithmetic with outward rounding, just enough for the checker and
// the error terms.
//
// Every operation rounds to nearest and then steps one floating-point number
// outward, so nothing depends on the rounding mode of the machine other than
// its default. No libm function is trusted, except that sqrt is correctly
// rounded (IEEE 754 requires it).

#ifndef POLYATTN_APPROXIMATION_INTERVAL_H
#define POLYATTN_APPROXIMATION_INTERVAL_H

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#ifdef __FAST_MATH__
#error "interval arithmetic must not be compiled with -ffast-math"
#endif
static_assert(std::numeric_limits<double>::is_iec559,
              "needs IEEE 754 arithmetic");
static_assert(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1 ||
                  FLT_EVAL_METHOD == 16,
              "needs double evaluated as double");

namespace polyattn {

/// The next double above X; +inf and NaN stay.
inline double nextUp(double X) {
  if (!(X < std::numeric_limits<double>::infinity()))
    return X;
  if (X == 0)
    return std::numeric_limits<double>::denorm_min();
  int64_t Bits;
  std::memcpy(&Bits, &X, sizeof(X));
  Bits += X > 0 ? 1 : -1;
  std::memcpy(&X, &Bits, sizeof(X));
  return X;
}

/// The next double below X; -inf and NaN stay.
inline double nextDown(double X) { return -nextUp(-X); }

/// All reals between Lo and Hi. Operations enclose every real result; where
/// nothing is known the result is the whole line.
struct Interval {
  double Lo = 0;
  double Hi = 0;

  Interval() = default;
  /*implicit*/ Interval(double X) : Interval(X, X) {}
  /// A NaN bound means that nothing is known.
  Interval(double Lo, double Hi) : Lo(Lo), Hi(Hi) {
    if (Lo != Lo || Hi != Hi) {
      this->Lo = -std::numeric_limits<double>::infinity();
      this->Hi = std::numeric_limits<double>::infinity();
    }
  }

  /// Widens by one floating-point number on either side: what makes a rounded
  /// result an enclosure. Around zero it widens to the normal numbers, since
  /// the process may flush subnormal results to zero.
  static Interval outward(double Lo, double Hi) {
    const double Tiny = std::numeric_limits<double>::min();
    return Interval(std::fabs(Lo) < Tiny ? -Tiny : nextDown(Lo),
                    std::fabs(Hi) < Tiny ? Tiny : nextUp(Hi));
  }

  /// max |x| over the interval.
  double magnitude() const { return std::max(std::fabs(Lo), std::fabs(Hi)); }
  /// min |x| over the interval.
  double mignitude() const { return Lo > 0 ? Lo : Hi < 0 ? -Hi : 0; }
  bool contains(double X) const { return Lo <= X && X <= Hi; }
};

inline Interval operator-(Interval A) { return Interval(-A.Hi, -A.Lo); }
inline Interval operator+(Interval A, Interval B) {
  return Interval::outward(A.Lo + B.Lo, A.Hi + B.Hi);
}
inline Interval operator-(Interval A, Interval B) { return A + -B; }

/// Encloses four corner values; one NaN among them (0 * inf) must not get lost
/// in a comparison.
inline Interval hullOfCorners(double A, double B, double C, double D) {
  double Sum = A + B + C + D;
  if (Sum != Sum)
    return Interval(Sum);
  return Interval::outward(std::min(std::min(A, B), std::min(C, D)),
                           std::max(std::max(A, B), std::max(C, D)));
}

inline Interval operator*(Interval A, Interval B) {
  return hullOfCorners(A.Lo * B.Lo, A.Lo * B.Hi, A.Hi * B.Lo, A.Hi * B.Hi);
}

/// The whole line if B contains zero.
inline Interval operator/(Interval A, Interval B) {
  if (!(B.mignitude() > 0))
    return Interval(std::numeric_limits<double>::quiet_NaN());
  return hullOfCorners(A.Lo / B.Lo, A.Lo / B.Hi, A.Hi / B.Lo, A.Hi / B.Hi);
}

/// Square root of the part of A that is not negative.
inline Interval sqrtEnclosure(Interval A) {
  Interval Root = Interval::outward(std::sqrt(std::max(A.Lo, 0.0)),
                                    std::sqrt(std::max(A.Hi, 0.0)));
  return Interval(std::max(Root.Lo, 0.0), Root.Hi);
}

/// Encloses e^X for one number X: e^X = 2^K e^R with R = X - K ln 2, and the
/// Taylor polynomial of e^R in nested form with its Lagrange remainder, e^R = 1
/// + R/1 (1 + R/2 (... (1 + R/N e^{theta R}))), 0 <= theta <= 1.
inline Interval expEnclosureAt(double X) {
  const double Infinity = std::numeric_limits<double>::infinity();
  if (X != X)
    return Interval(X);
  // Outside of this range 2^K would leave the normal numbers, where scaling by
  // it is exact.
  if (X > 700)
    return Interval(1e300, Infinity);
  if (X < -700)
    return Interval(0, 1e-300);
  // ln 2 = 0x1.62e42fefa39ef35793c...p-1 lies between these neighbours.
  const Interval Ln2(0x1.62e42fefa39efp-1, 0x1.62e42fefa39f0p-1);
  // Any integer K is right; this one keeps |R| below 0.7, so that e^{theta R}
  // lies in [0.4, 2.5].
  double K = std::nearbyint(X * 1.4426950408889634);
  Interval R = Interval(X) - Interval(K) * Ln2;
  Interval Sum(0.4, 2.5);
  for (int N = 18; N > 0; --N)
    Sum = Interval(1) + R / Interval(N) * Sum;
  return Interval(std::ldexp(Sum.Lo, static_cast<int>(K)),
                  std::ldexp(Sum.Hi, static_cast<int>(K)));
}

/// Encloses e^x for all x in X.
inline Interval expEnclosure(Interval X) {
  return Interval(expEnclosureAt(X.Lo).Lo, expEnclosureAt(X.Hi).Hi);
}

} // namespace polyattn

#endif // POLYATTN_APPROXIMATION_INTERVAL_H
