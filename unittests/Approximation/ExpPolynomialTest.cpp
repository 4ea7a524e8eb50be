// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Approximation/ExpPolynomial.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace polyattn;

namespace {

long double errorAt(const std::vector<double> &C, long double X) {
  long double Value = 0;
  for (size_t T = C.size(); T-- > 0;)
    Value = Value * X + C[T];
  return Value * std::exp(-X) - 1;
}

TEST(ExpPolynomial, DegreeThatAnErrorNeeds) {
  // Error 1e-2 up to these bounds, and not much beyond.
  const double Largest[] = {0.2002, 0.6253, 1.1941, 1.8493};
  for (unsigned Degree = 1; Degree <= 4; ++Degree) {
    double Bound = Largest[Degree - 1];
    EXPECT_LE(fitExp(Bound * 0.999, Degree)->FittedError, 1e-2) << Degree;
    EXPECT_GT(fitExp(Bound * 1.002, Degree)->FittedError, 1e-2) << Degree;
    EXPECT_EQ(fitExpToError(Bound * 0.999, 1e-2)->degree(), Degree);
    EXPECT_EQ(fitExpToError(Bound * 1.002, 1e-2)->degree(), Degree + 1);
  }
  EXPECT_EQ(fitExpToError(1, 1e-2)->degree(), 3u);
}

/// As if all degrees had been tried one after another.
TEST(ExpPolynomial, LowestDegree) {
  for (double Bound : {0.01, 0.3, 1.0, 2.5, 7.0, 12.0})
    for (double Error : {0.3, 1e-2, 1e-5, 3e-8}) {
      unsigned Degree = 1;
      while (Degree < 40 && !(fitExp(Bound, Degree) &&
                              fitExp(Bound, Degree)->FittedError <= Error))
        ++Degree;
      std::optional<ExpPolynomial> Fit = fitExpToError(Bound, Error, 40);
      ASSERT_TRUE(Fit) << Bound << " " << Error;
      EXPECT_EQ(Fit->degree(), Degree) << Bound << " " << Error;
      EXPECT_LE(Fit->FittedError, Error);
    }
}

/// By Chebyshev's theorem, Degree + 2 alternations of equal height are what
/// makes a fit minimax; by de la Vallee Poussin's, the smallest of the heights
/// bounds from below what any polynomial of that degree can do.
TEST(ExpPolynomial, ErrorEquioscillates) {
  for (double Bound : {0.05, 0.2, 0.62, 1.0, 2.0, 3.0, 6.0, 10.0})
    for (unsigned Degree : {1, 2, 3, 4, 6, 8, 12, 16}) {
      std::optional<ExpPolynomial> Fit = fitExp(Bound, Degree);
      ASSERT_TRUE(Fit) << Bound << " " << Degree;
      // Rounding of the coefficients must not hide the oscillation.
      if (Fit->FittedError < 1e-12 * std::exp(2 * Bound) ||
          Fit->FittedError > 0.9)
        continue;
      std::vector<long double> Peaks;
      for (int I = 0; I <= 4000; ++I) {
        long double Error =
            errorAt(Fit->Coefficients,
                    -Bound * std::cos(3.14159265358979323846L * I / 4000));
        if (Peaks.empty() || (Error < 0) != (Peaks.back() < 0))
          Peaks.push_back(Error);
        else if (std::fabs(Error) > std::fabs(Peaks.back()))
          Peaks.back() = Error;
      }
      ASSERT_EQ(Peaks.size(), Degree + 2) << Bound << " " << Degree;
      for (long double Peak : Peaks)
        EXPECT_NEAR(std::fabs(Peak) / Fit->FittedError, 1.0L, 2e-3L)
            << Bound << " " << Degree;
    }
}

TEST(ExpPolynomial, BeatsTaylor) {
  for (unsigned Degree = 1; Degree <= 6; ++Degree) {
    std::vector<double> Taylor;
    double Factorial = 1;
    for (unsigned T = 0; T <= Degree; Factorial *= ++T)
      Taylor.push_back(1 / Factorial);
    EXPECT_LT(fitExp(1, Degree)->FittedError,
              0.6 * std::fabs(errorAt(Taylor, -1)));
  }
}

TEST(ExpPolynomial, ErrorFallsWithTheDegreeDownToTheRoundingFloor) {
  for (double Bound : {1e-6, 1e-3, 0.1, 1.0, 3.0, 6.0, 10.0}) {
    const double Floor = 4e-16 * std::exp(2 * Bound);
    double Last = 2;
    for (unsigned Degree = 1; Degree <= 32; ++Degree) {
      std::optional<ExpPolynomial> Fit = fitExp(Bound, Degree);
      ASSERT_TRUE(Fit) << Bound << " " << Degree;
      EXPECT_EQ(Fit->degree(), Degree);
      EXPECT_EQ(Fit->Bound, Bound);
      EXPECT_LE(Fit->FittedError, std::max(Last * 1.0001, Floor))
          << Bound << " " << Degree;
      Last = Fit->FittedError;
    }
    EXPECT_LE(Last, Floor) << Bound;
  }
}

TEST(ExpPolynomial, TinyBoundsKeepSaneCoefficients) {
  for (unsigned Degree : {1, 2, 3, 8}) {
    std::optional<ExpPolynomial> Fit = fitExp(1e-6, Degree);
    ASSERT_TRUE(Fit);
    EXPECT_LE(Fit->FittedError, 3e-13);
    double Factorial = 1;
    for (unsigned T = 0; T <= Degree; Factorial *= ++T)
      EXPECT_NEAR(Fit->Coefficients[T] * Factorial, 1, 1e-5)
          << Degree << " " << T;
  }
}

TEST(ExpPolynomial, WideBoundsEndGracefully) {
  for (double Bound : {15.0, 18.0, 20.0, 30.0})
    for (unsigned Degree : {1, 2, 5, 8, 16, 24, 32, 48, 64}) {
      std::optional<ExpPolynomial> Fit = fitExp(Bound, Degree);
      EXPECT_TRUE(!Fit || Fit->FittedError <= 1) << Bound << " " << Degree;
    }
}

TEST(ExpPolynomial, RefusesSenselessInput) {
  const double NaN = std::numeric_limits<double>::quiet_NaN(),
               Infinity = std::numeric_limits<double>::infinity();
  for (double Bound : {0.0, -1.0, NaN, Infinity, -Infinity, 30.5})
    EXPECT_FALSE(fitExp(Bound, 3)) << Bound;
  EXPECT_FALSE(fitExp(1, 0));
  EXPECT_FALSE(fitExp(1, MaxDegree + 1));
  for (double Error : {0.0, -1.0, NaN})
    EXPECT_FALSE(fitExpToError(1, Error)) << Error;
  EXPECT_FALSE(fitExpToError(NaN, 1e-2));
  EXPECT_FALSE(fitExpToError(3, 1e-6, 4));
  EXPECT_EQ(fitExpToError(3, 0.5)->degree(), 3u);
}

} // namespace
