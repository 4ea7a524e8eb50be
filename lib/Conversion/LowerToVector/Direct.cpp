// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Direct evaluation: scores of a tile of queries, block of keys by block of
// keys (tiled as in FlashAttention, Dao et al. 2022). Weights.cpp makes weights
// of them.

#include "AttentionEmitter.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

AttentionEmitter::AttentionEmitter(Emitter &e, const TargetDescription &target,
                                   ApproximableOpInterface op,
                                   Operands operands)
    : e(e), blocking(target), op(op), operands(operands),
      keySets({{operands.key, operands.value, operands.weights}}),
      kernel(op.getKernel()), mask(op.getKeyAxes()[0].mask),
      productScale(op.getScale().convertToDouble()),
      scale(operands.bias ? 1 : productScale), cores(target.cores) {
  AttentionSizes sizes = op.getSizes();
  headDim = sizes.headDim;
  valueDim = sizes.valueDim;
  chooseWeighting();
  // On the state's tiles vectors do the work.
  matrixUnit =
      usesMatrixUnit(op, target) && op.getEvaluation() != Evaluation::State;
  chooseTiles(target, sizes.numQueries);
  heads = e.dim(operands.query, 0);
  keyHeads = e.dim(operands.key, 0);
  numQueries = e.dim(operands.query, 1);
  numKeys = e.dim(operands.key, 1);
  // Without any head there is nothing to do, but a quotient all the same.
  group = e.div(heads, e.max(keyHeads, e.index(1)));
}

/// Tiles of queries and blocks of keys, where so many rows are the lanes.
void AttentionEmitter::chooseTiles(const TargetDescription &target,
                                   int64_t rows) {
  // Queries, scores and what streams past them share the first cache. A short
  // query does not need a wide tile.
  int64_t l1Third = target.l1Bytes / 3;
  int64_t fitting =
      l1Third / int64_t(sizeof(float)) / std::max<int64_t>(headDim, 64);
  queryTile = roundUp(std::max<int64_t>(fitting, 1), blocking.width());
  if (matrixUnit) {
    // As wide as a block of the unit's tiles.
    blocking.vectors = 2;
    queryTile = blocking.width();
  } else if (!ShapedType::isDynamic(rows)) {
    int64_t needed = roundUp(std::max<int64_t>(rows, 1), e.lanes);
    blocking.vectors = std::min(blocking.vectors, needed / e.lanes);
    queryTile = std::min(queryTile, roundUp(needed, blocking.width()));
  }
  // A block of weights and the values they multiply share that cache, too, but
  // short blocks load and store sums too often. Certificates count on no more
  // keys than keyBlockOfState in a block, and on half of them at least. A
  // square of lanes passes through the scores' place.
  int64_t least = op.getCertificate() ? keyBlockOfState / 2 : 48;
  least = std::max(least, e.lanes);
  int64_t inCache = std::clamp(9 * l1Third / 4 / int64_t(sizeof(float)) /
                                   (queryTile + valueDim),
                               least, keyBlockOfState - 8);
  keyBlock = matrixUnit ? 128 : roundUp(inCache, blocking.rows());
}

/// From here on, code is about this set of keys.
void AttentionEmitter::useSet(const KeySet &set) {
  operands.key = set.key;
  operands.value = set.value;
  operands.weights = set.weights;
  numKeys = e.dim(set.key, 1);
}

/// Late tiles first: under a causal mask they have most to do, and tasks are
/// handed out one by one.
Value AttentionEmitter::lateFirst(Value task, Value tiles) {
  return e.sub(e.sub(tiles, e.index(1)), task);
}

/// Multiply-adds of all heads, for this many queries and keys each.
Value AttentionEmitter::directFlops(Value queries, Value keys) {
  return e.mul(e.mul(heads, queries), e.mul(keys, 2 * (headDim + valueDim)));
}

/// A few queries take code of their own; where only the run knows, both stand.
void AttentionEmitter::emitDirect() {
  // Only tiles know normalizers.
  if (operands.normalizer)
    return emitTiles();
  int64_t known = op.getSizes().numQueries, few = mostFewQueries();
  if (!ShapedType::isDynamic(known))
    return known <= few ? emitFewQueries() : emitTiles();
  scf::IfOp::create(
      e.b, e.loc, e.lessEqual(numQueries, e.index(few)),
      [&](OpBuilder &, Location) {
        emitFewQueries();
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        emitTiles();
        scf::YieldOp::create(e.b, e.loc);
      });
}

void AttentionEmitter::emitTiles() {
  if (matrixUnit)
    return emitDirectOnMatrixUnit();
  // A tile that a step of the mask divides would meet keys that part of it does
  // not see.
  Cuts tiles = tileCuts(tileSteps(mask, {queryTile, queryTile / 2}));
  e.parallel({heads, tiles.count}, directFlops(numQueries, numKeys),
             [&](ValueRange at) {
               Value tile = lateFirst(at[1], tiles.count);
               Value first = cutAt(tiles, tile), end = numQueries;
               auto emit = [&] {
                 Tile t = openTile(at[0], first, end);
                 KeyRange<Value> keys = tileRange(t.first, t.end);
                 addKeys(t, keys.begin, keys.end);
                 closeTile(t);
               };
               if (!tiles.table)
                 return emit();
               end = cutAt(tiles, e.add(tile, 1));
               e.when(e.less(first, end), emit);
             });
}

KeyRange<Value> AttentionEmitter::keyRange(Value query) {
  return mask.emitKeyRange(e.b, e.loc, query, numQueries, numKeys);
}

/// The keys that any query of the tile sees; both ends of a mask never
/// decrease.
KeyRange<Value> AttentionEmitter::tileRange(Value first, Value end) {
  Value last = e.min(e.add(first, queryTile - 1), e.sub(end, e.index(1)));
  return {keyRange(first).begin, keyRange(last).end};
}

/// The keys that each query of the tile sees, as vectors to compare with.
void AttentionEmitter::storeKeyRanges(Tile &t) {
  Type i32 = e.b.getI32Type();
  e.loop(e.index(0), e.index(queryTile), 1, [&](Value i) {
    KeyRange<Value> range = keyRange(e.add(t.first, i));
    auto asInt = [&](Value x) -> Value {
      return arith::IndexCastOp::create(e.b, e.loc, i32, x);
    };
    e.store(asInt(range.begin), t.begins, i);
    e.store(asInt(range.end), t.ends, i);
  });
}

/// Buffers of one tile or, with a leading dimension, of several that take
/// turns.
AttentionEmitter::Tile AttentionEmitter::allocateTile(int64_t inTurn) {
  auto several = [&](int64_t count, ArrayRef<int64_t> shape, Type element) {
    SmallVector<int64_t> whole;
    if (inTurn)
      whole.push_back(count);
    whole.append(shape.begin(), shape.end());
    return e.buffer(whole, element);
  };
  auto lasting = [&](ArrayRef<int64_t> shape, Type element) {
    return several(inTurn, shape, element);
  };
  auto passing = [&](ArrayRef<int64_t> shape, Type element) {
    return several(2, shape, element);
  };
  Type f32 = e.f32(), bf16 = e.b.getBF16Type(), i32 = e.b.getI32Type();
  Tile t;
  t.outputs = lasting({roundUp(valueDim, e.lanes), queryTile}, f32);
  t.sums = lasting({queryTile}, f32);
  // Biases come in squares.
  int64_t rows = operands.bias ? roundUp(keyBlock, e.lanes) : keyBlock;
  t.scores = passing({rows, queryTile}, f32);
  if (matrixUnit) {
    t.queryPairs =
        lasting({roundUp(headDim, 32) / 32, queryTile / 16, 16, 32}, bf16);
    t.weightPairs = passing({keyBlock / 32, queryTile / 16, 16, 32}, bf16);
  } else {
    t.queries = lasting({1 + roundUp(headDim, e.lanes), queryTile}, f32);
  }
  if (!op.getElementType().isF32() && !matrixUnit) {
    t.keyCopy = passing({keyBlock, roundUp(headDim, e.lanes)}, f32);
    t.valueCopy = passing({keyBlock, roundUp(valueDim, e.lanes)}, f32);
  }
  if (weighting == Weighting::RunningExp)
    t.shifts = lasting({queryTile}, f32);
  if (!mask.admitsAll()) {
    t.begins = lasting({queryTile}, i32);
    t.ends = lasting({queryTile}, i32);
  }
  return t;
}

AttentionEmitter::Tile AttentionEmitter::openTile(Value head, Value first,
                                                  Value end) {
  Tile t = allocateTile();
  t.head = head;
  t.keyHead = e.div(head, group);
  t.first = first;
  t.end = end;
  fillTile(t);
  return t;
}

/// Queries packed, nothing summed yet.
void AttentionEmitter::fillTile(Tile &t) {
  if (!mask.admitsAll())
    storeKeyRanges(t);
  e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
    if (t.queries)
      e.vstore(e.splat(1), t.queries, {e.index(0), i});
    e.vstore(e.splat(0), t.sums, i);
    if (t.shifts)
      e.vstore(e.splat(-INFINITY), t.shifts, i);
    e.loop(e.index(0), e.index(roundUp(valueDim, e.lanes)), 1,
           [&](Value c) { e.vstore(e.splat(0), t.outputs, {c, i}); });
  });
  if (matrixUnit)
    packQueryPairs(t);
  else
    packRows(e, operands.query, t.head, t.first, t.end, queryTile, headDim,
             t.queries);
}

void AttentionEmitter::addKeys(Tile &t, Value from, Value to) {
  e.loop(from, to, keyBlock, [&](Value key) {
    addKeyBlock(t, key, e.min(e.index(keyBlock), e.sub(to, key)));
  });
}

void AttentionEmitter::addKeyBlock(Tile &t, Value from, Value count) {
  if (matrixUnit)
    emitTileScores(t, from, count);
  else
    emitScores(t, from, count);
  if (operands.bias)
    addBias(t, from, count);
  if (t.shifts) {
    removeMaskedKeys(t, from, count);
    removePadding(t, from, count);
    raiseShifts(t, count);
  }
  emitWeights(t, from, count);
  if (matrixUnit)
    addTileValues(t, from);
  else
    addValues(t, from, count);
}

/// Narrow inputs are widened once per tile, not once per use.
Value AttentionEmitter::copyBlock(Value source, Value head, Value from,
                                  Value count, Value copy) {
  int64_t columns = cast<MemRefType>(source.getType()).getDimSize(2);
  e.loop(e.index(0), count, 1, [&](Value j) {
    Value row = e.add(from, j);
    int64_t full = columns / e.lanes * e.lanes;
    if (full)
      e.loop(e.index(0), e.index(full), e.lanes, [&](Value c) {
        e.vstore(e.vload(source, {head, row, c}), copy, {j, c});
      });
    if (full < columns)
      e.loop(e.index(full), e.index(columns), 1, [&](Value c) {
        e.store(e.load(source, {head, row, c}), copy, {j, c});
      });
  });
  return copy;
}

void AttentionEmitter::emitScores(Tile &t, Value from, Value count) {
  forProducts(headRows(operands.key, t.keyHead, from, count, t.keyCopy),
              headDim, t.queries, count, [&](Value product, ValueRange at) {
                e.vstore(product, t.scores, at);
              });
}

AttentionEmitter::HeadRows AttentionEmitter::headRows(Value source, Value head,
                                                      Value first, Value count,
                                                      Value copy) {
  if (op.getElementType().isF32())
    return {source, head, first};
  return {copyBlock(source, head, first, count, copy), {}, {}};
}

Emitter::Values AttentionEmitter::placeIn(const HeadRows &rows, Value row,
                                          Value column) {
  if (!rows.head)
    return {row, column};
  return {rows.head, e.add(rows.first, row), column};
}

void AttentionEmitter::forProducts(const HeadRows &rows, int64_t dim,
                                   Value lanes, Value count,
                                   function_ref<void(Value, ValueRange)> body) {
  Value last = e.sub(count, e.index(1));
  int64_t group = blocking.rows();
  e.loop(e.index(0), e.index(queryTile), blocking.width(), [&](Value lane) {
    e.loop(e.index(0), count, group, [&](Value j) {
      // Rows past the last one repeat it; nobody reads what comes of them.
      Values at;
      for (int64_t r = 0; r < group; ++r)
        at.push_back(e.min(e.add(j, r), last));
      Values s = emitProduct(
          e, e.index(dim), group, blocking.vectors,
          [&](Value a, int64_t r) {
            return e.load(rows.memref, placeIn(rows, at[r], a));
          },
          [&](Value a, int64_t v) {
            return e.vload(lanes, {e.add(a, 1), e.add(lane, v * e.lanes)});
          });
      for (int64_t r = 0; r < group; ++r)
        for (int64_t v = 0; v < blocking.vectors; ++v)
          body(s[r * blocking.vectors + v],
               {e.add(j, r), e.add(lane, v * e.lanes)});
    });
  });
}

void AttentionEmitter::addValues(Tile &t, Value from, Value count) {
  addWeighted(headRows(operands.value, t.keyHead, from, count, t.valueCopy),
              valueDim, t.scores, count, t.outputs);
}

void AttentionEmitter::addWeighted(const HeadRows &rows, int64_t dim,
                                   Value weights, Value count, Value into) {
  e.loop(e.index(0), e.index(queryTile), blocking.width(), [&](Value lane) {
    forRowGroups(e, dim, blocking.rows(), [&](Value c, int64_t group) {
      Values sums = emitProduct(
          e, count, group, blocking.vectors,
          [&](Value j, int64_t r) {
            return e.load(rows.memref, placeIn(rows, j, e.add(c, r)));
          },
          [&](Value j, int64_t v) {
            return e.vload(weights, {j, e.add(lane, v * e.lanes)});
          });
      for (int64_t r = 0; r < group; ++r)
        for (int64_t v = 0; v < blocking.vectors; ++v)
          addTo(into, {e.add(c, r), e.add(lane, v * e.lanes)},
                sums[r * blocking.vectors + v]);
    });
  });
}

Value AttentionEmitter::inverseOf(Value sum) {
  return arith::DivFOp::create(e.b, e.loc, e.splat(1), sum);
}

/// No key at all gives 0, not 0 / 0, unless that is asked for. A polynomial
/// whose weights cancel still divides by 0.
Value AttentionEmitter::divideBySum(Value output, Value sum, Value inverse) {
  if (operands.nanRows)
    return e.mulf(output, inverse);
  auto isZero = [&](Value x) {
    return e.compare(arith::CmpFPredicate::OEQ, x, e.splat(0));
  };
  Value nothing =
      arith::AndIOp::create(e.b, e.loc, isZero(sum), isZero(output));
  return e.select(nothing, e.splat(0), e.mulf(output, inverse));
}

/// For exp the logarithm of the sum, which is relative to the row's shift. The
/// last use of the tile's sums of weights is after it.
void AttentionEmitter::storeNormalizer(Tile &t) {
  Value there = e.min(e.index(queryTile), e.sub(t.end, t.first));
  e.loop(e.index(0), there, 1, [&](Value i) {
    Value sum = e.load(t.sums, i);
    if (kernel.isShiftInvariant()) {
      const double ln2 = 1 / log2e;
      Value shift =
          t.shifts
              ? e.load(t.shifts, i)
              : e.scalar(weighting == Weighting::BoundedExp ? boundedShift : 0);
      // Without any key both are -inf.
      sum = e.addf(math::LogOp::create(e.b, e.loc, sum),
                   e.mulf(shift, e.scalar(ln2)));
    }
    e.store(sum, operands.normalizer, {t.head, e.add(t.first, i)});
  });
}

/// Divides and writes the tile's rows to the output.
void AttentionEmitter::closeTile(Tile &t) {
  if (operands.normalizer)
    storeNormalizer(t);
  e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
    Value sum = e.vload(t.sums, i), inverse = inverseOf(sum);
    e.loop(e.index(0), e.index(valueDim), 1, [&](Value c) {
      Value output = e.vload(t.outputs, {c, i});
      e.vstore(divideBySum(output, sum, inverse), t.outputs, {c, i});
    });
  });
  unpackLanes(t, t.outputs, valueDim, operands.output);
}
