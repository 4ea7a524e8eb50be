// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Scalar ops as functions of doubles, which hold every i1, index and float of
// interest, and whole numbers up to 2^53.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_SCALARFUNCTION_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_SCALARFUNCTION_H

#include "mlir/IR/Operation.h"

#include <functional>

namespace polyattn::attn {

using ScalarFunction = std::function<double(double, double, double)>;

/// Of up to three operands; null for ops that it does not know.
ScalarFunction scalarFunction(mlir::Operation *op);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_SCALARFUNCTION_H
