// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Certification.h"
#include "polyattn/Approximation/Interval.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static ElementKind elementKind(FloatType type) {
  if (type.isF64())
    return ElementKind::F64;
  if (type.isF16())
    return ElementKind::F16;
  return type.isBF16() ? ElementKind::BF16 : ElementKind::F32;
}

/// The shape of the sums that evaluate `op`; nothing if features of this kernel
/// cannot be weighted.
static std::optional<SummationShape>
summationShape(ApproximableOpInterface op, ArrayRef<double> coefficients,
               int64_t maxKeys) {
  int64_t headDim = op.getSizes().headDim;
  if (ShapedType::isDynamic(headDim) || coefficients.empty() ||
      !weightsAreNormal(coefficients.vec(), op.getScale().convertToDouble(),
                        elementKind(op.getElementType())))
    return std::nullopt;
  SummationShape shape;
  shape.MaxKeys = uint64_t(maxKeys);
  shape.HeadDim = unsigned(headDim);
  shape.Degree = unsigned(coefficients.size() - 1);
  shape.KeySets = unsigned(op.getKeyAxes().size());
  return shape;
}

std::optional<ErrorBudget>
polyattn::attn::certify(ApproximableOpInterface op,
                        ArrayRef<double> coefficients, double scoreBound,
                        int64_t maxKeys) {
  auto shape = summationShape(op, coefficients, maxKeys);
  if (!shape)
    return std::nullopt;
  return polyattn::certify(coefficients.vec(), scoreBound, *shape,
                           elementKind(op.getElementType()));
}

std::optional<ErrorBudget>
polyattn::attn::certifyMoments(ApproximableOpInterface op,
                               ArrayRef<double> coefficients, double scoreBound,
                               const MomentClaim &claim, int64_t maxKeys) {
  auto shape = summationShape(op, coefficients, maxKeys);
  if (!shape)
    return std::nullopt;
  return polyattn::certifyMoments(coefficients.vec(), scoreBound, claim, *shape,
                                  elementKind(op.getElementType()));
}

/// maxKeys^sets, or the largest number.
static uint64_t tuplesOf(uint64_t maxKeys, unsigned sets) {
  uint64_t tuples = 1;
  for (unsigned t = 0; t < sets; ++t)
    tuples = llvm::SaturatingMultiply(tuples, maxKeys);
  return tuples;
}

double polyattn::attn::normLimit(ApproximableOpInterface op, unsigned degree,
                                 double scoreBound, int64_t maxKeys) {
  unsigned sets = unsigned(op.getKeyAxes().size());
  double headDim = double(op.getSizes().headDim);
  double scale = std::fabs(op.getScale().convertToDouble());
  // d^{(p - 1) / 2}, but sqrt(d) at least.
  Interval root = sqrtEnclosure(Interval(headDim)), rootDim = root;
  for (unsigned t = 2; t < sets; ++t)
    rootDim = rootDim * root;
  Interval rootDimScale =
      rootDim * Interval(std::max({1.0, scale, scoreBound}));
  return maxNorm(sets * degree, tuplesOf(uint64_t(maxKeys), sets),
                 rootDimScale.Hi, elementKind(op.getElementType()));
}
