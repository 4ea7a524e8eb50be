// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Minimax polynomials for exp, in the relative sense that softmax needs.
//
// This is the untrusted half of the certificate: it may be as clever as it
// likes, because Checker.h proves the error of whatever comes out, and shares
// no code with it.

#ifndef POLYATTN_APPROXIMATION_EXPPOLYNOMIAL_H
#define POLYATTN_APPROXIMATION_EXPPOLYNOMIAL_H

#include <optional>
#include <vector>

namespace polyattn {

/// Highest degree that fitExp takes.
constexpr unsigned MaxDegree = 64;

/// Largest bound that fitExp takes. Beyond about 17 the monomial basis in
/// double precision cannot hold the relative error below 1 anyway: rounding a
/// coefficient costs about 2^-53 e^{2 Bound}.
constexpr double MaxBound = 30;

/// P(x) = sum_t Coefficients[t] x^t, meant for |x| <= Bound.
struct ExpPolynomial {
  std::vector<double> Coefficients;
  double Bound = 0;
  /// max_{|x| <= Bound} |P(x) e^{-x} - 1| as measured on a grid, with the
  /// coefficients as rounded to double. Not a proof.
  double FittedError = 0;

  unsigned degree() const {
    return Coefficients.empty()
               ? 0
               : static_cast<unsigned>(Coefficients.size() - 1);
  }
};

/// The polynomial of the given degree that minimises max_{|x| <= Bound} |P(x)
/// e^{-x} - 1| (Remez exchange).
///
/// nullopt if Bound is not in (0, MaxBound], Degree not in [1, MaxDegree], the
/// exchange does not converge, or nothing better than zero is left once the
/// coefficients are rounded to double. Where the minimax error is below what
/// double coefficients can express, any polynomial at that rounding floor is
/// returned.
std::optional<ExpPolynomial> fitExp(double Bound, unsigned Degree);

/// The minimax polynomial of lowest degree whose fitted error is at most
/// MaxError; nullopt if no degree up to LargestDegree reaches it.
std::optional<ExpPolynomial> fitExpToError(double Bound, double MaxError,
                                           unsigned LargestDegree = 32);

/// P(x) = sum_t Coefficients[t] x^t, meant to keep within a + Quadratic x^2 of
/// e^x for a small constant a, which the checker finds.
struct MomentPolynomial {
  std::vector<double> Coefficients;
  double Quadratic = 0;
};

/// The polynomial of the given degree that makes a + b SecondMoment about as
/// small as can be, where |P(x) - e^x| <= a + b x^2 for |x| <= Bound: the mean
/// error over numbers x with that second moment, whatever their distribution.
///
/// nullopt if Bound is not in (0, MaxBound], Degree not in [1, MaxDegree] or
/// SecondMoment not positive.
std::optional<MomentPolynomial> fitExpToMoment(double Bound, unsigned Degree,
                                               double SecondMoment);

} // namespace polyattn

#endif // POLYATTN_APPROXIMATION_EXPPOLYNOMIAL_H
