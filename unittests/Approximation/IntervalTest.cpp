// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Approximation/Interval.h"

#include <gtest/gtest.h>

#include <random>

using namespace polyattn;

namespace {

const double Infinity = std::numeric_limits<double>::infinity();
const double NaN = std::numeric_limits<double>::quiet_NaN();

bool encloses(Interval I, long double X) { return I.Lo <= X && X <= I.Hi; }

TEST(Interval, StepsToTheNeighbours) {
  for (double X : {1.0, -1.0, 0.5, -3.25, 1e300, -1e-300, 5e-324, -5e-324, 0.0,
                   -0.0, 0x1p-1022}) {
    EXPECT_EQ(nextUp(X), std::nextafter(X, Infinity)) << X;
    EXPECT_EQ(nextDown(X), std::nextafter(X, -Infinity)) << X;
  }
  EXPECT_EQ(nextUp(Infinity), Infinity);
  EXPECT_EQ(nextDown(-Infinity), -Infinity);
  EXPECT_EQ(nextUp(std::numeric_limits<double>::max()), Infinity);
  EXPECT_TRUE(std::isnan(nextUp(NaN)));
}

TEST(Interval, OperationsEncloseTheRealResult) {
  std::mt19937_64 Random(1);
  std::uniform_real_distribution<double> Uniform(-3, 3);
  for (int Trial = 0; Trial < 20000; ++Trial) {
    double A = std::ldexp(Uniform(Random), int(Random() % 40) - 20),
           B = std::ldexp(Uniform(Random), int(Random() % 40) - 20);
    long double LA = A, LB = B;
    EXPECT_TRUE(encloses(Interval(A) + Interval(B), LA + LB));
    EXPECT_TRUE(encloses(Interval(A) - Interval(B), LA - LB));
    EXPECT_TRUE(encloses(Interval(A) * Interval(B), LA * LB));
    EXPECT_TRUE(encloses(Interval(A) / Interval(B), LA / LB));
    EXPECT_TRUE(encloses(sqrtEnclosure(Interval(std::fabs(A))),
                         std::sqrt(std::fabs(LA))));
  }
}

TEST(Interval, ProductsOfWideIntervalsCoverTheirCorners) {
  Interval P = Interval(-2, 3) * Interval(-5, 7);
  EXPECT_TRUE(encloses(P, -15) && encloses(P, 21) && encloses(P, 0));
  EXPECT_LT(P.Hi, 21.0001);
  EXPECT_GT(P.Lo, -15.0001);
}

TEST(Interval, NothingKnownIsTheWholeLine) {
  for (Interval I :
       {Interval(NaN), Interval(1) / Interval(-1, 1),
        Interval(0) * Interval(-Infinity, Infinity),
        Interval(Infinity) - Interval(Infinity), expEnclosureAt(NaN)}) {
    EXPECT_EQ(I.Lo, -Infinity);
    EXPECT_EQ(I.Hi, Infinity);
  }
}

TEST(Interval, ExpIsEnclosedTightly) {
  std::mt19937_64 Random(2);
  std::uniform_real_distribution<double> Wide(-690, 690), Narrow(-3, 3),
      Tiny(-1e-5, 1e-5);
  for (int Trial = 0; Trial < 30000; ++Trial) {
    double X = Trial % 3 == 0   ? Wide(Random)
               : Trial % 3 == 1 ? Narrow(Random)
                                : Tiny(Random);
    Interval E = expEnclosureAt(X);
    EXPECT_TRUE(encloses(E, std::exp(static_cast<long double>(X)))) << X;
    double Relative = (E.Hi - E.Lo) / E.Lo;
    EXPECT_LT(Relative, std::fabs(X) < 4 ? 1e-14 : 1e-12) << X;
  }
  EXPECT_EQ(expEnclosureAt(1000).Hi, Infinity);
  EXPECT_EQ(expEnclosureAt(-1000).Lo, 0);
  EXPECT_GT(expEnclosureAt(-1000).Hi, 0);
  EXPECT_EQ(expEnclosureAt(-Infinity).Lo, 0);
  Interval Range = expEnclosure(Interval(-1, 1));
  EXPECT_TRUE(encloses(Range, std::exp(-1.0L)) &&
              encloses(Range, std::exp(1.0L)));
}

} // namespace
