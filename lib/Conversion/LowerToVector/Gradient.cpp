// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Gradient.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

GradientEmitter::GradientEmitter(Emitter &e, const TargetDescription &target,
                                 ApproximableOpInterface op, Operands operands,
                                 Gradients gradients)
    : AttentionEmitter(e, target, op, operands), gradients(gradients) {
  // Weights come from normalizers, on vectors.
  weighting = Weighting::Plain;
  matrixUnit = false;
  blocking = Blocking(target);
  chooseTiles(target, op.getSizes().numQueries);
}

//===----------------------------------------------------------------------===//
// Shares of the work
//===----------------------------------------------------------------------===//

/// The tiles of all query heads that share a key head are dealt out to as many
/// shares as it takes for all heads together to occupy all cores evenly. What
/// they add up for keys and values is summed in the end, always in one order.
void GradientEmitter::emit() {
  Value tiles = e.mul(e.ceilDiv(numQueries, queryTile), group);
  Sums sums = openSums(tiles);
  Value flops = e.mul(directFlops(numQueries, numKeys), 3);
  e.parallel({keyHeads, sums.shares}, flops,
             [&](ValueRange at) { emitShare(sums, at[0], at[1]); });
  reduce(sums);
}

GradientEmitter::Sums GradientEmitter::openSums(Value tilesOfGroup) {
  // cores / gcd(cores, keyHeads): heads that divide evenly need no more than
  // one share.
  Value shares = e.index(cores);
  for (int64_t divisor = cores; divisor > 1; --divisor)
    if (cores % divisor == 0) {
      Value fits =
          arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq,
                                e.rem(keyHeads, e.index(divisor)), e.index(0));
      shares = e.min(shares,
                     e.select(fits, e.index(cores / divisor), e.index(cores)));
    }
  shares = e.max(e.min(shares, tilesOfGroup), e.index(1));
  int64_t width = keyColumns() + valueColumns();
  auto type = MemRefType::get(
      {ShapedType::kDynamic, ShapedType::kDynamic, width}, e.f32());
  Value memref = memref::AllocOp::create(
      e.b, e.loc, type, ValueRange{e.mul(shares, keyHeads), numKeys},
      e.b.getI64IntegerAttr(cacheLineBytes));
  return {memref, shares};
}

void GradientEmitter::emitShare(Sums &sums, Value keyHead, Value share) {
  Value slot = e.add(e.mul(keyHead, sums.shares), share);
  int64_t width = keyColumns() + valueColumns();
  e.loop(e.index(0), numKeys, 1, [&](Value j) {
    e.loop(e.index(0), e.index(width), e.lanes,
           [&](Value c) { e.vstore(e.splat(0), sums.memref, {slot, j, c}); });
  });
  GradTile t = openGradTile(keyHead);
  Value tiles = e.ceilDiv(numQueries, queryTile);
  Value all = e.mul(tiles, group);
  // Late tiles have most to do under a causal mask: dealt out one by one.
  Value rounds = e.ceilDiv(e.sub(all, share), sums.shares);
  e.loop(e.index(0), rounds, 1, [&](Value round) {
    Value tile = e.add(e.mul(round, sums.shares), share);
    t.head = e.add(e.mul(keyHead, group), e.div(tile, tiles));
    t.first = e.mul(e.rem(tile, tiles), queryTile);
    fillGradTile(t);
    KeyRange<Value> keys = tileRange(t.first, t.end);
    e.loop(keys.begin, keys.end, keyBlock, [&](Value from) {
      addBlock(t, slot, sums, from,
               e.min(e.index(keyBlock), e.sub(keys.end, from)));
    });
    if (gradients.query) {
      scaleQueries(t);
      unpackLanes(t, t.gradQueries, headDim, gradients.query);
    }
  });
}

//===----------------------------------------------------------------------===//
// A tile of queries
//===----------------------------------------------------------------------===//

GradientEmitter::GradTile GradientEmitter::openGradTile(Value keyHead) {
  GradTile t;
  static_cast<Tile &>(t) = allocateTile();
  t.keyHead = keyHead;
  t.end = numQueries;
  t.gradLanes = e.buffer({1 + valueColumns(), queryTile});
  t.gradRows = e.buffer({queryTile, valueColumns()});
  t.divisors = e.buffer({queryTile});
  if (!wantsSlopes())
    return t;
  t.slopes = e.buffer({keyBlock, queryTile});
  t.queryRows = e.buffer({queryTile, keyColumns()});
  t.excess = e.buffer({queryTile});
  t.gradQueries = e.buffer({keyColumns(), queryTile});
  return t;
}

void GradientEmitter::fillGradTile(GradTile &t) {
  if (!mask.admitsAll())
    storeKeyRanges(t);
  packRows(e, operands.query, t.head, t.first, t.end, queryTile, headDim,
           t.queries);
  packByRows(t, gradients.gradOutput, valueDim, t.gradRows);
  storeDivisors(t);
  if (!wantsSlopes())
    return;
  packRows(e, gradients.gradOutput, t.head, t.first, t.end, queryTile, valueDim,
           t.gradLanes);
  packByRows(t, operands.query, headDim, t.queryRows);
  storeExcess(t);
  e.loop(e.index(0), e.index(keyColumns()), 1, [&](Value a) {
    e.loop(e.index(0), e.index(queryTile), e.lanes,
           [&](Value i) { e.vstore(e.splat(0), t.gradQueries, {a, i}); });
  });
}

/// target[i][c] = source[head][first + i][c]; rows that are not there repeat
/// the last one.
void GradientEmitter::packByRows(GradTile &t, Value source, int64_t columns,
                                 Value target) {
  Value last = e.sub(t.end, e.index(1));
  e.loop(e.index(0), e.index(queryTile), 1, [&](Value i) {
    Value row = e.min(e.add(t.first, i), last);
    forColumns(e, columns, [&](Value c, int64_t count) {
      e.vstore(loadPart(e, source, {t.head, row, c}, count), target, {i, c});
    });
  });
}

/// Rows without keys, and those that are not there, get what makes all their
/// weights 0.
void GradientEmitter::storeDivisors(GradTile &t) {
  bool isExp = kernel.isShiftInvariant();
  double none = isExp ? -INFINITY : 0;
  e.loop(e.index(0), e.index(queryTile), 1, [&](Value i) {
    Value row = e.add(t.first, i);
    Value there = e.less(row, t.end);
    Value z = e.load(gradients.normalizer,
                     {t.head, e.min(row, e.sub(t.end, e.index(1)))});
    Value some = e.compare(arith::CmpFPredicate::UNE, z, e.scalar(none));
    Value divisor =
        isExp ? e.mulf(z, e.scalar(log2e))
              : Value(arith::DivFOp::create(e.b, e.loc, e.scalar(1), z));
    Value counts = arith::AndIOp::create(e.b, e.loc, there, some);
    e.store(e.select(counts, divisor, e.scalar(isExp ? INFINITY : 0)),
            t.divisors, i);
  });
}

/// D_i = do_i . o_i; 0 for rows without keys, whose output may be NaN.
void GradientEmitter::storeExcess(GradTile &t) {
  double none = kernel.isShiftInvariant() ? INFINITY : 0;
  Value last = e.sub(t.end, e.index(1));
  e.loop(e.index(0), e.index(queryTile), 1, [&](Value i) {
    Value row = e.min(e.add(t.first, i), last);
    Value sum = e.splat(0);
    e.vstore(sum, t.scores, {e.index(0), e.index(0)});
    forColumns(e, valueDim, [&](Value c, int64_t count) {
      Value term =
          e.mulf(loadPart(e, gradients.output, {t.head, row, c}, count),
                 e.vload(t.gradRows, {i, c}));
      addTo(t.scores, {e.index(0), e.index(0)}, term);
    });
    Value d = vector::ReductionOp::create(
        e.b, e.loc, vector::CombiningKind::ADD,
        e.vload(t.scores, {e.index(0), e.index(0)}));
    Value dead = e.compare(arith::CmpFPredicate::OEQ, e.load(t.divisors, i),
                           e.scalar(none));
    e.store(e.select(dead, e.scalar(0), d), t.excess, i);
  });
}

void GradientEmitter::scaleQueries(GradTile &t) {
  e.loop(e.index(0), e.index(headDim), 1, [&](Value a) {
    e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
      Value x = e.vload(t.gradQueries, {a, i});
      e.vstore(e.mulf(x, e.splat(productScale)), t.gradQueries, {a, i});
    });
  });
}

//===----------------------------------------------------------------------===//
// A block of keys
//===----------------------------------------------------------------------===//

void GradientEmitter::addBlock(GradTile &t, Value slot, Sums &sums, Value from,
                               Value count) {
  HeadRows keys = headRows(operands.key, t.keyHead, from, count, t.keyCopy);
  forProducts(keys, headDim, t.queries, count,
              [&](Value s, ValueRange at) { e.vstore(s, t.scores, at); });
  if (operands.bias)
    addBias(t, from, count);
  if (mask.admitsAll()) {
    weighBlock(t, from, count, false);
  } else {
    scf::IfOp::create(
        e.b, e.loc, isPartlyMasked(t, from, count),
        [&](OpBuilder &, Location) {
          weighBlock(t, from, count, true);
          scf::YieldOp::create(e.b, e.loc);
        },
        [&](OpBuilder &, Location) {
          weighBlock(t, from, count, false);
          scf::YieldOp::create(e.b, e.loc);
        });
  }
  if (gradients.value)
    addByKeys(t, slot, sums, from, count, t.scores, t.gradRows, keyColumns(),
              valueColumns());
  if (!wantsSlopes())
    return;
  storeSlopes(t, headRows(operands.value, t.keyHead, from, count, t.valueCopy),
              count);
  if (gradients.query)
    addWeighted(keys, headDim, t.slopes, count, t.gradQueries);
  if (gradients.key)
    addByKeys(t, slot, sums, from, count, t.slopes, t.queryRows, 0,
              keyColumns());
}

Value GradientEmitter::weightOf(Value score, Value divisor, bool derived) {
  if (kernel.isShiftInvariant())
    return emitExp2(e, e.subf(e.mulf(score, e.splat(scale * log2e)), divisor));
  score = e.mulf(score, e.splat(scale));
  Value weight = derived ? kernel.emitDerivative(e.b, e.loc, score)
                         : kernel.emitWeight(e.b, e.loc, score);
  return e.mulf(weight, divisor);
}

/// Scores to weights, in place, and where they differ what slopes are made of.
void GradientEmitter::weighBlock(GradTile &t, Value from, Value count,
                                 bool masked) {
  bool separate = !kernel.isShiftInvariant() && wantsSlopes();
  e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
    Value divisor = e.vload(t.divisors, i);
    e.loop(e.index(0), count, 1, [&](Value j) {
      Value key = e.add(from, j), score = e.vload(t.scores, {j, i});
      Value factor, counts;
      if (operands.weights) {
        factor = e.broadcast(keyWeight(t.keyHead, key));
        counts = e.compare(arith::CmpFPredicate::UNE, factor, e.splat(0));
      }
      if (masked) {
        Value admitted = admits(t, key, i);
        counts = counts ? arith::AndIOp::create(e.b, e.loc, counts, admitted)
                              .getResult()
                        : admitted;
      }
      auto store = [&](bool derived, Value into) {
        Value w = weightOf(score, divisor, derived);
        if (factor)
          w = e.mulf(w, factor);
        if (counts)
          w = e.select(counts, w, e.splat(0));
        e.vstore(w, into, {j, i});
      };
      if (separate)
        store(true, t.slopes);
      store(false, t.scores);
    });
  });
}

/// dS = R (X - D).
void GradientEmitter::storeSlopes(GradTile &t, const HeadRows &values,
                                  Value count) {
  Value from = kernel.isShiftInvariant() ? t.scores : t.slopes;
  forProducts(values, valueDim, t.gradLanes, count,
              [&](Value x, ValueRange at) {
                Value excess = e.subf(x, e.vload(t.excess, at[1]));
                e.vstore(e.mulf(e.vload(from, at), excess), t.slopes, at);
              });
}

/// sums[slot][from + j][first + c] += sum_i weights[j][i] rows[i][c].
void GradientEmitter::addByKeys(GradTile &t, Value slot, Sums &sums, Value from,
                                Value count, Value weights, Value rows,
                                int64_t first, int64_t columns) {
  auto add = [&](Value j, int64_t group, Value column, int64_t vectors) {
    Values products = emitProduct(
        e, e.index(queryTile), group, vectors,
        [&](Value i, int64_t r) { return e.load(weights, {e.add(j, r), i}); },
        [&](Value i, int64_t v) {
          return e.vload(rows, {i, e.add(column, v * e.lanes)});
        });
    for (int64_t r = 0; r < group; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        addTo(sums.memref,
              {slot, e.add(from, e.add(j, r)),
               e.add(column, first + v * e.lanes)},
              products[r * vectors + v]);
  };
  forColumnGroups(columns, [&](Value column, int64_t vectors) {
    int64_t group = blocking.rowsFor(vectors);
    Value whole = e.mul(e.div(count, group), group);
    e.loop(e.index(0), whole, group,
           [&](Value j) { add(j, group, column, vectors); });
    e.loop(whole, count, 1, [&](Value j) { add(j, 1, column, vectors); });
  });
}

//===----------------------------------------------------------------------===//
// Keys and values
//===----------------------------------------------------------------------===//

/// Adds up what the shares found, and writes it.
void GradientEmitter::reduce(Sums &sums) {
  if (!gradients.key && !gradients.value)
    return;
  const int64_t block = 64;
  Value blocks = e.ceilDiv(numKeys, block);
  int64_t width = keyColumns() + valueColumns();
  Value flops = e.mul(e.mul(keyHeads, numKeys), e.mul(sums.shares, 8 * width));
  e.parallel({keyHeads, blocks}, flops, [&](ValueRange at) {
    Value first = e.mul(at[1], block);
    Value end = e.min(e.add(first, block), numKeys);
    e.loop(first, end, 1, [&](Value row) {
      if (gradients.key)
        reduceRow(sums, at[0], row, 0, headDim, productScale, gradients.key);
      if (gradients.value)
        reduceRow(sums, at[0], row, keyColumns(), valueDim, 1, gradients.value);
    });
  });
}

void GradientEmitter::reduceRow(Sums &sums, Value keyHead, Value row,
                                int64_t first, int64_t columns, double factor,
                                Value target) {
  Type element = cast<MemRefType>(target.getType()).getElementType();
  Value slot = e.mul(keyHead, sums.shares);
  forColumns(e, columns, [&](Value c, int64_t count) {
    Value at = e.add(c, first);
    Values sum =
        e.loop(e.index(0), sums.shares, 1, {e.splat(0)},
               [&](Value share, ValueRange carried) -> Values {
                 Value x = e.vload(sums.memref, {e.add(slot, share), row, at});
                 return {e.addf(carried[0], x)};
               });
    Value x = e.mulf(sum[0], e.splat(factor));
    storePart(e, e.narrow(x, element), target, {keyHead, row, c}, count);
  });
}
