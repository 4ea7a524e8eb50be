// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Enumeration and weights of the symmetric feature space.

#include "polyattn/Approximation/Monomials.h"

#include <algorithm>
#include <limits>
#include <numeric>

using namespace polyattn;

uint64_t polyattn::monomialCount(uint64_t Dim, unsigned Degree) {
  const uint64_t Saturated = std::numeric_limits<uint64_t>::max();
  // C(n + i, i) = C(n + i - 1, i - 1) (n + i) / i. C(Dim + Degree, Degree) is
  // symmetric, so run over the smaller of the two.
  uint64_t Small = std::min<uint64_t>(Dim, Degree),
           Large = std::max<uint64_t>(Dim, Degree);
  uint64_t Count = 1;
  for (uint64_t I = 1; I <= Small; ++I) {
    if (Large > Saturated - I)
      return Saturated;
    // Dividing by the common factors first makes the quotient exact and an
    // overflow real.
    uint64_t Divisor = I / std::gcd(I, Count);
    uint64_t Reduced = Count / (I / Divisor);
    uint64_t Factor = (Large + I) / Divisor;
    if (Reduced > Saturated / Factor)
      return Saturated;
    Count = Reduced * Factor;
  }
  return Count;
}

/// The next multiset in lexicographic order: raise the last index that can be
/// raised, and let the ones behind it follow.
static bool advance(std::vector<int32_t> &Indices, int32_t Last) {
  size_t Position = Indices.size();
  while (Position > 0 && Indices[Position - 1] == Last)
    --Position;
  if (Position == 0)
    return false;
  int32_t Raised = Indices[Position - 1] + 1;
  std::fill(Indices.begin() + static_cast<std::ptrdiff_t>(Position - 1),
            Indices.end(), Raised);
  return true;
}

MonomialSpace::MonomialSpace(unsigned Dim, unsigned Degree)
    : Dim(Dim), Degree(Degree), Rank(monomialCount(Dim, Degree)) {
  if (Degree == 0 || Rank > MaxTableEntries / Degree || Dim > MaxTableEntries)
    return;
  Factors.reserve(Rank * Degree);
  std::vector<int32_t> Indices(Degree, 0);
  do
    Factors.insert(Factors.end(), Indices.begin(), Indices.end());
  while (advance(Indices, static_cast<int32_t>(Dim)));
}

/// (|a| choose a) for a sorted multiset, zeros not counted: appending the n-th
/// factor, which is the c-th equal one, multiplies it by n / c. Sets Total to
/// |a|.
static double multinomial(const int32_t *Indices, unsigned Degree,
                          unsigned &Total) {
  double Result = 1;
  unsigned Equal = 0;
  Total = 0;
  for (unsigned I = 0; I < Degree; ++I) {
    if (Indices[I] == 0)
      continue;
    Equal = I > 0 && Indices[I] == Indices[I - 1] ? Equal + 1 : 1;
    ++Total;
    // Exact as long as the product fits 53 bits, since the quotient is an
    // integer.
    Result = Result * Total / Equal;
  }
  return Result;
}

std::vector<double>
MonomialSpace::weights(const std::vector<double> &Coefficients,
                       double Scale) const {
  std::vector<double> Weights;
  if (Coefficients.size() > uint64_t(Degree) + 1 ||
      (Degree > 0 && Factors.empty()))
    return Weights;
  // c_t Scale^t
  std::vector<double> Terms(uint64_t(Degree) + 1, 0.0);
  double Power = 1;
  for (size_t T = 0; T < Coefficients.size(); ++T, Power *= Scale)
    Terms[T] = Coefficients[T] * Power;

  Weights.reserve(Rank);
  for (uint64_t F = 0; F < Rank; ++F) {
    unsigned Total;
    double Count = multinomial(Factors.data() + F * Degree, Degree, Total);
    Weights.push_back(Terms[Total] * Count);
  }
  return Weights;
}
