// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Approximation/Monomials.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace polyattn;

namespace {

TEST(Monomials, Counts) {
  EXPECT_EQ(monomialCount(64, 1), 65u);
  EXPECT_EQ(monomialCount(64, 2), 2145u);
  EXPECT_EQ(monomialCount(64, 3), 47905u);
  EXPECT_EQ(monomialCount(32, 3), 6545u);
  EXPECT_EQ(monomialCount(16, 3), 969u);
  EXPECT_EQ(monomialCount(5, 0), 1u);
  EXPECT_EQ(monomialCount(0, 5), 1u);
  // Pascal's rule, wherever nothing saturates.
  for (uint64_t Dim = 1; Dim <= 30; ++Dim)
    for (unsigned Degree = 1; Degree <= 30; ++Degree)
      EXPECT_EQ(monomialCount(Dim, Degree), monomialCount(Dim - 1, Degree) +
                                                monomialCount(Dim, Degree - 1));
}

TEST(Monomials, CountsSaturate) {
  const uint64_t Saturated = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(monomialCount(1000, 64), Saturated);
  EXPECT_EQ(monomialCount(Saturated, 1), Saturated);
  EXPECT_EQ(monomialCount(Saturated - 1, 1), Saturated);
  EXPECT_EQ(monomialCount(Saturated - 2, 1), Saturated - 1);
  EXPECT_EQ(monomialCount(Saturated, 3), Saturated);
  // C(66, 33) is the largest central binomial coefficient that fits.
  EXPECT_EQ(monomialCount(33, 33), 7219428434016265740u);
  EXPECT_EQ(monomialCount(35, 35), Saturated);
}

TEST(Monomials, TableIsLexicographicAndComplete) {
  for (unsigned Dim : {1u, 2u, 5u, 9u})
    for (unsigned Degree : {1u, 2u, 3u, 4u}) {
      MonomialSpace Space(Dim, Degree);
      ASSERT_EQ(Space.rank(), monomialCount(Dim, Degree));
      ASSERT_EQ(Space.factors().size(), Space.rank() * Degree);
      std::vector<int32_t> Last;
      for (uint64_t F = 0; F < Space.rank(); ++F) {
        auto Begin =
            Space.factors().begin() + static_cast<std::ptrdiff_t>(F * Degree);
        std::vector<int32_t> Row(Begin, Begin + Degree);
        EXPECT_TRUE(std::is_sorted(Row.begin(), Row.end()));
        EXPECT_GE(Row.front(), 0);
        EXPECT_LE(Row.back(), static_cast<int32_t>(Dim));
        // Strictly increasing rows of the right number: each multiset once.
        EXPECT_TRUE(Last < Row);
        Last = Row;
      }
    }
  MonomialSpace Quadratic(2, 2);
  EXPECT_EQ(Quadratic.factors(),
            (std::vector<int32_t>{0, 0, 0, 1, 0, 2, 1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(Quadratic.weights({3, 5, 7}, 2),
            (std::vector<double>{3, 10, 10, 28, 56, 28}));
}

TEST(Monomials, FeaturesReproduceThePolynomialOfADotProduct) {
  std::mt19937_64 Random(3);
  std::uniform_real_distribution<double> Uniform(-1, 1);
  for (int Trial = 0; Trial < 300; ++Trial) {
    unsigned Dim = 1 + Random() % 7, Degree = Random() % 6;
    double Scale = Uniform(Random) * 2;
    std::vector<double> C(Degree + 1), Q(Dim + 1, 1.0), K(Dim + 1, 1.0);
    for (double &X : C)
      X = Uniform(Random);
    double Dot = 0, Size = 0;
    for (unsigned A = 1; A <= Dim; ++A) {
      Q[A] = Uniform(Random), K[A] = Uniform(Random);
      Dot += Q[A] * K[A], Size += std::fabs(Q[A] * K[A]);
    }
    double Expected = 0, Absolute = 0;
    for (unsigned T = Degree + 1; T-- > 0;) {
      Expected = Expected * Scale * Dot + C[T];
      Absolute = Absolute * std::fabs(Scale) * Size + std::fabs(C[T]);
    }

    MonomialSpace Space(Dim, Degree);
    std::vector<double> Weights = Space.weights(C, Scale);
    ASSERT_EQ(Weights.size(), Space.rank());
    double Sum = 0, SumAbsolute = 0;
    for (uint64_t F = 0; F < Space.rank(); ++F) {
      double Term = Weights[F];
      for (unsigned I = 0; I < Degree; ++I)
        Term *= Q[Space.factors()[F * Degree + I]] *
                K[Space.factors()[F * Degree + I]];
      Sum += Term, SumAbsolute += std::fabs(Term);
    }
    EXPECT_NEAR(Sum, Expected, 1e-13 * (1 + Absolute));
    // The identity that the rounding bound rests on.
    EXPECT_NEAR(SumAbsolute, Absolute, 1e-13 * (1 + Absolute));
  }
}

TEST(Monomials, WeirdShapes) {
  MonomialSpace Constant(5, 0);
  EXPECT_EQ(Constant.rank(), 1u);
  EXPECT_TRUE(Constant.factors().empty());
  EXPECT_EQ(Constant.weights({4}, 3), std::vector<double>{4});
  MonomialSpace NoVariable(0, 3);
  EXPECT_EQ(NoVariable.factors(), (std::vector<int32_t>{0, 0, 0}));
  MonomialSpace Huge(1000, 64);
  EXPECT_EQ(Huge.rank(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(Huge.factors().empty());
  EXPECT_TRUE(Huge.weights({1, 1}, 1).empty());
  MonomialSpace Linear(2, 1);
  EXPECT_TRUE(Linear.weights({1, 1, 1}, 1).empty()) << "degree 2 does not fit";
  EXPECT_EQ(Linear.weights({1}, 1), (std::vector<double>{1, 0, 0}));
}

} // namespace
