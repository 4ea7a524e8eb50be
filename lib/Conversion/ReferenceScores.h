// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Scores of every query and key, and which of them count: what the references
// of attention and of its run-time check share.

#ifndef POLYATTN_LIB_CONVERSION_REFERENCESCORES_H
#define POLYATTN_LIB_CONVERSION_REFERENCESCORES_H

#include "TensorLoops.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

inline Dims append(Dims dims, ArrayRef<unsigned> more) {
  dims.append(more.begin(), more.end());
  return dims;
}

/// Loops: the batch dimensions, then query, key, and the column of a feature or
/// value.
struct ScoreReference : TensorLoops {
  struct Inputs {
    Value query, key, bias, keyWeights;
    MaskAttrInterface mask;
    double scale;
  };

  ScoreReference(OpBuilder &b, Location loc, FloatType type, Inputs inputs);

  Sizes sizes(ArrayRef<OpFoldResult> trailing) {
    Sizes result(batchSizes);
    result.append(trailing.begin(), trailing.end());
    return result;
  }
  OpFoldResult size(Value tensor, int64_t dimFromEnd) {
    int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
    return tensor::getMixedSize(b, loc, tensor, rank - dimFromEnd);
  }
  /// Keys or values for every query head.
  Value everyHead(Value tensor);
  /// Key weights as an input of loops, if there are any.
  SmallVector<Indexed> weightInput() {
    if (!weights)
      return {};
    return {{weights, append(batch, {key})}};
  }
  /// Does the key take part in the row? The mask must admit it and its weight
  /// must not be 0. (A weight that is NaN takes part and shows.)
  Value admits(OpBuilder &b, Value weight);
  /// scale * q_i . k_j + bias_ij, of every query and key.
  Value scores();
  /// The largest score that takes part in each row, or 0 where there is none
  /// above -inf, so that subtracting it never makes -inf - -inf.
  Value rowMaxima(Value scores);
  /// k(s_ij - shift_i) w_j where the key takes part, else 0. `shifts` may be
  /// null.
  Value kernelWeights(KernelAttrInterface kernel, Value scores, Value shifts);
  Value weightSums(Value kernelWeights);

  Inputs inputs;
  Dims batch;
  unsigned query, key, column;
  /// Sizes of the batch dimensions (with query heads), and the lengths.
  Sizes batchSizes;
  OpFoldResult numQueries, numKeys;
  /// Key weights for every query head, or null.
  Value weights;
};

/// The maxima of rows; 0 where that is -inf, so that subtracting it never makes
/// -inf - -inf.
Value emitFinite(TensorLoops &e, Value maxima);

/// Sums of weighted values by sums of weights, row by row, as `type`. Rows in
/// which nothing takes part become 0, or NaN with `nanRows`.
Value emitQuotients(TensorLoops &e, Value valueSums, Value weightSums,
                    FloatType type, bool nanRows);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_CONVERSION_REFERENCESCORES_H
