// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Remez exchange: the polynomial Q that minimises max w(x) |Q(x) - R(x)|.
//
// For the relative error of exp, w = e^{-x}, and what is fitted is not P but
// its difference Q from the Taylor polynomial T of the same degree, where that
// is any good:
//   P e^{-x} - 1 = e^{-x} (Q - R),  R(x) = e^x - T(x) = sum_{k > n} x^k / k!.
// R has full relative accuracy however small the bound is, so the exchange
// works down to errors far below the rounding unit, and the coefficients stay
// close to 1/k!. On wide intervals T is worse than nothing; there T = 0 and R =
// e^x. Q lives in the Chebyshev basis, which keeps the linear systems well
// conditioned.
//
// For an error a + b x^2 the weight is 1 / (1 + beta x^2), beta = b / a: the
// best ratio depends on the second moment, and a few of them are tried. With a
// = 0, P = 1 + x + x^2 Q and Q is as near as can be to (e^x - 1 - x) / x^2.

#include "polyattn/Approximation/ExpPolynomial.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

using namespace polyattn;

namespace {

using Real = long double;

const Real Pi = 3.14159265358979323846264338327950288L;
/// The exchange stops when the largest error exceeds the levelled one by no
/// more than this, relatively...
const Real LevelTolerance = 1e-7L;
/// ... is content with this when it has run out of rounds...
const Real LooseTolerance = 1e-2L;
constexpr unsigned MaxExchanges = 30;
/// ... and stops at an error that double coefficients cannot express anyway.
const Real NegligibleError = 0x1p-60L;
/// Grid points per oscillation of the error, for the exchange and for measuring
/// the result. Weights that peak at 0 take more.
constexpr unsigned ExchangeDensity = 24, MeasureDensity = 64,
                   QuadraticDensity = 256;

struct Extremum {
  Real X, Error;
};

/// sum_{k > Degree} x^k / k!, without cancellation where it would hurt.
Real taylorRemainder(Real X, unsigned Degree) {
  Real Term = 1, Taylor = 1;
  for (unsigned K = 1; K <= Degree; ++K)
    Taylor += Term *= X / K;
  // From here on terms fall, so that even the alternating series loses nothing
  // to speak of; otherwise the remainder is no smaller than e^x and the
  // difference serves.
  if (X < -Real(Degree) - 2)
    return std::exp(X) - Taylor;
  Real Sum = 0;
  for (unsigned K = Degree + 1; K < Degree + 400; ++K) {
    Sum += Term *= X / K;
    if (std::fabs(Term) < std::fabs(Sum) * 1e-21L || Term == 0)
      break;
  }
  return Sum;
}

using Function = std::function<Real(Real)>;

class RemezFit {
public:
  /// Q shall be near Target on [-Bound, Bound], where Weight matters most.
  RemezFit(Real Bound, unsigned Degree, Function Target, Function Weight,
           unsigned Density = ExchangeDensity)
      : Bound(Bound), Degree(Degree), Density(Density),
        Target(std::move(Target)), Weight(std::move(Weight)), Q(Degree + 1, 0) {
  }

  /// Exchanges until the error is level, and keeps the best polynomial met.
  /// False if the error never got level, or if no polynomial of this degree has
  /// an error below `Wanted`.
  bool exchange(Real Wanted = std::numeric_limits<Real>::infinity());
  bool isHopeless() const { return Hopeless; }
  /// Largest weighted error of that polynomial, before its coefficients are
  /// rounded.
  Real largestError() const { return Smallest; }
  /// The monomial coefficients of Q.
  std::vector<Real> coefficients() const;

private:
  /// A point of [-Bound, Bound] by its angle: equal steps in the angle follow
  /// the oscillations of a minimax error.
  Real at(Real Angle) const { return -Bound * std::cos(Angle); }
  Real evaluate(Real X) const;
  Real errorAt(Real X) const { return Weight(X) * (evaluate(X) - Target(X)); }
  bool level(const std::vector<Real> &Nodes);
  void exchangeOnce(std::vector<Real> &Nodes);
  Extremum refine(Real Left, Real Mid, Real Right) const;
  std::vector<Extremum> extrema() const;

  Real Bound;
  unsigned Degree, Density;
  Function Target, Weight;
  /// Chebyshev coefficients of Q in x / Bound.
  std::vector<Real> Q;
  std::vector<Real> BestQ;
  /// The levelled error of the last system, its largest error, the smallest of
  /// those, and what every polynomial's largest error exceeds.
  Real Level = 0, Largest = 0, Smallest = std::numeric_limits<Real>::infinity(),
       Least = 0;
  bool Hopeless = false;
};

/// Clenshaw.
Real RemezFit::evaluate(Real X) const {
  Real Y = X / Bound, B1 = 0, B2 = 0;
  for (size_t K = Q.size(); K-- > 1;) {
    Real B0 = Q[K] + 2 * Y * B1 - B2;
    B2 = B1;
    B1 = B0;
  }
  return Q[0] + Y * B1 - B2;
}

/// Gaussian elimination with partial pivoting on rows that carry their
/// right-hand side last. False if singular.
bool solve(std::vector<std::vector<Real>> &Rows) {
  const size_t N = Rows.size();
  for (size_t Column = 0; Column < N; ++Column) {
    size_t Pivot = Column;
    for (size_t R = Column + 1; R < N; ++R)
      if (std::fabs(Rows[R][Column]) > std::fabs(Rows[Pivot][Column]))
        Pivot = R;
    std::swap(Rows[Column], Rows[Pivot]);
    if (!(std::fabs(Rows[Column][Column]) > 0))
      return false;
    for (size_t R = 0; R < N; ++R) {
      if (R == Column)
        continue;
      Real Factor = Rows[R][Column] / Rows[Column][Column];
      for (size_t C = Column; C <= N; ++C)
        Rows[R][C] -= Factor * Rows[Column][C];
    }
  }
  for (size_t R = 0; R < N; ++R)
    Rows[R][N] /= Rows[R][R];
  return true;
}

/// Makes w(x_i) (Q - R)(x_i) = (-1)^i Level at Degree + 2 nodes. It solves
/// for the change of Q, which refines the solution from round to round: on wide
/// intervals the system is ill conditioned.
bool RemezFit::level(const std::vector<Real> &Nodes) {
  std::vector<std::vector<Real>> Rows;
  for (size_t I = 0; I < Nodes.size(); ++I) {
    Real W = Weight(Nodes[I]), Y = Nodes[I] / Bound;
    std::vector<Real> Row;
    Real T0 = 1, T1 = Y;
    for (unsigned K = 0; K <= Degree; ++K) {
      Row.push_back(W * T0);
      Real T2 = 2 * Y * T1 - T0;
      T0 = T1;
      T1 = T2;
    }
    Row.push_back(I % 2 ? 1 : -1);
    Row.push_back(-errorAt(Nodes[I]));
    Rows.push_back(std::move(Row));
  }
  if (!solve(Rows))
    return false;
  for (unsigned K = 0; K <= Degree; ++K)
    Q[K] += Rows[K].back();
  Level = std::fabs(Rows.back().back());
  return std::isfinite(Level);
}

/// Golden-section search for the extremum between two angles; Mid decides its
/// sign.
Extremum RemezFit::refine(Real Left, Real Mid, Real Right) const {
  const Real Golden = 0.61803398874989484820L;
  Real Sign = errorAt(at(Mid)) < 0 ? -1 : 1;
  Real A = Right - Golden * (Right - Left), B = Left + Golden * (Right - Left);
  Real ErrorA = Sign * errorAt(at(A)), ErrorB = Sign * errorAt(at(B));
  for (unsigned Step = 0; Step < 24; ++Step) {
    if (ErrorA > ErrorB) {
      Right = B, B = A, ErrorB = ErrorA;
      A = Right - Golden * (Right - Left);
      ErrorA = Sign * errorAt(at(A));
    } else {
      Left = A, A = B, ErrorA = ErrorB;
      B = Left + Golden * (Right - Left);
      ErrorB = Sign * errorAt(at(B));
    }
  }
  // At the ends of the interval the extremum is the end itself, which the
  // search only approaches.
  Extremum Best{at(Mid), errorAt(at(Mid))};
  Real Found = at((A + B) / 2), Error = errorAt(Found);
  return Sign * Error > Sign * Best.Error ? Extremum{Found, Error} : Best;
}

/// The largest error of every run of equal sign.
std::vector<Extremum> RemezFit::extrema() const {
  const unsigned Points = Density * (Degree + 2);
  const Real Step = Pi / Points;
  std::vector<Extremum> Runs;
  std::vector<unsigned> Peak;
  for (unsigned I = 0; I <= Points; ++I) {
    Extremum E{at(I * Step), errorAt(at(I * Step))};
    if (Runs.empty() || (E.Error < 0) != (Runs.back().Error < 0)) {
      Runs.push_back(E);
      Peak.push_back(I);
    } else if (std::fabs(E.Error) > std::fabs(Runs.back().Error)) {
      Runs.back() = E;
      Peak.back() = I;
    }
  }
  for (size_t R = 0; R < Runs.size(); ++R) {
    Real Mid = Peak[R] * Step;
    Runs[R] =
        refine(std::max(Mid - Step, Real(0)), Mid, std::min(Mid + Step, Pi));
  }
  return Runs;
}

/// Moves the nodes to the extrema of the error.
void RemezFit::exchangeOnce(std::vector<Real> &Nodes) {
  std::vector<Extremum> Found = extrema();
  auto smaller = [](const Extremum &A, const Extremum &B) {
    return std::fabs(A.Error) < std::fabs(B.Error);
  };
  Largest =
      std::fabs(std::max_element(Found.begin(), Found.end(), smaller)->Error);
  if (Largest < Smallest) {
    Smallest = Largest;
    BestQ = Q;
  }
  // Too few or too many alternations only occur in noise. Too few: solving
  // again for the same nodes refines. Too many: the smaller end goes, which
  // keeps the signs alternating.
  while (Found.size() > Nodes.size())
    Found.erase(smaller(Found.front(), Found.back()) ? Found.begin()
                                                     : Found.end() - 1);
  // Errors of alternating sign: no polynomial does better than the smallest (de
  // la Vallee Poussin).
  Least =
      Found.size() < Nodes.size()
          ? 0
          : std::fabs(
                std::min_element(Found.begin(), Found.end(), smaller)->Error);
  if (Found.size() == Nodes.size())
    std::transform(Found.begin(), Found.end(), Nodes.begin(),
                   [](const Extremum &E) { return E.X; });
}

bool RemezFit::exchange(Real Wanted) {
  std::vector<Real> Nodes;
  for (unsigned I = 0; I < Degree + 2; ++I)
    Nodes.push_back(at(Pi * I / (Degree + 1)));

  bool IsLevel = false;
  for (unsigned Round = 0; Round < MaxExchanges && !IsLevel; ++Round) {
    if (!level(Nodes))
      break;
    exchangeOnce(Nodes);
    if (Hopeless = Least > Wanted; Hopeless)
      return false;
    IsLevel =
        Largest <= Level * (1 + LevelTolerance) || Largest <= NegligibleError;
  }
  if (!BestQ.empty())
    Q = BestQ;
  return IsLevel || Smallest <= Level * (1 + LooseTolerance);
}

std::vector<Real> RemezFit::coefficients() const {
  std::vector<Real> Sum(Degree + 1, 0), T0(Degree + 2, 0), T1(Degree + 2, 0);
  T0[0] = 1;
  T1[1] = 1;
  for (unsigned K = 0; K <= Degree; ++K) {
    for (unsigned T = 0; T <= K; ++T)
      Sum[T] += Q[K] * T0[T];
    std::vector<Real> T2(Degree + 2, 0);
    for (unsigned T = 0; T <= Degree; ++T)
      T2[T + 1] = 2 * T1[T];
    for (unsigned T = 0; T <= Degree; ++T)
      T2[T] -= T0[T];
    T0 = std::move(T1);
    T1 = std::move(T2);
  }
  Real Power = 1;
  for (Real &C : Sum) {
    C /= Power;
    Power *= Bound;
  }
  return Sum;
}

/// Value of sum_t C[t] x^t in extended precision.
Real horner(const std::vector<double> &C, Real X) {
  Real Value = 0;
  for (size_t T = C.size(); T-- > 0;)
    Value = Value * X + C[T];
  return Value;
}

/// The error with the coefficients as they are, which near the rounding unit is
/// more than the exchange says.
double measureRounded(const std::vector<double> &C, Real Bound) {
  const size_t Points = MeasureDensity * (C.size() + 1);
  Real Largest = 0;
  for (size_t I = 0; I <= Points; ++I) {
    Real X = -Bound * std::cos(Pi * I / Points);
    Largest = std::max(Largest, std::fabs(horner(C, X) * std::exp(-X) - 1));
  }
  return static_cast<double>(Largest);
}

/// The least quadratic term with which the polynomial keeps within Constant +
/// Quadratic x^2, on a grid.
Real quadraticFor(const std::vector<double> &C, Real Bound, Real Constant) {
  const size_t Points = QuadraticDensity * (C.size() + 1);
  Real Most = 0;
  for (size_t I = 0; I <= Points; ++I) {
    Real X = -Bound * std::cos(Pi * I / Points);
    if (std::fabs(X) < Bound / Points)
      continue;
    Real Rest = std::fabs(horner(C, X) - std::exp(X)) - Constant;
    Most = std::max(Most, Rest / (X * X));
  }
  return Most;
}

/// Taylor's terms up to x, and x^2 times the polynomial nearest to the rest.
std::vector<double> fitTangent(Real Bound, unsigned Degree) {
  std::vector<double> C = {1, 1};
  if (Degree < 2)
    return C;
  // sum_{k >= 2} x^{k-2} / k!
  auto Rest = [](Real X) {
    Real Term = 0.5L, Sum = 0;
    for (unsigned K = 3; std::fabs(Term) > 1e-22L; ++K) {
      Sum += Term;
      Term *= X / K;
    }
    return Sum;
  };
  RemezFit Fit(Bound, Degree - 2, Rest, [](Real) { return Real(1); });
  if (!Fit.exchange())
    return {};
  for (Real X : Fit.coefficients())
    C.push_back(static_cast<double>(X));
  return C;
}

} // namespace

/// Nothing, too, where no polynomial has an error of at most MaxError.
static std::optional<ExpPolynomial> fitWithin(double Bound, unsigned Degree,
                                              Real MaxError) {
  if (!(Bound > 0) || Bound > MaxBound || Degree == 0 || Degree > MaxDegree)
    return std::nullopt;
  const bool FromTaylor =
      std::fabs(taylorRemainder(-Bound, Degree)) <= std::exp(Real(-Bound));
  RemezFit Fit(
      Bound, Degree,
      [=](Real X) {
        return FromTaylor ? taylorRemainder(X, Degree) : std::exp(X);
      },
      [](Real X) { return std::exp(-X); });
  bool IsLevel = Fit.exchange(MaxError);
  if (Fit.isHopeless())
    return std::nullopt;

  ExpPolynomial Result;
  Result.Bound = Bound;
  Real Factorial = 1;
  for (Real C : Fit.coefficients()) {
    Result.Coefficients.push_back(
        static_cast<double>((FromTaylor ? 1 / Factorial : 0) + C));
    Factorial *= Result.Coefficients.size();
  }
  Result.FittedError = measureRounded(Result.Coefficients, Bound);
  // The zero polynomial has error 1: rounding the coefficients has left nothing
  // worth returning.
  if (!(Result.FittedError <= 1))
    return std::nullopt;
  // Where the exchange drowns in noise, what it got is as good as any if the
  // rounding of the coefficients dominates.
  if (!IsLevel && !(Fit.largestError() <=
                    std::max(Real(Result.FittedError) / 4, Real(0x1p-53))))
    return std::nullopt;
  return Result;
}

std::optional<ExpPolynomial> polyattn::fitExp(double Bound, unsigned Degree) {
  return fitWithin(Bound, Degree, std::numeric_limits<Real>::infinity());
}

/// No polynomial of the degree has a smaller relative error. With x_i the
/// extrema of the Chebyshev polynomial of one degree more, sum' (-1)^i P(x_i)
/// is 0 for all of them (' halves both ends), so that sum' (-1)^i e^{x_i} is
/// made of errors alone, each at most the largest relative one times e^{x_i}.
static Real leastError(double Bound, unsigned Degree) {
  Real Alternating = 0, Sum = 0;
  for (unsigned I = 0; I <= Degree + 1; ++I) {
    Real Share = I == 0 || I == Degree + 1 ? Real(0.5) : Real(1);
    Real Value = Share * std::exp(Bound * std::cos(Pi * I / (Degree + 1)));
    Alternating += I % 2 ? -Value : Value;
    Sum += Value;
  }
  // What is below this is rounding.
  Real Least = std::fabs(Alternating) / Sum;
  return Least > 0x1p-50L ? Least : 0;
}

/// Tries one degree after the other: on wide intervals some fits drown in
/// noise, so that errors need not fall.
static std::optional<ExpPolynomial> searchDegree(double Bound, double MaxError,
                                                 unsigned LargestDegree) {
  for (unsigned Degree = 1; Degree <= LargestDegree; ++Degree) {
    if (leastError(Bound, Degree) > MaxError)
      continue;
    if (std::optional<ExpPolynomial> Fit = fitWithin(Bound, Degree, MaxError);
        Fit && Fit->FittedError <= MaxError)
      return Fit;
  }
  return std::nullopt;
}

std::optional<ExpPolynomial>
polyattn::fitExpToError(double Bound, double MaxError, unsigned LargestDegree) {
  LargestDegree = std::min(LargestDegree, MaxDegree);
  if (!(MaxError > 0) || !(Bound > 0) || Bound > MaxBound)
    return std::nullopt;
  // A plan, a report and a verifier ask the same, and wide bounds take long.
  using Question = std::tuple<double, double, unsigned>;
  static std::map<Question, std::optional<ExpPolynomial>> Answers;
  static std::mutex Lock;
  Question Asked{Bound, MaxError, LargestDegree};
  {
    std::lock_guard<std::mutex> Guard(Lock);
    if (auto Found = Answers.find(Asked); Found != Answers.end())
      return Found->second;
  }
  std::optional<ExpPolynomial> Answer =
      searchDegree(Bound, MaxError, LargestDegree);
  std::lock_guard<std::mutex> Guard(Lock);
  return Answers.emplace(Asked, std::move(Answer)).first->second;
}

std::optional<MomentPolynomial>
polyattn::fitExpToMoment(double Bound, unsigned Degree, double SecondMoment) {
  if (!(Bound > 0) || Bound > MaxBound || Degree == 0 || Degree > MaxDegree ||
      !(SecondMoment > 0))
    return std::nullopt;
  std::optional<MomentPolynomial> Best;
  Real Least = std::numeric_limits<Real>::infinity();
  auto offer = [&](std::vector<double> C, Real Constant) {
    if (C.empty())
      return;
    // The grid is no proof; what it overlooks the checker adds to the constant.
    Real Quadratic = quadraticFor(C, Bound, Constant) * (1 + 0x1p-20L);
    Real Error = Constant + Quadratic * SecondMoment;
    if (Error < Least) {
      Least = Error;
      Best = {std::move(C), static_cast<double>(Quadratic)};
    }
  };
  offer(fitTangent(Bound, Degree), 0);
  for (double Share : {0.25, 1.0, 4.0, 16.0, 64.0}) {
    const Real Beta = Share / SecondMoment;
    RemezFit Fit(
        Bound, Degree, [](Real X) { return std::exp(X); },
        [=](Real X) { return 1 / (1 + Beta * X * X); }, QuadraticDensity);
    if (!Fit.exchange())
      continue;
    std::vector<double> C;
    for (Real X : Fit.coefficients())
      C.push_back(static_cast<double>(X));
    offer(std::move(C), Fit.largestError());
  }
  return Best;
}
