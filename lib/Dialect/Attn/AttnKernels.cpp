// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What each kernel computes.

#include "mlir/IR/Builders.h"
#include "polyattn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace polyattn::attn;

std::optional<ArrayRef<double>> ExpKernelAttr::getPolynomial() const {
  return std::nullopt;
}
bool ExpKernelAttr::isShiftInvariant() const { return true; }
Value ExpKernelAttr::emitWeight(OpBuilder &builder, Location loc,
                                Value score) const {
  return math::ExpOp::create(builder, loc, score);
}
Value ExpKernelAttr::emitDerivative(OpBuilder &builder, Location loc,
                                    Value score) const {
  return emitWeight(builder, loc, score);
}

std::optional<ArrayRef<double>> PolyKernelAttr::getPolynomial() const {
  return getCoefficients().asArrayRef();
}
bool PolyKernelAttr::isShiftInvariant() const { return false; }

/// Horner's rule in the score's own type; vectors use fma.
static Value emitPolynomial(OpBuilder &builder, Location loc, Value score,
                            ArrayRef<double> c) {
  Type type = score.getType();
  auto constant = [&](double c) -> Value {
    FloatAttr scalar = builder.getFloatAttr(getElementTypeOrSelf(type), c);
    if (auto shaped = dyn_cast<ShapedType>(type))
      return arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(shaped, scalar.getValue()));
    return arith::ConstantOp::create(builder, loc, scalar);
  };
  Value sum = constant(c.back());
  for (double coefficient : llvm::reverse(c.drop_back()))
    sum = math::FmaOp::create(builder, loc, sum, score, constant(coefficient));
  return sum;
}

Value PolyKernelAttr::emitWeight(OpBuilder &builder, Location loc,
                                 Value score) const {
  return emitPolynomial(builder, loc, score, getCoefficients().asArrayRef());
}

Value PolyKernelAttr::emitDerivative(OpBuilder &builder, Location loc,
                                     Value score) const {
  SmallVector<double> c;
  for (auto [t, coefficient] :
       llvm::enumerate(getCoefficients().asArrayRef().drop_front()))
    c.push_back((t + 1) * coefficient);
  return emitPolynomial(builder, loc, score, c);
}
