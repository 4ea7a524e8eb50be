// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Approximation/Checker.h"

#include "polyattn/Approximation/ExpPolynomial.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>

using namespace polyattn;

namespace {

const double Infinity = std::numeric_limits<double>::infinity();
const double NaN = std::numeric_limits<double>::quiet_NaN();

/// A lower bound of the true maximum, but for the noise of long double: about
/// 2^-62 e^{2 Bound}.
long double denseMaximum(const std::vector<double> &C, double Bound,
                         int Points = 2000) {
  long double Largest = 0;
  for (int I = 0; I <= Points; ++I) {
    long double X = -Bound * std::cos(3.14159265358979323846L * I / Points),
                Value = 0;
    for (size_t T = C.size(); T-- > 0;)
      Value = Value * X + C[T];
    Largest = std::max(Largest, std::fabs(Value * std::exp(-X) - 1));
  }
  return Largest;
}

long double noise(double Bound) { return 0x1p-58L * std::exp(2.0L * Bound); }

TEST(Checker, NeverBelowADenseMaximumAndTight) {
  double Worst = 0;
  for (double Bound : {1e-6, 1e-3, 0.2, 0.62, 1.0, 1.7, 3.0, 6.0, 9.0})
    for (unsigned Degree = 1; Degree <= 16; ++Degree) {
      std::optional<ExpPolynomial> Fit = fitExp(Bound, Degree);
      ASSERT_TRUE(Fit);
      std::optional<double> Proved =
          proveRelativeError(Fit->Coefficients, Bound);
      long double Dense = denseMaximum(Fit->Coefficients, Bound);
      if (!Proved) {
        EXPECT_GT(Dense, 0.998L) << Bound << " " << Degree;
        continue;
      }
      EXPECT_GE(*Proved, Dense - noise(Bound)) << Bound << " " << Degree;
      EXPECT_LE(*Proved, 1.002L * Dense + 1e-13L + noise(Bound))
          << Bound << " " << Degree;
      if (Dense > 1e-10L)
        Worst = std::max(Worst, static_cast<double>(*Proved / Dense) - 1);
    }
  RecordProperty("WorstRelativeExcess", std::to_string(Worst));
  std::printf("checker exceeds the dense maximum by at most %.3f%% (errors "
              "above 1e-10)\n",
              100 * Worst);
}

TEST(Checker, RandomPolynomials) {
  std::mt19937_64 Random(7);
  std::uniform_real_distribution<double> Uniform(-1, 1);
  int ProvedCount = 0;
  for (int Trial = 0; Trial < 1500; ++Trial) {
    double Bound = std::exp(2.5 * Uniform(Random) - 1.5);
    // Perturbed Taylor polynomials, from slightly wrong to nonsense.
    double Size = std::exp(8 * Uniform(Random) - 8);
    std::vector<double> C;
    double Factorial = 1;
    unsigned Degree = Random() % 13;
    for (unsigned T = 0; T <= Degree; Factorial *= ++T)
      C.push_back((1 + Size * Uniform(Random)) / Factorial);
    long double Dense = denseMaximum(C, Bound, 1000);
    std::optional<double> Proved = proveRelativeError(C, Bound);
    if (!Proved) {
      EXPECT_GT(Dense, 0.998L);
      continue;
    }
    ++ProvedCount;
    EXPECT_GE(*Proved, Dense - noise(Bound));
    EXPECT_LE(*Proved, 1.002L * Dense + 1e-13L + noise(Bound));
    EXPECT_TRUE(checkRelativeError(C, Bound, *Proved));
    EXPECT_FALSE(checkRelativeError(
        C, Bound, static_cast<double>(Dense) * (1 - 1e-9) - 1e-15));
  }
  EXPECT_GT(ProvedCount, 1000);
}

TEST(Checker, KnownMaximum) {
  // P = 1 on [-b, b]: the maximum is e^b - 1, at -b.
  for (double Bound : {0.0, 1e-9, 0.1, 0.5})
    EXPECT_NEAR(*proveRelativeError({1.0}, Bound), std::expm1(Bound),
                1e-3 * Bound + 1e-13);
  EXPECT_FALSE(proveRelativeError({1.0}, 0.7));
  // At the single point 0 only the constant counts.
  EXPECT_NEAR(*proveRelativeError({1.25, 1e6}, 0), 0.25, 1e-13);
}

TEST(Checker, RejectsATamperedCoefficient) {
  for (unsigned Degree : {1, 2, 3, 5, 8}) {
    ExpPolynomial Fit = *fitExp(1, Degree);
    double Proved = *proveRelativeError(Fit.Coefficients, 1);
    ASSERT_TRUE(checkRelativeError(Fit.Coefficients, 1, Proved));
    for (unsigned T = 0; T <= Degree; ++T)
      for (double Sign : {-1.0, 1.0}) {
        std::vector<double> Tampered = Fit.Coefficients;
        Tampered[T] += Sign * 0.05 * Proved;
        EXPECT_FALSE(checkRelativeError(Tampered, 1, Proved))
            << Degree << " " << T;
      }
    EXPECT_FALSE(checkRelativeError(Fit.Coefficients, 1.02, Proved))
        << "a wider bound";
    EXPECT_TRUE(checkRelativeError(Fit.Coefficients, 0.99, Proved))
        << "a narrower bound";
  }
}

TEST(Checker, ProvesNothingAboutAKernelWithAZero) {
  EXPECT_FALSE(proveRelativeError({1, 1}, 1)) << "1 + x vanishes at -1";
  EXPECT_FALSE(proveRelativeError({0}, 1));
  EXPECT_FALSE(proveRelativeError({-1, -1, -0.5}, 0.1));
  EXPECT_TRUE(proveRelativeError({1, 1}, 0.5));
}

TEST(Checker, WeirdInput) {
  EXPECT_FALSE(proveRelativeError({}, 1));
  for (double Bad : {NaN, Infinity, -Infinity}) {
    EXPECT_FALSE(proveRelativeError({1, Bad}, 1));
    EXPECT_FALSE(proveRelativeError({Bad}, 1));
    EXPECT_FALSE(proveRelativeError({1, 1, 0.5}, Bad));
    EXPECT_FALSE(checkRelativeError({1, Bad}, 1, 0.5));
  }
  EXPECT_FALSE(proveRelativeError({1, 1, 0.5}, -1));
  EXPECT_FALSE(checkRelativeError({1, 1, 0.5}, 0.1, NaN));
  EXPECT_FALSE(checkRelativeError({1, 1, 0.5}, 0.1, -1));
  EXPECT_FALSE(checkRelativeError({1, 1, 0.5}, 0.1, 0));
  EXPECT_TRUE(checkRelativeError({1, 1, 0.5}, 0.1, 1e-3));
  EXPECT_FALSE(proveRelativeError({1e308, 1e308, -1e308}, 20));
  EXPECT_FALSE(proveRelativeError(std::vector<double>(65, 1e300), 30));
  EXPECT_FALSE(proveRelativeError({1}, 1e300));
  // Subnormal coefficients and bounds.
  EXPECT_TRUE(proveRelativeError({1, 5e-324, 5e-324}, 5e-324));
  EXPECT_FALSE(proveRelativeError({5e-324}, 5e-324));
}

TEST(Checker, IsFast) {
  auto seconds = [](const ExpPolynomial &Fit) {
    auto Start = std::chrono::steady_clock::now();
    (void)proveRelativeError(Fit.Coefficients, Fit.Bound);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         Start)
        .count();
  };
  double Small = 0, Large = 0;
  for (unsigned Degree = 1; Degree <= 8; ++Degree)
    Small = std::max(Small, seconds(*fitExp(3, Degree)));
  for (double Bound : {6.0, 10.0, 15.0})
    for (unsigned Degree : {12, 24, 48, 64})
      if (std::optional<ExpPolynomial> Fit = fitExp(Bound, Degree))
        Large = std::max(Large, seconds(*Fit));
  std::printf("slowest proof: %.2f ms (degree <= 8, bound 3), %.1f ms (degree "
              "<= 64, bound <= 15)\n",
              1e3 * Small, 1e3 * Large);
  // Generous, since the machine may be busy.
  EXPECT_LT(Small, 0.2);
  EXPECT_LT(Large, 3.0);
}

} // namespace
