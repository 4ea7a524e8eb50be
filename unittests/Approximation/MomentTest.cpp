// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Moment certificates: the fit is good, the proofs are true and tight, and no
// attention with such moments errs by more.

#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Approximation/Checker.h"
#include "polyattn/Approximation/ExpPolynomial.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace polyattn;

namespace {

using Real = long double;

Real valueOf(const std::vector<double> &C, Real X) {
  Real Value = 0;
  for (size_t T = C.size(); T-- > 0;)
    Value = Value * X + C[T];
  return Value;
}

/// max |P(x) - e^x| - Quadratic x^2 on a dense grid.
Real leastConstant(const std::vector<double> &C, double Bound,
                   double Quadratic) {
  Real Most = 0;
  for (int I = -20000; I <= 20000; ++I) {
    Real X = Real(Bound) * I / 20000;
    Most = std::max(Most,
                    std::fabs(valueOf(C, X) - std::exp(X)) - Quadratic * X * X);
  }
  return Most;
}

TEST(Moment, ConstantIsProvedAndTight) {
  std::mt19937_64 Random(1);
  std::uniform_real_distribution<double> Unit(0, 1);
  for (int Trial = 0; Trial < 60; ++Trial) {
    double Bound = 0.05 + 3 * Unit(Random);
    unsigned Degree = 1 + Trial % 5;
    double SecondMoment = Bound * Bound * std::pow(10.0, -3 * Unit(Random));
    auto Fit = fitExpToMoment(Bound, Degree, SecondMoment);
    ASSERT_TRUE(Fit);
    auto Proved = proveQuadraticError(Fit->Coefficients, Bound, Fit->Quadratic);
    if (!Proved) {
      EXPECT_GT(leastConstant(Fit->Coefficients, Bound, Fit->Quadratic), 0.9);
      continue;
    }
    Real True = leastConstant(Fit->Coefficients, Bound, Fit->Quadratic);
    EXPECT_GE(*Proved, True);
    EXPECT_LE(*Proved, True * 1.01L + 1e-9L);
  }
}

TEST(Moment, NeverWorseThanTheSupremumNorm) {
  // A polynomial with |P e^-x - 1| <= eps has mean error eps e^B at most; what
  // is fitted to the moment must not be worse than the one fitted to be level.
  for (double Bound : {0.3, 0.6, 1.0, 2.0})
    for (unsigned Degree : {1u, 2u, 3u, 4u})
      for (double Share : {1.0, 0.1, 0.01}) {
        double SecondMoment = Bound * Bound * Share;
        auto Fit = fitExpToMoment(Bound, Degree, SecondMoment);
        ASSERT_TRUE(Fit);
        double Mean = leastConstant(Fit->Coefficients, Bound, Fit->Quadratic) +
                      Fit->Quadratic * SecondMoment;
        auto Level = fitExp(Bound, Degree);
        EXPECT_LE(Mean, leastConstant(Level->Coefficients, Bound, 0) * 1.02);
      }
}

TEST(Moment, NonNegativeIsDecided) {
  EXPECT_TRUE(proveNonNegative({1, 1}, 0.999));
  EXPECT_FALSE(proveNonNegative({1, 1}, 1.001));
  EXPECT_TRUE(proveNonNegative({1, 1, 0.5}, 100));
  EXPECT_FALSE(proveNonNegative({0.25, 1, 1 - 1e-6}, 1));
  EXPECT_TRUE(proveNonNegative({0.2501, 1, 1}, 1));
  EXPECT_FALSE(proveNonNegative({}, 1));
  EXPECT_FALSE(proveNonNegative({1, NAN}, 1));
}

TEST(Moment, TamperedClaimsAreNotProved) {
  auto Fit = fitExpToMoment(1.1, 2, 0.02);
  SummationShape Shape;
  Shape.MaxKeys = 4096;
  Shape.HeadDim = 64;
  Shape.Degree = 2;
  MomentClaim Claim{0.02, 0.01, Fit->Quadratic};
  auto Honest =
      certifyMoments(Fit->Coefficients, 1.1, Claim, Shape, ElementKind::F32);
  ASSERT_TRUE(Honest);
  EXPECT_LT(Honest->OutputError, 0.011);
  auto withQuadratic = [&](double Q) {
    return proveQuadraticError(Fit->Coefficients, 1.1, Q);
  };
  EXPECT_GT(*withQuadratic(Fit->Quadratic * 0.5), 0.05);
  EXPECT_FALSE(certifyMoments({1, 1}, 1.2, Claim, Shape, ElementKind::F32))
      << "negative weights";
  EXPECT_FALSE(certifyMoments(Fit->Coefficients, 1.1, {-1, 0, 1}, Shape,
                              ElementKind::F32));
  EXPECT_FALSE(certifyMoments(Fit->Coefficients, 1.1, {0.02, NAN, 1}, Shape,
                              ElementKind::F32));
}

/// Attention of one row in extended precision: the largest change of an output
/// among values in [-1, 1] is the l1 distance of the weights.
Real distance(const std::vector<double> &C, const std::vector<Real> &Scores,
              const std::vector<Real> &Weights) {
  Real Exact = 0, Approximate = 0;
  for (size_t J = 0; J < Scores.size(); ++J) {
    Exact += Weights[J] * std::exp(Scores[J]);
    Approximate += Weights[J] * valueOf(C, Scores[J]);
  }
  Real Sum = 0;
  for (size_t J = 0; J < Scores.size(); ++J)
    Sum += std::fabs(Weights[J] * std::exp(Scores[J]) / Exact -
                     Weights[J] * valueOf(C, Scores[J]) / Approximate);
  return Sum;
}

/// Rows of a few distinct scores are the worst there are: given what moments
/// say, an extreme point has three or so. Searches over them at random and by
/// coordinates.
TEST(Moment, NoRowExceedsTheCertificate) {
  std::mt19937_64 Random(7);
  std::uniform_real_distribution<double> Unit(0, 1);
  double Tightest = 0;
  for (int Trial = 0; Trial < 40; ++Trial) {
    double Bound = 0.2 + 1.3 * Unit(Random);
    double SecondMoment = Bound * Bound * std::pow(10.0, -2.5 * Unit(Random));
    double Mean = Trial % 2 ? 0.05 * Unit(Random) : 0;
    unsigned Degree = 1 + Trial % 3;
    auto Fit = fitExpToMoment(Bound, Degree, SecondMoment);
    auto Constant =
        proveQuadraticError(Fit->Coefficients, Bound, Fit->Quadratic);
    if (!Constant || !proveNonNegative(Fit->Coefficients, Bound))
      continue;
    double Claimed =
        momentWeightChange(*Constant, {SecondMoment, Mean, Fit->Quadratic});
    double Worst = 0;
    for (int Row = 0; Row < 4000; ++Row) {
      // Scores s and weights p with mean >= -Mean and second moment as large as
      // may be: two of them given, the rest at what is left.
      std::vector<Real> S, W;
      Real X = Bound * (2 * Unit(Random) - 1),
           Y = Bound * (2 * Unit(Random) - 1);
      if (Row % 4 == 0)
        X = Row % 8 ? Bound : -Bound;
      Real P = std::pow(Real(10), -4 * Real(Unit(Random)));
      Real Q = P * Unit(Random);
      Real Z = (-Mean * Unit(Random) - P * X - Q * Y) / (1 - P - Q);
      if (P + Q >= 1 || std::fabs(Z) > Bound ||
          P * X * X + Q * Y * Y + (1 - P - Q) * Z * Z > SecondMoment)
        continue;
      S = {X, Y, Z};
      W = {P, Q, 1 - P - Q};
      Worst = std::max<double>(Worst, distance(Fit->Coefficients, S, W));
    }
    EXPECT_LE(Worst, Claimed);
    Tightest = std::max(Tightest, Worst / Claimed);
  }
  EXPECT_GT(Tightest, 0.2) << "certificates are within a factor of five";
}

/// What the documentation promises: d = 64, random directions, 1e-2.
TEST(Moment, Reach) {
  SummationShape Shape;
  Shape.MaxKeys = 16384;
  Shape.HeadDim = 64;
  for (auto [Degree, Bound] : {std::pair(1u, 0.65), std::pair(2u, 1.15)}) {
    Shape.Degree = Degree;
    double SecondMoment = Bound * Bound / 64 * 1.05;
    auto Fit = fitExpToMoment(Bound, Degree, SecondMoment);
    auto Budget = certifyMoments(Fit->Coefficients, Bound,
                                 {SecondMoment, 1e-3, Fit->Quadratic}, Shape,
                                 ElementKind::F32);
    ASSERT_TRUE(Budget);
    EXPECT_LE(Budget->OutputError, 1e-2) << "degree " << Degree;
  }
}

} // namespace
