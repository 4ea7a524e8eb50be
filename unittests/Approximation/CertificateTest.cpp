// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Approximation/Certificate.h"

#include "polyattn/Approximation/Checker.h"
#include "polyattn/Approximation/ExpPolynomial.h"
#include "polyattn/Approximation/Monomials.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace polyattn;

namespace {

const double Infinity = std::numeric_limits<double>::infinity();
const double NaN = std::numeric_limits<double>::quiet_NaN();

/// l1 distance of x and x (1 + delta), both normalised.
double distance(const std::vector<double> &Weights,
                const std::vector<double> &Delta) {
  double Sum = 0, Perturbed = 0, Distance = 0;
  for (size_t J = 0; J < Weights.size(); ++J)
    Sum += Weights[J], Perturbed += Weights[J] * (1 + Delta[J]);
  for (size_t J = 0; J < Weights.size(); ++J)
    Distance +=
        std::fabs(Weights[J] * (1 + Delta[J]) / Perturbed - Weights[J] / Sum);
  return Distance;
}

TEST(WeightChange, BoundsEveryPerturbationAndIsSharp) {
  std::mt19937_64 Random(11);
  std::uniform_real_distribution<double> Uniform(0, 1);
  for (double Epsilon : {1e-6, 1e-3, 0.01, 0.1, 0.3, 0.7, 0.95, 0.999}) {
    const double Tau = weightChange(Epsilon);
    double Worst = 0;
    // Random weights and perturbations never exceed it...
    for (int Trial = 0; Trial < 3000; ++Trial) {
      std::vector<double> Weights(2 + Random() % 30), Delta(Weights.size());
      for (size_t J = 0; J < Weights.size(); ++J) {
        Weights[J] = std::exp(4 * Uniform(Random));
        double X = 2 * Uniform(Random) - 1;
        Delta[J] = Epsilon * (Trial % 2 ? X : X < 0 ? -1 : 1);
      }
      Worst = std::max(Worst, distance(Weights, Delta));
    }
    // ... and two keys with the right share attain it.
    for (int Share = 1; Share < 2000; ++Share) {
      double P = Share / 2000.0;
      Worst = std::max(Worst, distance({P, 1 - P}, {Epsilon, -Epsilon}));
    }
    EXPECT_LE(Worst, Tau * (1 + 1e-9)) << Epsilon;
    EXPECT_GE(Worst, 0.99 * Tau) << Epsilon;
  }
}

TEST(WeightChange, BoundsTheOutput) {
  std::mt19937_64 Random(12);
  std::uniform_real_distribution<double> Uniform(-1, 1);
  for (int Trial = 0; Trial < 5000; ++Trial) {
    double Epsilon = 0.5 * (1 + Uniform(Random)) * 0.9, Sum = 0, Perturbed = 0,
           Exact = 0, Changed = 0;
    double Least = Infinity, Largest = -Infinity;
    for (int J = 0; J < 20; ++J) {
      double W = std::exp(Uniform(Random)), V = Uniform(Random),
             D = 1 + (V > 0 ? Epsilon : -Epsilon);
      Sum += W, Perturbed += W * D, Exact += W * V, Changed += W * D * V;
      Least = std::min(Least, V), Largest = std::max(Largest, V);
    }
    EXPECT_LE(std::fabs(Exact / Sum - Changed / Perturbed),
              weightChange(Epsilon) * (Largest - Least) / 2 * (1 + 1e-12));
  }
}

TEST(WeightChange, Values) {
  for (double E : {1e-300, 1e-12, 1e-4, 0.01, 0.5, 0.9, 0.999999}) {
    long double L = E, Exact = 2 * L / (1 + std::sqrt((1 - L) * (1 + L)));
    EXPECT_GE(weightChange(E), Exact);
    EXPECT_LE(weightChange(E), Exact * (1 + 1e-9L));
    EXPECT_LT(weightChange(E), 2 * E / (1 - E))
        << "sharper than the usual bound";
  }
  EXPECT_EQ(weightChange(0), 0);
  EXPECT_EQ(weightChange(-1), 0);
  EXPECT_EQ(weightChange(1), 2);
  EXPECT_EQ(weightChange(5), 2);
  EXPECT_EQ(weightChange(Infinity), 2);
  EXPECT_EQ(weightChange(NaN), 2);
}

SummationShape shape(uint64_t Keys, unsigned Dim, unsigned Degree) {
  SummationShape Shape;
  Shape.MaxKeys = Keys;
  Shape.HeadDim = Dim;
  Shape.Degree = Degree;
  return Shape;
}

TEST(RoundingChain, GrowsWithTheShape) {
  uint64_t Base = roundingChain(shape(4096, 64, 2));
  // 128 keys, 32 blocks, 32 partial states; 64 features, 34 blocks of them; and
  // little more.
  EXPECT_GT(Base, 128u + 32 + 32 + 64 + 34);
  EXPECT_LT(Base, 128u + 32 + 32 + 64 + 34 + 60);
  EXPECT_GT(roundingChain(shape(65536, 64, 2)), Base);
  EXPECT_GT(roundingChain(shape(4096, 64, 3)), Base);
  SummationShape Tensor = shape(4096, 64, 2);
  Tensor.KeySets = 2;
  EXPECT_GT(roundingChain(Tensor), Base);
  // Blocked: the chain is far shorter than the sum is long.
  EXPECT_LT(roundingChain(shape(1 << 20, 16, 2)), 1u << 15);
  // Senseless shapes are hopeless, and huge ones do not wrap around.
  EXPECT_EQ(roundingChain(SummationShape()),
            std::numeric_limits<uint64_t>::max());
  EXPECT_GT(
      roundingChain(shape(std::numeric_limits<uint64_t>::max(), 1u << 30, 64)),
      uint64_t(1) << 57);
}

/// One attention problem with every score bounded by Bound, in the accumulation
/// type T.
template <typename T> struct Problem {
  unsigned Dim, Keys;
  T Scale;
  std::vector<T> Q, K, V, W;
};

enum class Data { Random, Aligned, Equal };

template <typename T>
Problem<T> makeProblem(std::mt19937_64 &Random, unsigned Dim, unsigned Keys,
                       double Bound, Data Kind) {
  std::normal_distribution<double> Normal;
  Problem<T> P{Dim, Keys, T(1 / std::sqrt(double(Dim))), {}, {}, {}, {}};
  auto unit = [&](double Sign, double Length, std::vector<T> &Out) {
    std::vector<double> X(Dim);
    double Norm = 0;
    for (double &Entry : X) {
      // Aligned data makes every product positive or every product negative:
      // rounding errors pile up instead of cancelling.
      Entry = Kind == Data::Random
                  ? Normal(Random)
                  : Sign * (1 + 0.3 * std::fabs(Normal(Random)));
      Norm += Entry * Entry;
    }
    for (double Entry : X)
      Out.push_back(T(Entry * Length / std::sqrt(Norm)));
  };
  double Length = std::sqrt(Bound * std::sqrt(double(Dim)) * (1 - 1e-6));
  double Sign = Random() % 2 ? 1 : -1;
  unit(1, Length, P.Q);
  for (unsigned J = 0; J < Keys; ++J) {
    if (Kind == Data::Equal && J > 0)
      P.K.insert(P.K.end(), P.K.begin(), P.K.begin() + Dim);
    else
      unit(Sign, Length, P.K);
    double Value = std::tanh(Normal(Random));
    P.V.push_back(T(Kind == Data::Random  ? Value
                    : Kind == Data::Equal ? P.V.empty() ? Value : double(P.V[0])
                                          : std::fabs(Value)));
    P.W.push_back(Kind == Data::Equal ? T(1) / 3 : T(std::exp(Normal(Random))));
  }
  return P;
}

template <typename T>
long double exactOutput(const Problem<T> &P, const std::vector<double> &C) {
  long double Numerator = 0, Denominator = 0;
  for (unsigned J = 0; J < P.Keys; ++J) {
    long double Score = 0, Weight = 0;
    for (unsigned A = 0; A < P.Dim; ++A)
      Score += (long double)P.Q[A] * P.K[J * P.Dim + A];
    Score *= P.Scale;
    for (size_t I = C.size(); I-- > 0;)
      Weight = Weight * Score + C[I];
    Numerator += Weight * P.W[J] * P.V[J];
    Denominator += Weight * P.W[J];
  }
  return Numerator / Denominator;
}

template <typename T>
T feature(const MonomialSpace &Space, uint64_t F, const T *X) {
  T Product = 1;
  for (unsigned I = 0; I < Space.degree(); ++I)
    if (int32_t Index = Space.factors()[F * Space.degree() + I])
      Product *= X[Index - 1];
  return Product;
}

/// Terms summed in blocks, as SummationShape says, without fused operations
/// (more roundings than with them).
template <typename T, typename TermAt>
T blockedSum(uint64_t Terms, uint64_t Block, TermAt termAt) {
  T Sum = 0;
  for (uint64_t Begin = 0; Begin < Terms; Begin += Block) {
    T Partial = 0;
    for (uint64_t I = Begin; I < std::min(Terms, Begin + Block); ++I)
      Partial += termAt(I);
    Sum += Partial;
  }
  return Sum;
}

template <typename T>
T stateOutput(const Problem<T> &P, const std::vector<double> &C,
              const SummationShape &Shape) {
  MonomialSpace Space(P.Dim, Shape.Degree);
  std::vector<double> Weights = Space.weights(C, double(P.Scale));
  auto sum = [&](bool WithValues) {
    return blockedSum<T>(Space.rank(), Shape.FeatureBlock, [&](uint64_t F) {
      T State = blockedSum<T>(P.Keys, Shape.KeyBlock, [&](uint64_t J) {
        T Value = WithValues ? P.W[J] * P.V[J] : P.W[J];
        return feature(Space, F, &P.K[J * P.Dim]) * Value;
      });
      return T(Weights[F]) * feature(Space, F, P.Q.data()) * State;
    });
  };
  T Numerator = sum(true), Denominator = sum(false);
  return Numerator * (T(1) / Denominator);
}

template <typename T>
T directOutput(const Problem<T> &P, const std::vector<double> &C,
               const SummationShape &Shape) {
  auto weight = [&](uint64_t J) {
    T Score = 0, Weight = 0;
    for (unsigned A = 0; A < P.Dim; ++A)
      Score += P.Q[A] * P.K[J * P.Dim + A];
    Score *= P.Scale;
    for (size_t I = C.size(); I-- > 0;)
      Weight = Weight * Score + T(C[I]);
    return Weight * P.W[J];
  };
  T Numerator = blockedSum<T>(P.Keys, Shape.KeyBlock,
                              [&](uint64_t J) { return weight(J) * P.V[J]; });
  T Denominator = blockedSum<T>(P.Keys, Shape.KeyBlock, weight);
  return Numerator * (T(1) / Denominator);
}

/// Largest share of the bound that rounding was seen to use.
template <typename T> void simulate(ElementKind Kind, double OutputUnit) {
  std::mt19937_64 Random(21);
  double WorstState = 0, WorstDirect = 0;
  struct Setting {
    unsigned Dim, Degree, Keys;
    double Bound;
  };
  for (Setting S : {Setting{4, 1, 500, 0.2},
                    {8, 2, 700, 0.6},
                    {6, 3, 300, 1},
                    {3, 4, 2000, 2},
                    {2, 6, 5000, 3},
                    {16, 2, 40, 0.6}})
    for (Data D : {Data::Random, Data::Aligned, Data::Equal})
      for (int Trial = 0; Trial < 2; ++Trial) {
        ExpPolynomial Fit = *fitExp(S.Bound, S.Degree);
        SummationShape Shape = shape(S.Keys, S.Dim, S.Degree);
        double Error = *proveRelativeError(Fit.Coefficients, S.Bound);
        std::optional<double> Limit =
            roundingError(Fit.Coefficients, S.Bound, Error, Shape, Kind);
        ASSERT_TRUE(Limit) << S.Dim << " " << S.Degree;
        Problem<T> P = makeProblem<T>(Random, S.Dim, S.Keys, S.Bound, D);
        long double Exact = exactOutput(P, Fit.Coefficients), Largest = 0;
        for (T V : P.V)
          Largest = std::max<long double>(Largest, std::fabs(V));
        auto share = [&](T Output) {
          return static_cast<double>(
              (std::fabs(Output - Exact) / Largest + OutputUnit) / *Limit);
        };
        WorstState = std::max(WorstState,
                              share(stateOutput(P, Fit.Coefficients, Shape)));
        WorstDirect = std::max(WorstDirect,
                               share(directOutput(P, Fit.Coefficients, Shape)));
      }
  EXPECT_LE(WorstState, 1);
  EXPECT_LE(WorstDirect, 1);
  std::printf(
      "rounding used at most %.2g (state) and %.2g (direct) of its bound\n",
      WorstState, WorstDirect);
}

TEST(RoundingError, NeverExceededInF32) {
  simulate<float>(ElementKind::F32, 0);
}
TEST(RoundingError, NeverExceededInF64) {
  simulate<double>(ElementKind::F64, 0);
}

TEST(RoundingError, Values) {
  ExpPolynomial Fit = *fitExp(1, 3);
  SummationShape Shape = shape(8192, 32, 3);
  auto error = [&](ElementKind Kind) {
    return *roundingError(Fit.Coefficients, 1, 0.0051, Shape, Kind);
  };
  EXPECT_LT(error(ElementKind::F64), 1e-11);
  EXPECT_LT(error(ElementKind::F32), 1e-3);
  EXPECT_GT(error(ElementKind::F32), 1e-5);
  // Half an ulp of the output comes on top.
  EXPECT_NEAR(error(ElementKind::F16) - error(ElementKind::F32), 0x1p-11, 1e-6);
  EXPECT_NEAR(error(ElementKind::BF16) - error(ElementKind::F32), 0x1p-8, 1e-5);
}

TEST(RoundingError, RefusesWhatItCannotBound) {
  std::vector<double> C = fitExp(1, 3)->Coefficients;
  SummationShape Shape = shape(8192, 32, 3);
  EXPECT_TRUE(roundingError(C, 1, 0.0051, Shape, ElementKind::F32));
  for (double Bad : {NaN, Infinity, -1.0}) {
    EXPECT_FALSE(roundingError(C, Bad, 0.0051, Shape, ElementKind::F32)) << Bad;
    EXPECT_FALSE(roundingError(C, 1, Bad, Shape, ElementKind::F32)) << Bad;
    EXPECT_FALSE(roundingError({1, Bad == -1.0 ? 1e9 : Bad}, 1, 0.5, Shape,
                               ElementKind::F32))
        << Bad;
  }
  EXPECT_FALSE(roundingError(C, 1, 1, Shape, ElementKind::F32));
  EXPECT_FALSE(roundingError({}, 1, 0.5, Shape, ElementKind::F32));
  EXPECT_FALSE(
      roundingError(C, 1, 0.0051, shape(8192, 32, 2), ElementKind::F32))
      << "the degree does not fit the shape";
  EXPECT_FALSE(roundingError(C, 1, 0.0051, SummationShape(), ElementKind::F32));
  EXPECT_FALSE(roundingError(C, 1, 0.0051, shape(uint64_t(1) << 60, 32, 3),
                             ElementKind::F32))
      << "too many keys";
  EXPECT_FALSE(roundingError(C, 1, 0.0051,
                             shape(std::numeric_limits<uint64_t>::max(), 32, 3),
                             ElementKind::F64));
  EXPECT_FALSE(roundingError(fitExp(9, 16)->Coefficients, 9, 1e-3,
                             shape(8192, 2, 16), ElementKind::F32))
      << "cancellation";
}

TEST(Certify, AddsUpItsTerms) {
  ExpPolynomial Fit = *fitExp(1, 3);
  std::optional<ErrorBudget> Budget =
      certify(Fit.Coefficients, 1, shape(4096, 16, 3), ElementKind::F32);
  ASSERT_TRUE(Budget);
  EXPECT_EQ(Budget->KernelError, *proveRelativeError(Fit.Coefficients, 1));
  EXPECT_EQ(Budget->WeightChange, weightChange(Budget->KernelError));
  EXPECT_GE(Budget->OutputError, Budget->WeightChange + Budget->RoundingError);
  EXPECT_NEAR(Budget->OutputError, 0.00501, 0.0005);

  std::vector<double> Zero = {1, 1};
  EXPECT_FALSE(certify(Zero, 1, shape(4096, 16, 1), ElementKind::F32));
  EXPECT_FALSE(certify({}, 1, shape(4096, 16, 1), ElementKind::F32));
  EXPECT_FALSE(certify(Fit.Coefficients, 1, shape(0, 16, 3), ElementKind::F32));
}

TEST(MaxNorm, KeepsTheExponentsInRange) {
  // Typical shapes leave room for any sensible norm.
  EXPECT_GE(maxNorm(1, 65536), 1e6);
  EXPECT_GE(maxNorm(2, 65536), 4096);
  EXPECT_GE(maxNorm(3, 65536), 64);
  EXPECT_GE(maxNorm(3, 65536, 8), 1024) << "d = 64, sigma and bound up to 1";
  EXPECT_GE(maxNorm(4, 65536, 8), 128);
  // Monotone, powers of two, and the documented condition.
  for (unsigned Degree = 1; Degree <= 12; ++Degree)
    for (uint64_t Keys : {uint64_t(1), uint64_t(4096), uint64_t(1) << 30}) {
      double R = maxNorm(Degree, Keys);
      EXPECT_LE(maxNorm(Degree + 1, Keys), R);
      EXPECT_LE(maxNorm(Degree, Keys * 2), R);
      EXPECT_GE(maxNorm(Degree, Keys, 128, ElementKind::F64), R);
      if (R == 0)
        continue;
      int Exponent;
      EXPECT_EQ(std::frexp(R, &Exponent), 0.5);
      EXPECT_LE(Degree * (7 + std::log2(R)) + std::log2(5.0 * Keys) + 42,
                126 - 24 - 1);
    }
  EXPECT_EQ(maxNorm(64, 4096), 0);
  EXPECT_EQ(maxNorm(2, 0), 0);
  EXPECT_EQ(maxNorm(2, std::numeric_limits<uint64_t>::max()), 0);
  EXPECT_EQ(maxNorm(2, 16, NaN), 0);
  EXPECT_EQ(maxNorm(2, 16, Infinity), 0);
}

TEST(WeightsAreNormal, LooksAtTheAccumulationType) {
  EXPECT_TRUE(weightsAreNormal({0, 1, -0.5, 1e-37}, 1, ElementKind::F32));
  EXPECT_FALSE(weightsAreNormal({1, 1e-39}, 1, ElementKind::F32));
  EXPECT_FALSE(weightsAreNormal({1, 1e39}, 1, ElementKind::BF16));
  EXPECT_FALSE(weightsAreNormal({NaN}, 1, ElementKind::F32));
  EXPECT_TRUE(weightsAreNormal({1, 1e-39, 1e39}, 1, ElementKind::F64));
  EXPECT_FALSE(weightsAreNormal({Infinity}, 1, ElementKind::F64));
  EXPECT_TRUE(weightsAreNormal(fitExp(1, 3)->Coefficients, 0.125,
                               ElementKind::F32));
}

TEST(WeightsAreNormal, CountsPowersOfTheScaleAndMultinomials) {
  EXPECT_FALSE(weightsAreNormal({1, 1, 0.5}, 1e-20, ElementKind::F32));
  EXPECT_FALSE(weightsAreNormal({1, 1, 0.5}, 1e-200, ElementKind::F64));
  EXPECT_FALSE(weightsAreNormal({1, 1, 0.5}, 1e20, ElementKind::F32));
  EXPECT_TRUE(weightsAreNormal({1, 1, 0}, 1e-20, ElementKind::F32));
  EXPECT_TRUE(weightsAreNormal({1, 1, 0.5}, 0, ElementKind::F32));
  EXPECT_FALSE(weightsAreNormal({0, 0, 3e38}, 1, ElementKind::F32));
}

} // namespace
