// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Index notation on tensors: linalg.generic ops with all arithmetic in one
// float type.

#ifndef POLYATTN_LIB_CONVERSION_TENSORLOOPS_H
#define POLYATTN_LIB_CONVERSION_TENSORLOOPS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <numeric>

namespace polyattn::attn {
using namespace mlir;

using Sizes = SmallVector<OpFoldResult>;
using Dims = SmallVector<unsigned>;

/// A tensor and the loops that index its dimensions.
struct Indexed {
  Value tensor;
  Dims dims;
};

/// The loops 0, 1, ..., count - 1.
inline Dims firstDims(unsigned count) {
  Dims dims(count);
  std::iota(dims.begin(), dims.end(), 0);
  return dims;
}

inline FloatType elementType(Value tensor) {
  return cast<FloatType>(getElementTypeOrSelf(tensor.getType()));
}

/// Writes linalg.generic ops with all arithmetic in `type`, whatever the
/// tensors hold.
struct TensorLoops {
  OpBuilder &b;
  Location loc;
  FloatType type;

  Value real(OpBuilder &b, double value) {
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  }
  Value filled(ArrayRef<OpFoldResult> sizes, double value) {
    Value empty = tensor::EmptyOp::create(b, loc, sizes, type);
    return linalg::FillOp::create(b, loc, real(b, value), empty).getResult(0);
  }
  Value convert(OpBuilder &b, Value value, Type to);

  /// out[out.dims] = body(inputs[their dims]..., out[out.dims]), looping over
  /// all dims; those that do not index `out` are reduced in order.
  using Body = function_ref<Value(OpBuilder &, ValueRange)>;
  Value loops(ArrayRef<Indexed> inputs, Indexed out, Body body);

  /// Repeats entries until the sizes are `target` (null: as it is): entry i is
  /// entry i / (target / size) of `source`. That is one rule for a dimension of
  /// size 1 that is broadcast, for key heads shared by a group of query heads,
  /// and for sizes that are equal but not known to be.
  Value repeat(Value source, Sizes target);

  /// The gradient of `repeat`: the sums of all entries of `source` that an
  /// entry of sizes `target` was repeated to.
  Value sumRepeated(Value source, Sizes target);

  /// The same numbers as another type of the same sizes.
  Value converted(Value source, FloatType to);
};

} // namespace polyattn::attn

#endif // POLYATTN_LIB_CONVERSION_TENSORLOOPS_H
