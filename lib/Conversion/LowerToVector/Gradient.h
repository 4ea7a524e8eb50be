// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Gradients of one attention, with weights computed again from scores and
// normalizers (as in FlashAttention, Dao et al. 2022). Queries are lanes as in
// AttentionEmitter.h; for a tile of queries and a block of keys
//   scores    S[j][i] = sum_a k[j][a] q[a][i]     weights P[j][i]
//   excesses  X[j][i] = sum_c v[j][c] do[c][i]    dS = R (X - D_i)
//   dq        Q[a][i] += sum_j k[j][a] dS[j][i]
//   dv, dk    V[j][c] += sum_i P[j][i] do[i][c]   K[j][a] += sum_i dS[j][i]
//   q[i][a]
// The first three are products with queries as lanes, the last ones have
// columns as lanes.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_GRADIENT_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_GRADIENT_H

#include "AttentionEmitter.h"

namespace polyattn::attn {

class GradientEmitter : AttentionEmitter {
public:
  /// Memrefs [heads, length, dim], the normalizer [heads, n]. Of the results,
  /// those that are null are not wanted.
  struct Gradients {
    mlir::Value output, normalizer, gradOutput;
    mlir::Value query, key, value;
  };

  /// `op` is the attention; of the operands, `output` is not used.
  GradientEmitter(Emitter &e, const TargetDescription &target,
                  ApproximableOpInterface op, Operands operands,
                  Gradients gradients);

  void emit();

private:
  struct GradTile : Tile {
    /// [1 + e][queryTile] gradients of outputs, transposed; the same and the
    /// queries by rows, [queryTile][..], padded with zeros.
    Value gradLanes, gradRows, queryRows;
    /// [queryTile]: what exponents are relative to, or the inverse of what
    /// weights are divided by; D.
    Value divisors, excess;
    /// [keyBlock][queryTile] dS; for kernels that are not their own derivative,
    /// R before.
    Value slopes;
    /// [..][queryTile] gradients of queries, without scale.
    Value gradQueries;
  };
  /// [shares * keyHeads][m][..]: gradients of keys, without scale, then of
  /// values, both padded. Each share of a head's tiles has its own.
  struct Sums {
    Value memref, shares;
  };

  bool wantsSlopes() const { return gradients.query || gradients.key; }
  int64_t keyColumns() const { return roundUp(headDim, e.lanes); }
  int64_t valueColumns() const { return roundUp(valueDim, e.lanes); }
  Sums openSums(Value tilesOfGroup);
  void emitShare(Sums &sums, Value keyHead, Value share);
  GradTile openGradTile(Value keyHead);
  void fillGradTile(GradTile &t);
  void packByRows(GradTile &t, Value source, int64_t columns, Value target);
  void storeDivisors(GradTile &t);
  void storeExcess(GradTile &t);
  void addBlock(GradTile &t, Value slot, Sums &sums, Value from, Value count);
  void weighBlock(GradTile &t, Value from, Value count, bool masked);
  Value weightOf(Value score, Value divisor, bool derived);
  void storeSlopes(GradTile &t, const HeadRows &values, Value count);
  void addByKeys(GradTile &t, Value slot, Sums &sums, Value from, Value count,
                 Value weights, Value rows, int64_t first, int64_t columns);
  void scaleQueries(GradTile &t);
  void reduce(Sums &sums);
  void reduceRow(Sums &sums, Value keyHead, Value row, int64_t first,
                 int64_t columns, double factor, Value target);

  Gradients gradients;
};

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_GRADIENT_H
