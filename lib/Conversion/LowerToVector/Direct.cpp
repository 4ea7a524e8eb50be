// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Direct evaluation: scores of a tile of queries, block of keys by block of
// keys, with a running maximum where the kernel needs one ("online softmax",
// Milakov and Gimelshein 2018; tiled as in FlashAttention, Dao et al. 2022).

#include "AttentionEmitter.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static int64_t roundUp(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

AttentionEmitter::AttentionEmitter(Emitter &e, const TargetDescription &target,
                                   AttentionOp op, Operands operands)
    : e(e), blocking(target), op(op), operands(operands),
      kernel(op.getKernel()), mask(op.getMask()),
      scale(op.getScale().convertToDouble()), cores(target.cores) {
  AttentionSizes sizes = op.getSizes();
  headDim = sizes.headDim;
  valueDim = sizes.valueDim;
  // A short query does not need a wide tile.
  queryTile = roundUp(64, blocking.width());
  if (!ShapedType::isDynamic(sizes.numQueries)) {
    int64_t needed = roundUp(std::max<int64_t>(sizes.numQueries, 1), e.lanes);
    blocking.vectors = std::min(blocking.vectors, needed / e.lanes);
    queryTile = std::min(queryTile, roundUp(needed, blocking.width()));
  }
  keyBlock = roundUp(64, blocking.rows());
  heads = e.dim(operands.query, 0);
  keyHeads = e.dim(operands.key, 0);
  numQueries = e.dim(operands.query, 1);
  numKeys = e.dim(operands.key, 1);
  // Without any head there is nothing to do, but a quotient all the same.
  group = e.div(heads, e.max(keyHeads, e.index(1)));
}

/// Tasks in an order that pairs early with late tiles: under a causal mask a
/// contiguous share of them then holds equal work.
static Value balanced(Emitter &e, Value task, Value tiles) {
  Value half = e.div(task, 2);
  Value odd = e.sub(task, e.mul(half, 2));
  Value fromEnd = e.sub(e.sub(tiles, half), e.index(1));
  return e.select(e.less(e.index(0), odd), fromEnd, half);
}

void AttentionEmitter::emitDirect() {
  Value tiles = e.ceilDiv(numQueries, queryTile);
  e.parallel({heads, tiles}, [&](ValueRange at) {
    Tile t = openTile(at[0], balanced(e, at[1], tiles));
    KeyRange<Value> keys = tileRange(t.first);
    addKeys(t, keys.begin, keys.end);
    closeTile(t);
  });
}

KeyRange<Value> AttentionEmitter::keyRange(Value query) {
  return mask.emitKeyRange(e.b, e.loc, query, numQueries, numKeys);
}

/// The keys that any query of the tile sees; both ends of a mask never
/// decrease.
KeyRange<Value> AttentionEmitter::tileRange(Value first) {
  Value last = e.min(e.add(first, queryTile - 1), e.sub(numQueries, e.index(1)));
  return {keyRange(first).begin, keyRange(last).end};
}

AttentionEmitter::Tile AttentionEmitter::openTile(Value head, Value tileIndex) {
  Tile t;
  t.head = head;
  t.keyHead = e.div(head, group);
  t.first = e.mul(tileIndex, queryTile);
  t.queries = e.buffer({1 + roundUp(headDim, e.lanes), queryTile});
  t.outputs = e.buffer({roundUp(valueDim, e.lanes), queryTile});
  t.sums = e.buffer({queryTile});
  t.scores = e.buffer({keyBlock, queryTile});
  Type element = op.getElementType();
  if (!element.isF32()) {
    t.keyCopy = e.buffer({keyBlock, roundUp(headDim, e.lanes)});
    t.valueCopy = e.buffer({keyBlock, roundUp(valueDim, e.lanes)});
  }
  if (kernel.isShiftInvariant())
    t.maxima = e.buffer({queryTile});
  if (!mask.admitsAll()) {
    t.begins = e.buffer({queryTile}, e.b.getI32Type());
    t.ends = e.buffer({queryTile}, e.b.getI32Type());
    e.loop(e.index(0), e.index(queryTile), 1, [&](Value i) {
      KeyRange<Value> range = keyRange(e.add(t.first, i));
      auto asInt = [&](Value x) -> Value {
        return arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), x);
      };
      e.store(asInt(range.begin), t.begins, i);
      e.store(asInt(range.end), t.ends, i);
    });
  }
  e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
    e.vstore(e.splat(1), t.queries, {e.index(0), i});
    e.vstore(e.splat(0), t.sums, i);
    if (t.maxima)
      e.vstore(e.splat(-INFINITY), t.maxima, i);
    e.loop(e.index(0), e.index(valueDim), 1, [&](Value c) {
      e.vstore(e.splat(0), t.outputs, {c, i});
    });
  });
  packRows(operands.query, head, t.first, numQueries, queryTile, headDim,
           t.queries);
  return t;
}

void AttentionEmitter::addKeys(Tile &t, Value from, Value to) {
  e.loop(from, to, keyBlock, [&](Value key) {
    addKeyBlock(t, key, e.min(e.index(keyBlock), e.sub(to, key)));
  });
}

void AttentionEmitter::addKeyBlock(Tile &t, Value from, Value count) {
  emitScores(t, from, count);
  // A key that does not count gets weight 0: e^-inf, or 0 put after the
  // polynomial, which has no argument that surely yields 0.
  bool isExp = kernel.isShiftInvariant();
  if (!isExp)
    emitKernel(t, count);
  Value absent = e.splat(isExp ? -INFINITY : 0);
  if (!mask.admitsAll())
    emitMask(t, from, count, absent);
  if (operands.weights)
    emitPadding(t, from, count, absent);
  if (isExp)
    emitMaxima(t, count);
  emitWeights(t, from, count);
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
  if (t.keyCopy)
    copyBlock(operands.key, t.keyHead, from, count, t.keyCopy);
  Value last = e.sub(count, e.index(1));
  int64_t rows = blocking.rows();
  bool negate = kernel.isShiftInvariant() && scale < 0;
  e.loop(e.index(0), e.index(queryTile), blocking.width(), [&](Value lane) {
    e.loop(e.index(0), count, rows, [&](Value j) {
      // Rows past the last key repeat it; nobody reads their scores.
      Values keys;
      for (int64_t r = 0; r < rows; ++r) {
        Value row = e.min(e.add(j, r), last);
        keys.push_back(t.keyCopy ? row : e.add(from, row));
      }
      Values s = emitProduct(
          e, e.index(headDim), rows, blocking.vectors,
          [&](Value a, int64_t r) {
            return t.keyCopy ? e.load(t.keyCopy, {keys[r], a})
                             : e.load(operands.key, {t.keyHead, keys[r], a});
          },
          [&](Value a, int64_t v) {
            return e.vload(t.queries,
                           {e.add(a, 1), e.add(lane, v * e.lanes)});
          });
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < blocking.vectors; ++v)
          e.vstore(negate ? Value(arith::NegFOp::create(
                                e.b, e.loc, s[r * blocking.vectors + v]))
                          : s[r * blocking.vectors + v],
                   t.scores, {e.add(j, r), e.add(lane, v * e.lanes)});
    });
  });
}

void AttentionEmitter::emitMask(Tile &t, Value from, Value count,
                                Value absent) {
  // Seen whole by every query of the tile? The first query's end is the least.
  Value lastQuery =
      e.min(e.add(t.first, queryTile - 1), e.sub(numQueries, e.index(1)));
  Value whole = arith::AndIOp::create(
      e.b, e.loc, e.lessEqual(keyRange(lastQuery).begin, from),
      e.lessEqual(e.add(from, count), keyRange(t.first).end));
  Value partly = arith::XOrIOp::create(
      e.b, e.loc, whole, arith::ConstantIntOp::create(e.b, e.loc, 1, 1));
  Type i32 = e.b.getI32Type();
  e.when(partly, [&] {
    e.loop(e.index(0), count, 1, [&](Value j) {
      Value key = arith::IndexCastOp::create(e.b, e.loc, i32, e.add(from, j));
      key = e.broadcast(key);
      e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
        auto vectorOf = [&](Value buffer) -> Value {
          return vector::LoadOp::create(e.b, e.loc, e.vectorType(i32), buffer,
                                        i);
        };
        auto compare = [&](Value l, Value r) -> Value {
          return arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sle, l,
                                       r);
        };
        Value begun = compare(vectorOf(t.begins), key);
        Value ended = compare(vectorOf(t.ends), key);
        Value s = e.vload(t.scores, {j, i});
        s = e.select(ended, absent, e.select(begun, s, absent));
        e.vstore(s, t.scores, {j, i});
      });
    });
  });
}

Value AttentionEmitter::keyWeight(Value keyHead, Value key) {
  return e.load(operands.weights, {keyHead, key});
}

/// A key of weight 0 is not admitted, whatever its score.
void AttentionEmitter::emitPadding(Tile &t, Value from, Value count,
                                   Value absent) {
  e.loop(e.index(0), count, 1, [&](Value j) {
    Value weight = keyWeight(t.keyHead, e.add(from, j));
    Value padding =
        e.compare(arith::CmpFPredicate::OEQ, weight, e.scalar(0));
    e.when(padding, [&] {
      e.loop(e.index(0), e.index(queryTile), e.lanes,
             [&](Value i) { e.vstore(absent, t.scores, {j, i}); });
    });
  });
}

void AttentionEmitter::emitKernel(Tile &t, Value count) {
  e.loop(e.index(0), count, 1, [&](Value j) {
    e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
      Value score = e.mulf(e.vload(t.scores, {j, i}), e.splat(scale));
      e.vstore(kernel.emitWeight(e.b, e.loc, score), t.scores, {j, i});
    });
  });
}

/// Calls `body` for each strip of lanes that registers hold at once, with the
/// position of each of its vectors.
static void forStrips(Emitter &e, const Blocking &blocking, int64_t tile,
                      function_ref<void(ArrayRef<Value>)> body) {
  e.loop(e.index(0), e.index(tile), blocking.width(), [&](Value lane) {
    Emitter::Values at;
    for (int64_t v = 0; v < blocking.vectors; ++v)
      at.push_back(e.add(lane, v * e.lanes));
    body(at);
  });
}

/// The scale is applied to differences of scores, so that its rounding hurts
/// only in proportion to them; under a negative scale scores are negated first.
double AttentionEmitter::exponentScale() const {
  return std::abs(scale) * 1.4426950408889634; // log2(e)
}

/// Raises the running maxima to those of this block; where one rises, what was
/// summed relative to the old one shrinks.
void AttentionEmitter::emitMaxima(Tile &t, Value count) {
  forStrips(e, blocking, queryTile, [&](ArrayRef<Value> at) {
    Values old;
    for (Value i : at)
      old.push_back(e.vload(t.maxima, i));
    Values raised =
        e.loop(e.index(0), count, 1, old, [&](Value j, ValueRange carried) {
          Values next;
          for (auto [v, i] : llvm::enumerate(at))
            next.push_back(
                e.maxOrSecond(e.vload(t.scores, {j, i}), carried[v]));
          return next;
        });
    Value anyRise;
    for (auto [v, i] : llvm::enumerate(at)) {
      Value rises =
          e.compare(arith::CmpFPredicate::OGT, raised[v], old[v]);
      anyRise = anyRise ? arith::OrIOp::create(e.b, e.loc, anyRise, rises)
                        : rises;
    }
    anyRise = vector::ReductionOp::create(e.b, e.loc,
                                          vector::CombiningKind::OR, anyRise);
    e.when(anyRise, [&] {
      for (size_t v = 0; v < at.size(); ++v) {
        Value i = at[v];
        Value factor = emitExp2(
            e, e.mulf(e.subf(old[v], raised[v]), e.splat(exponentScale())));
        // No key before: nothing to shrink, and no -inf - -inf.
        Value fresh = e.compare(arith::CmpFPredicate::OEQ, old[v],
                                e.splat(-INFINITY));
        factor = e.select(fresh, e.splat(0), factor);
        e.vstore(raised[v], t.maxima, i);
        e.vstore(e.mulf(e.vload(t.sums, i), factor), t.sums, i);
        e.loop(e.index(0), e.index(valueDim), 1, [&](Value c) {
          Value o = e.mulf(e.vload(t.outputs, {c, i}), factor);
          e.vstore(o, t.outputs, {c, i});
        });
      }
    });
  });
}

/// Scores to weights (for exp), key weights, and the sums of all weights.
void AttentionEmitter::emitWeights(Tile &t, Value from, Value count) {
  forStrips(e, blocking, queryTile, [&](ArrayRef<Value> at) {
    Values sums, maxima;
    for (Value i : at) {
      sums.push_back(e.splat(0));
      if (!t.maxima)
        continue;
      // A row without any key yet has maximum -inf; its weights shall be 0.
      Value m = e.vload(t.maxima, i);
      Value none =
          e.compare(arith::CmpFPredicate::OEQ, m, e.splat(-INFINITY));
      maxima.push_back(e.select(none, e.splat(0), m));
    }
    sums = e.loop(e.index(0), count, 1, sums, [&](Value j, ValueRange carried) {
      Values next;
      Value weight;
      if (operands.weights)
        weight = e.broadcast(keyWeight(t.keyHead, e.add(from, j)));
      for (auto [v, i] : llvm::enumerate(at)) {
        Value p = e.vload(t.scores, {j, i});
        if (t.maxima)
          p = emitExp2(
              e, e.mulf(e.subf(p, maxima[v]), e.splat(exponentScale())));
        if (weight)
          p = e.mulf(p, weight);
        if (t.maxima || weight)
          e.vstore(p, t.scores, {j, i});
        next.push_back(e.addf(carried[v], p));
      }
      return next;
    });
    for (auto [v, i] : llvm::enumerate(at))
      e.vstore(e.addf(e.vload(t.sums, i), sums[v]), t.sums, i);
  });
}

void AttentionEmitter::addValues(Tile &t, Value from, Value count) {
  if (t.valueCopy)
    copyBlock(operands.value, t.keyHead, from, count, t.valueCopy);
  e.loop(e.index(0), e.index(queryTile), blocking.width(), [&](Value lane) {
    forRowGroups(e, valueDim, blocking.rows(), [&](Value c, int64_t rows) {
      Values sums = emitProduct(
          e, count, rows, blocking.vectors,
          [&](Value j, int64_t r) {
            Value column = e.add(c, r);
            return t.valueCopy
                       ? e.load(t.valueCopy, {j, column})
                       : e.load(operands.value,
                                {t.keyHead, e.add(from, j), column});
          },
          [&](Value j, int64_t v) {
            return e.vload(t.scores, {j, e.add(lane, v * e.lanes)});
          });
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < blocking.vectors; ++v) {
          SmallVector<Value> at = {e.add(c, r), e.add(lane, v * e.lanes)};
          Value old = e.vload(t.outputs, at);
          e.vstore(e.addf(old, sums[r * blocking.vectors + v]), t.outputs, at);
        }
    });
  });
}

/// Divides and writes the tile's rows to the output.
void AttentionEmitter::closeTile(Tile &t) {
  e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
    Value sum = e.vload(t.sums, i);
    Value inverse = arith::DivFOp::create(e.b, e.loc, e.splat(1), sum);
    // No key at all: 0, not 0 / 0. A polynomial whose weights cancel still
    // divides by 0.
    auto isZero = [&](Value x) {
      return e.compare(arith::CmpFPredicate::OEQ, x, e.splat(0));
    };
    Value empty = isZero(sum);
    e.loop(e.index(0), e.index(valueDim), 1, [&](Value c) {
      Value o = e.vload(t.outputs, {c, i});
      Value nothing = arith::AndIOp::create(e.b, e.loc, empty, isZero(o));
      o = e.select(nothing, e.splat(0), e.mulf(o, inverse));
      e.vstore(o, t.outputs, {c, i});
    });
  });
  unpackTile(t);
}
