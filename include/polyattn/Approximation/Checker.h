// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The independent checker of polynomial kernels: proves how far P(x) is from
// e^x, relatively or beside a quadratic.
//
// This is the trusted half of the certificate. It relies on outward-rounded
// interval arithmetic (Interval.h) alone: on no libm function, and on nothing
// from the code that fitted the polynomial.

#ifndef POLYATTN_APPROXIMATION_CHECKER_H
#define POLYATTN_APPROXIMATION_CHECKER_H

#include <optional>
#include <vector>

namespace polyattn {

/// A proved upper bound of max_{|x| <= Bound} |P(x) e^{-x} - 1|, where P(x) =
/// sum_t Coefficients[t] x^t.
///
/// Never an underestimate; at most about 0.1% plus 1e-13 above the true
/// maximum. nullopt when nothing below 1 can be proved (P may then have a
/// zero), and for input that makes no sense: no coefficients, non-finite
/// numbers, a negative bound.
std::optional<double>
proveRelativeError(const std::vector<double> &Coefficients, double Bound);

/// Is max_{|x| <= Bound} |P(x) e^{-x} - 1| <= Epsilon proved? Always true for
/// what proveRelativeError returned.
bool checkRelativeError(const std::vector<double> &Coefficients, double Bound,
                        double Epsilon);

/// A proved constant a such that |P(x) - e^x| <= a + Quadratic x^2 for |x| <=
/// Bound; at most about 0.1% plus 1e-13 above the least one.
///
/// nullopt when nothing below 1 can be proved, and for input that makes no
/// sense.
std::optional<double>
proveQuadraticError(const std::vector<double> &Coefficients, double Bound,
                    double Quadratic);

/// Is P(x) >= 0 for |x| <= Bound proved? Never where P has a zero inside.
bool proveNonNegative(const std::vector<double> &Coefficients, double Bound);

} // namespace polyattn

#endif // POLYATTN_APPROXIMATION_CHECKER_H
