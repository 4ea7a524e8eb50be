// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// An additive bias. It lies in memory by queries, while tiles have lanes of
// queries: it is transposed square by square on its way to the scores.

#include "AttentionEmitter.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

using Values = Emitter::Values;

/// Finite scores are kept within this: masks that are biases use the most
/// negative number, and times log2(e) that would be -inf, which means no key at
/// all. The same goes for the largest number.
static constexpr double largestScore = 2e38;

/// Where the bias of this query begins: all indices but that of the key. A size
/// is the whole one or 1, if only at run time, and then 0 is the only index.
Emitter::Values AttentionEmitter::biasRow(Value head, Value query) {
  auto within = [&](Value at, int64_t dim) {
    return e.min(at, e.sub(e.dim(operands.bias, dim), e.index(1)));
  };
  int64_t batch = int64_t(operands.batch.size());
  Values row(batch);
  for (int64_t i = batch; i-- > 0;) {
    Value size = operands.batch[i];
    row[i] = within(i ? e.rem(head, size) : head, i);
    head = e.div(head, e.max(size, e.index(1)));
  }
  row.push_back(within(query, batch));
  return row;
}

/// The bias of the keys from `key` on; only the first `lanes` ones are there.
Value AttentionEmitter::loadBias(Values row, Value key, Value lanes) {
  auto type = cast<MemRefType>(operands.bias.getType());
  int64_t dim = type.getRank() - 1;
  Values first = row;
  first.push_back(e.index(0));
  auto repeated = [&] { return e.broadcast(e.load(operands.bias, first)); };
  if (type.getDimSize(dim) == 1)
    return repeated();
  row.push_back(key);
  if (!type.isDynamicDim(dim))
    return loadLanes(row, lanes);
  // Of a size that turns out to be 1 no lane is there.
  Value size = e.dim(operands.bias, dim);
  Value isOne = e.lessEqual(size, e.index(1));
  Value there = e.select(isOne, e.index(0), lanes);
  return e.select(isOne, repeated(), loadLanes(row, there));
}

Value AttentionEmitter::loadLanes(ValueRange at, Value lanes) {
  VectorType type = e.vectorType(op.getElementType());
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  Value there = vector::CreateMaskOp::create(
      e.b, e.loc, e.vectorType(e.b.getI1Type()), lanes);
  return e.widen(vector::MaskedLoadOp::create(e.b, e.loc, type, operands.bias,
                                              at, there, zero));
}

Value AttentionEmitter::withBias(Value score, Value bias) {
  Value sum = e.fma(score, e.splat(productScale), bias);
  if (!kernel.isShiftInvariant())
    return sum;
  Value size = math::AbsFOp::create(e.b, e.loc, sum);
  Value isInfinite =
      e.compare(arith::CmpFPredicate::OEQ, size, e.splat(INFINITY));
  Value within = e.minOrSecond(e.splat(largestScore),
                               e.maxOrSecond(e.splat(-largestScore), sum));
  return e.select(isInfinite, sum, within);
}

void AttentionEmitter::addBias(Tile &t, Value from, Value count) {
  Value last = e.sub(numQueries, e.index(1));
  e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
    e.loop(e.index(0), count, e.lanes, [&](Value j) {
      Values square;
      for (int64_t r = 0; r < e.lanes; ++r) {
        Value query = e.min(e.add(t.first, e.add(i, r)), last);
        square.push_back(
            loadBias(biasRow(t.head, query), e.add(from, j), e.sub(count, j)));
      }
      square = emitTranspose(e, square);
      // Rows past the last key are in the buffer, and nobody reads them.
      for (int64_t k = 0; k < e.lanes; ++k) {
        Values at = {e.add(j, k), i};
        e.vstore(withBias(e.vload(t.scores, at), square[k]), t.scores, at);
      }
    });
  });
}
