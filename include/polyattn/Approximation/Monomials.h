// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The symmetric feature space: monomials of degree at most g in d variables.
//
// A polynomial of a dot product is itself a dot product of monomials,
//   P(sigma q.k) = sum_{|a| <= g} c_|a| sigma^|a| (|a| choose a) q^a k^a,
// and taking each monomial once, rather than each ordered tuple of factors,
// makes the rank C(d+g, g).

#ifndef POLYATTN_APPROXIMATION_MONOMIALS_H
#define POLYATTN_APPROXIMATION_MONOMIALS_H

#include <cstdint>
#include <vector>

namespace polyattn {

/// C(Dim + Degree, Degree), the number of monomials of degree <= Degree in Dim
/// variables; saturates at UINT64_MAX.
uint64_t monomialCount(uint64_t Dim, unsigned Degree);

/// Monomials of degree <= g in x_1..x_d, as multisets i_1 <= i_2 <= ... <= i_g
/// over {0..d}, where index 0 stands for the constant 1 and i for x_i. Feature
/// f is the f-th of them in lexicographic order, so feature 0 is the
/// constant 1.
class MonomialSpace {
public:
  /// Tables above this many entries are not built (1 GiB); see factors().
  static constexpr uint64_t MaxTableEntries = uint64_t(1) << 28;

  MonomialSpace(unsigned Dim, unsigned Degree);

  uint64_t rank() const { return Rank; }
  unsigned dim() const { return Dim; }
  unsigned degree() const { return Degree; }

  /// rank() x degree() row-major table of factors (0 = the constant one). Empty
  /// if it would exceed MaxTableEntries.
  const std::vector<int32_t> &factors() const { return Factors; }

  /// Weight of each feature, c_|a| Scale^|a| (|a| choose a), so that sum_f
  /// weight_f phi_f(q) phi_f(k) = P(Scale q.k). Missing coefficients count as
  /// zero. Empty if there are more than degree() + 1 of them, or no table.
  ///
  /// A weight is off by at most 3 degree() + 3 roundings in double;
  /// roundingChain counts them.
  std::vector<double> weights(const std::vector<double> &Coefficients,
                              double Scale) const;

private:
  unsigned Dim;
  unsigned Degree;
  uint64_t Rank;
  std::vector<int32_t> Factors;
};

} // namespace polyattn

#endif // POLYATTN_APPROXIMATION_MONOMIALS_H
