// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Certification.h"
#include "polyattn/Approximation/Interval.h"

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

double polyattn::attn::normLimit(ApproximableOpInterface op, unsigned degree,
                                 double scoreBound, int64_t maxKeys) {
  double headDim = double(op.getSizes().headDim);
  double scale = std::fabs(op.getScale().convertToDouble());
  Interval rootDimScale = sqrtEnclosure(Interval(headDim)) *
                          Interval(std::max({1.0, scale, scoreBound}));
  return maxNorm(degree, uint64_t(maxKeys), rootDimScale.Hi,
                 elementKind(op.getElementType()));
}
