// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The two sums of the state evaluation: keys and values into a state (update),
// a state to a tile of queries (apply). Features exist only as a small block in
// cache, just before their use.

#include "AttentionEmitter.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Vectors side by side when lanes run over value columns.
int64_t AttentionEmitter::blockingFor(int64_t columns) const {
  int64_t most = blocking.registers >= 32 ? 4 : 2;
  return std::min(most, columns / blocking.lanes);
}

//===----------------------------------------------------------------------===//
// Update: keys and values into a state
//===----------------------------------------------------------------------===//

/// The rows of a packed tile that feature `feature` multiplies.
Emitter::Values AttentionEmitter::factorRows(Features &f, Value feature) {
  Values rows;
  for (int64_t t = 0; t < f.degree; ++t) {
    Value row = memref::LoadOp::create(e.b, e.loc, f.factors,
                                       ValueRange{feature, e.index(t)});
    rows.push_back(
        arith::IndexCastUIOp::create(e.b, e.loc, e.b.getIndexType(), row));
  }
  return rows;
}

/// A vector of one feature: the product of those rows at `lane`.
Value AttentionEmitter::emitFeature(Value tile, ValueRange rows, Value lane) {
  Value product;
  for (Value row : rows) {
    Value x = e.vload(tile, {row, lane});
    product = product ? e.mulf(product, x) : x;
  }
  return product;
}

void AttentionEmitter::addTo(Value memory, ValueRange at, Value x) {
  e.vstore(e.addf(e.vload(memory, at), x), memory, at);
}

void AttentionEmitter::clearState(Features &f, Value slot) {
  e.loop(e.index(0), e.index(f.table), e.lanes, [&](Value feature) {
    e.vstore(e.splat(0), f.denominators, {slot, feature});
  });
  e.loop(e.index(0), e.index(f.padded), 1, [&](Value feature) {
    e.loop(e.index(0), e.index(f.columns), e.lanes, [&](Value c) {
      e.vstore(e.splat(0), f.states, {slot, feature, c});
    });
  });
}

/// states[slot] = sum of the features of keys [from, to) times their values.
void AttentionEmitter::emitUpdate(Features &f, Value keyHead, Value slot,
                                  Value from, Value to) {
  clearState(f, slot);
  addToState(f, keyHead, slot, from, to);
}

/// states[slot] += the same. Code for few keys does no more than they need;
/// other code works on whole blocks.
void AttentionEmitter::addToState(Features &f, Value keyHead, Value slot,
                                  Value from, Value to, bool few) {
  // Keys of weight 0 may hold NaN and are taken out of copies.
  if (isLinear(f) && !operands.weights)
    return addLinearKeys(f, keyHead, slot, from, to);
  const int64_t block = keyBlockOfState;
  UpdateBuffers buffers;
  int64_t rows = blocking.rowsFor(blockingFor(f.columns));
  buffers.keys = e.buffer({1 + roundUp(headDim, e.lanes), block});
  buffers.values = e.buffer({block, f.columns});
  buffers.weights = e.buffer({block});
  buffers.features = e.buffer({rows, block});
  e.loop(e.index(0), e.index(block), e.lanes,
         [&](Value j) { e.vstore(e.splat(1), buffers.keys, {e.index(0), j}); });
  e.loop(from, to, block, [&](Value key) {
    Value count = e.min(e.index(block), e.sub(to, key));
    Value padded = few ? e.roundUp(count, e.lanes) : e.index(block);
    packRows(e, operands.key, keyHead, key, numKeys, padded, headDim,
             buffers.keys);
    packValues(f, buffers, keyHead, key, count, padded);
    e.loop(e.index(0), e.index(f.padded), rows, [&](Value feature) {
      emitUpdateRows(f, buffers, slot, feature, rows, padded);
    });
  });
}

/// Weighted values and weights of `count` keys; zeros for the rest of the
/// `padded` ones.
void AttentionEmitter::packValues(Features &f, UpdateBuffers &buffers,
                                  Value keyHead, Value key, Value count,
                                  Value padded) {
  // A weight of 0 does not undo NaN: keys that take no part become 0.
  auto clearKey = [&](Value j) {
    e.loop(e.index(1), e.index(1 + headDim), 1,
           [&](Value a) { e.store(e.scalar(0), buffers.keys, {a, j}); });
  };
  e.loop(e.index(0), count, 1, [&](Value j) {
    Value row = e.add(key, j);
    Value weight = operands.weights ? keyWeight(keyHead, row) : e.scalar(1);
    e.store(weight, buffers.weights, j);
    if (operands.weights)
      e.when(e.compare(arith::CmpFPredicate::OEQ, weight, e.scalar(0)),
             [&] { clearKey(j); });
    forColumns(e, valueDim, [&](Value c, int64_t lanes) {
      Value v = loadPart(e, operands.value, {keyHead, row, c}, lanes);
      if (operands.weights) {
        // Padding is left out, whatever it holds.
        Value padding =
            e.compare(arith::CmpFPredicate::OEQ, weight, e.scalar(0));
        v = e.select(padding, e.splat(0), e.mulf(v, e.broadcast(weight)));
      }
      e.vstore(v, buffers.values, {j, c});
    });
  });
  e.loop(count, padded, 1, [&](Value j) {
    e.store(e.scalar(0), buffers.weights, j);
    clearKey(j);
    e.loop(e.index(0), e.index(f.columns), e.lanes,
           [&](Value c) { e.vstore(e.splat(0), buffers.values, {j, c}); });
  });
}

void AttentionEmitter::emitUpdateRows(Features &f, UpdateBuffers &buffers,
                                      Value slot, Value feature, int64_t rows,
                                      Value keys) {
  SmallVector<Values> factors;
  for (int64_t r = 0; r < rows; ++r)
    factors.push_back(factorRows(f, e.add(feature, r)));
  Values sums(rows, e.splat(0));
  sums =
      e.loop(e.index(0), keys, e.lanes, sums, [&](Value j, ValueRange carried) {
        Values next;
        Value weight = e.vload(buffers.weights, j);
        for (int64_t r = 0; r < rows; ++r) {
          Value phi = emitFeature(buffers.keys, factors[r], j);
          e.vstore(phi, buffers.features, {e.index(r), j});
          next.push_back(e.fma(phi, weight, carried[r]));
        }
        return next;
      });
  for (int64_t r = 0; r < rows; ++r) {
    Value total =
        vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD,
                                    sums[r], arith::FastMathFlags::reassoc);
    SmallVector<Value> at = {slot, e.add(feature, r)};
    e.store(e.addf(e.load(f.denominators, at), total), f.denominators, at);
  }
  forColumnGroups(f.columns, [&](Value column, int64_t vectors) {
    Values sums = emitProduct(
        e, keys, rows, vectors,
        [&](Value j, int64_t r) {
          return e.load(buffers.features, {e.index(r), j});
        },
        [&](Value j, int64_t v) {
          return e.vload(buffers.values, {j, e.add(column, v * e.lanes)});
        });
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> at = {slot, e.add(feature, r),
                                 e.add(column, v * e.lanes)};
        addTo(f.states, at, sums[r * vectors + v]);
      }
  });
}

void AttentionEmitter::forColumnGroups(
    int64_t columns, function_ref<void(Value, int64_t)> body) {
  int64_t vectors = blockingFor(columns), width = vectors * e.lanes;
  int64_t full = columns / width * width;
  e.loop(e.index(0), e.index(full), width, [&](Value c) { body(c, vectors); });
  if (full < columns)
    body(e.index(full), (columns - full) / e.lanes);
}

//===----------------------------------------------------------------------===//
// Apply: a state to a tile of queries
//===----------------------------------------------------------------------===//

void AttentionEmitter::emitApply(Features &f, Tile &t, Value slot, Value phi) {
  Value block = e.index(featureBlockOfState);
  e.loop(e.index(0), e.index(f.padded), featureBlockOfState, [&](Value first) {
    Value count = e.min(block, e.sub(e.index(f.padded), first));
    e.loop(e.index(0), count, 1, [&](Value r) {
      Values rows = factorRows(f, e.add(first, r));
      for (int64_t i = 0; i < queryTile; i += e.lanes)
        e.vstore(emitFeature(t.queries, rows, e.index(i)), phi,
                 {r, e.index(i)});
    });
    e.loop(e.index(0), e.index(queryTile), blocking.width(), [&](Value lane) {
      emitApplyBlock(f, t, slot, phi, first, count, lane);
    });
  });
}

/// Rows of the product are the value columns and, after the last of them, the
/// denominator: one more row instead of a pass of its own.
void AttentionEmitter::emitApplyBlock(Features &f, Tile &t, Value slot,
                                      Value phi, Value first, Value count,
                                      Value lane) {
  auto product = [&](Value column, int64_t columns, bool denominator) {
    Values sums = emitProduct(
        e, count, columns + denominator, blocking.vectors,
        [&](Value k, int64_t r) {
          Value feature = e.add(first, k);
          return r == columns
                     ? e.load(f.denominators, {slot, feature})
                     : e.load(f.states, {slot, feature, e.add(column, r)});
        },
        [&](Value k, int64_t v) {
          return e.vload(phi, {k, e.add(lane, v * e.lanes)});
        });
    for (int64_t r = 0; r < columns + denominator; ++r)
      for (int64_t v = 0; v < blocking.vectors; ++v) {
        Value i = e.add(lane, v * e.lanes);
        Values at = r == columns ? Values{i} : Values{e.add(column, r), i};
        Value memory = r == columns ? t.sums : t.outputs;
        Value sum = sums[r * blocking.vectors + v];
        addTo(memory, at, sum);
      }
  };
  int64_t rows = blocking.rows(), full = valueDim / rows * rows;
  if (full)
    e.loop(e.index(0), e.index(full), rows,
           [&](Value column) { product(column, rows, false); });
  product(e.index(full), valueDim - full, true);
}
