// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The error terms of a certificate, every one rounded up. docs/certificates.md
// proves them.
//
// Attention with kernel P is
//   o = sum_j P(s_j) w_j v_j / sum_j P(s_j) w_j,  s_j = sigma q.k_j,  w_j >= 0.
// All errors are absolute errors of an entry of o, relative to max_j |v_j| of
// that entry's column.

#ifndef POLYATTN_APPROXIMATION_CERTIFICATE_H
#define POLYATTN_APPROXIMATION_CERTIFICATE_H

#include <cstdint>
#include <optional>
#include <vector>

namespace polyattn {

/// tau(eps) = 2 (1 - sqrt(1 - eps^2)) / eps: how much normalised weights change
/// in l1 when every weight is off by a factor in [1 - eps, 1 + eps]. It is
/// attained by two-valued perturbations. Rounded up.
///
/// Epsilon >= 1 or NaN gives 2, the diameter of the probability simplex;
/// Epsilon <= 0 gives 0.
double weightChange(double Epsilon);

/// Type of inputs and outputs. Everything between the loads and the store is in
/// f32, and in f64 for F64.
enum class ElementKind { F64, F32, F16, BF16 };

/// How the generated code sums. The lowerings keep to it, and the certificate
/// relies on it: sums over keys run one after another inside a block of
/// KeyBlock keys, then over the blocks, then over partial states (chunks,
/// threads, machines; at most as many as there are blocks); sums over features
/// likewise in blocks of FeatureBlock. Any order in which no term passes
/// through more additions is covered too (vector lanes, trees).
struct SummationShape {
  uint64_t MaxKeys = 0;
  uint64_t KeyBlock = 128;
  uint64_t FeatureBlock = 64;
  unsigned HeadDim = 0;
  unsigned Degree = 0;
  /// Key sets p of tensor attention of order p + 1; ordinary attention has one.
  /// MaxKeys holds for each.
  unsigned KeySets = 1;
};

/// The longest chain of roundings that any term of the expanded numerator or
/// denominator passes through, over both evaluations of the kernel (state and
/// direct). Saturates at UINT64_MAX.
uint64_t roundingChain(const SummationShape &Shape);

/// Upper bound of |computed - exact| / max|v|, where exact is attention with
/// the kernel P itself, for both evaluations of P.
///
/// Bound must bound sigma |q_i|_2 |k_j|_2 (Hoelder norms for tensor attention),
/// hence sigma sum_a |q_ia| |k_ja|; KernelError must bound |P(x) e^{-x} - 1| on
/// [-Bound, Bound]. With
///   K = roundingChain(Shape), gamma = K u / (1 - K u),
///   A = sum_t |c_t| Bound^t / ((1 - KernelError) e^{-Bound})
/// it is 2 gamma A / (1 - gamma A), plus the division and the rounding of the
/// output.
///
/// nullopt when gamma A >= 1/2, KernelError > 7/8 or sum_t |c_t| > 64, when the
/// polynomial does not fit the shape, or on senseless input. Overflow and
/// underflow are excluded by maxNorm.
std::optional<double> roundingError(const std::vector<double> &Coefficients,
                                    double Bound, double KernelError,
                                    const SummationShape &Shape,
                                    ElementKind Kind);

/// What a certificate says.
struct ErrorBudget {
  /// Proved bound of |P(x) e^{-x} - 1| on [-Bound, Bound]; of a moment
  /// certificate, the constant a of |P(x) - e^x| <= a + b x^2.
  double KernelError = 0;
  /// weightChange(KernelError) or momentWeightChange(KernelError, ...).
  double WeightChange = 0;
  /// Of floating-point evaluation, as roundingError says.
  double RoundingError = 0;
  /// Bound of |out - exact softmax attention| / max|v|: the sum of the two
  /// terms above.
  double OutputError = 0;
};

/// Proves the error of a polynomial kernel from its coefficients alone, through
/// the checker. nullopt when nothing useful can be proved. The rewrite and the
/// verifying pass both call this, so they cannot disagree.
std::optional<ErrorBudget> certify(const std::vector<double> &Coefficients,
                                   double Bound, const SummationShape &Shape,
                                   ElementKind Kind);

/// What a moment certificate assumes of every row, s_j being its scores and w_j
/// the key weights, and the quadratic term of its kernel's error.
struct MomentClaim {
  /// sum_j w_j s_j^2 <= SecondMoment sum_j w_j
  double SecondMoment = 0;
  /// sum_j w_j s_j >= -Mean sum_j w_j
  double Mean = 0;
  /// |P(x) - e^x| <= a + Quadratic x^2
  double Quadratic = 0;
};

/// 2 (a + b m_2) e^mean: how much normalised weights change in l1 when e^s is
/// replaced by a nonnegative P. Rounded up, at most 2.
double momentWeightChange(double Constant, const MomentClaim &Claim);

/// certify for rows that keep to the claim. All scores must still be within
/// Bound, and P must be proved nonnegative there.
std::optional<ErrorBudget>
certifyMoments(const std::vector<double> &Coefficients, double Bound,
               const MomentClaim &Claim, const SummationShape &Shape,
               ElementKind Kind);

/// Largest power of two R such that no overflow, and no underflow that matters,
/// can happen while max_i |q_i|_2 <= R and max_j |k_j|_2 <= R; 0 if there is
/// none. The run-time guard compares both norms with it.
///
/// RootDimScale must bound sqrt(d) max(1, sigma, Bound); the default covers d =
/// 64, sigma <= 16, for instance. Also assumed: in every row max_j w_j and
/// max|v| lie in [2^-16, 2^16] (or v = 0), and the feature weights are normal
/// numbers (weightsAreNormal). Flushing subnormals to zero is allowed. For p
/// key sets pass p Degree and MaxKeys^p; the ranges must then hold for every
/// set and for the products over the sets, and for p > 2 RootDimScale must
/// bound d^{(p-1)/2} max(1, sigma, Bound).
double maxNorm(unsigned Degree, uint64_t MaxKeys, double RootDimScale = 128,
               ElementKind Kind = ElementKind::F32);

/// Is every feature weight c_t Scale^t (t choose a) either zero or a normal
/// number of the accumulation type? Judged from the least and the largest
/// multinomial of each degree, so it may say no where all weights just fit.
bool weightsAreNormal(const std::vector<double> &Coefficients, double Scale,
                      ElementKind Kind);

} // namespace polyattn

#endif // POLYATTN_APPROXIMATION_CERTIFICATE_H
