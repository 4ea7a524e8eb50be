// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Direct evaluation of tensor attention: one query at a time, tiles of keys of
// the last set but one as lanes, keys of the last set past them.
//
// One query and one tile meet all keys of the last set, so that it costs next
// to nothing to bound their scores first: |s| is at most the sum over a of
// |scale q_a k_a| times the largest magnitude of column a of those keys. Where
// that is small, as it is unless scores are extreme, exponents need no running
// maximum.

#include "TensorAttentionEmitter.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

TensorAttentionEmitter::TensorAttentionEmitter(Emitter &e,
                                               const TargetDescription &target,
                                               TensorAttentionOp op,
                                               Value query, Value output,
                                               Sets sets)
    : AttentionEmitter(e, target, op,
                       {query,
                        sets[0].key,
                        sets[0].value,
                        sets[0].weights,
                        output,
                        {},
                        {},
                        op.getNanRows()}) {
  keySets = sets;
  SmallVector<KeyAxis, 2> axes = this->op.getKeyAxes();
  for (const KeyAxis &axis : axes)
    masks.push_back(axis.mask);
  // Tiles meet ranges of keys that all their lanes see.
  mask = FullMaskAttr::get(op.getContext());
  if (this->op.getEvaluation() == Evaluation::State)
    return;
  blocking = Blocking(target);
  chooseTiles(target, axes[axes.size() - 2].numKeys);
}

KeyRange<Value> TensorAttentionEmitter::rangeOf(size_t set, Value query) {
  return masks[set].emitKeyRange(e.b, e.loc, query, numQueries,
                                 e.dim(keySets[set].key, 1));
}

void TensorAttentionEmitter::emit() {
  if (op.getEvaluation() != Evaluation::State)
    return emitDirect();
  Features f = openFeatures();
  if (llvm::all_of(masks, [](MaskAttrInterface m) { return m.admitsAll(); }))
    emitStateFull(f);
  else
    emitRunning(f);
}

/// Exponents of base 2 that lie within it, on either side, need no running
/// maximum: as far below 1 as those of proved bounds may be (Weights.cpp).
static constexpr double largestExponent = 32;

void TensorAttentionEmitter::emitDirect() {
  Lanes lanes = packLanes();
  // From here on keys are those of the last set.
  useSet(keySets.back());
  if (weighting == Weighting::RunningExp)
    lanes.most = largestColumns();
  // One query of many tuples is worth threads; counting them all may overflow.
  Value flops = directFlops(numQueries, e.dim(lanes.keys, 0));
  e.parallel({heads, numQueries}, e.mul(flops, queryTile), [&](ValueRange at) {
    emitQuery(lanes, at[0], lateFirst(at[1], numQueries));
  });
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

TensorAttentionEmitter::Lanes TensorAttentionEmitter::packLanes() {
  useSet(keySets[keySets.size() - 2]);
  Value tiles = e.ceilDiv(numKeys, queryTile), slots = e.mul(keyHeads, tiles);
  auto allocate = [&](int64_t rows) -> Value {
    auto type = MemRefType::get(
        {ShapedType::kDynamic, 1 + roundUp(rows, e.lanes), queryTile}, e.f32());
    return memref::AllocOp::create(e.b, e.loc, type, slots,
                                   e.b.getI64IntegerAttr(64));
  };
  Lanes lanes{allocate(headDim), allocate(valueDim), tiles, {}};
  e.parallel({keyHeads, tiles},
             e.mul(slots, queryTile * 16 * (headDim + valueDim)),
             [&](ValueRange at) {
               Value slot = e.add(e.mul(at[0], tiles), at[1]);
               Value first = e.mul(at[1], queryTile);
               Value values = e.part(lanes.values, slot);
               packRows(e, operands.key, at[0], first, numKeys, queryTile,
                        headDim, e.part(lanes.keys, slot));
               packRows(e, operands.value, at[0], first, numKeys, queryTile,
                        valueDim, values);
               packLaneWeights(values, at[0], first);
             });
  return lanes;
}

/// Weights of the tile's keys; 0 for what stands behind the last one.
void TensorAttentionEmitter::packLaneWeights(Value tile, Value keyHead,
                                             Value first) {
  e.loop(e.index(0), e.index(queryTile), 1, [&](Value i) {
    Value key = e.add(first, i), last = e.sub(numKeys, e.index(1));
    Value weight =
        operands.weights ? keyWeight(keyHead, e.min(key, last)) : e.scalar(1);
    weight = e.select(e.less(key, numKeys), weight, e.scalar(0));
    e.store(weight, tile, {e.index(0), i});
  });
}

//===----------------------------------------------------------------------===//
// One query
//===----------------------------------------------------------------------===//

void TensorAttentionEmitter::emitQuery(const Lanes &lanes, Value head,
                                       Value index) {
  Query query{head, e.div(head, group), index, {}, {}, e.scalar(1), {}, {}};
  query.factors = e.buffer({headDim});
  query.outputs = e.buffer({roundUp(valueDim, e.lanes)});
  query.sums = e.buffer({2});
  e.loop(e.index(0), e.index(headDim), 1, [&](Value a) {
    e.store(e.load(operands.query, {head, index, a}), query.factors, a);
  });
  e.loop(e.index(0), e.index(roundUp(valueDim, e.lanes)), e.lanes,
         [&](Value c) { e.vstore(e.splat(0), query.outputs, c); });
  e.store(e.scalar(0), query.sums, e.index(0));
  e.store(e.scalar(-INFINITY), query.sums, e.index(1));
  forOuterKeys(lanes, query, 0);
  closeQuery(query);
}

/// Every tuple of keys of the sets from `set` up to the last two.
void TensorAttentionEmitter::forOuterKeys(const Lanes &lanes, Query &query,
                                          size_t set) {
  if (set + 2 == keySets.size())
    return addTiles(lanes, query);
  KeyRange<Value> range = rangeOf(set, query.index);
  e.loop(range.begin, range.end, 1, [&](Value key) {
    const KeySet &keys = keySets[set];
    if (!keys.weights) {
      Query next = withKey(query, keys, key);
      return forOuterKeys(lanes, next, set + 1);
    }
    // Padding is left out, whatever it holds.
    Value weight = e.load(keys.weights, {query.keyHead, key});
    e.when(e.compare(arith::CmpFPredicate::UNE, weight, e.scalar(0)), [&] {
      Query next = withKey(query, keys, key);
      next.weight = e.mulf(query.weight, weight);
      forOuterKeys(lanes, next, set + 1);
    });
  });
}

TensorAttentionEmitter::Query
TensorAttentionEmitter::withKey(const Query &query, const KeySet &set,
                                Value key) {
  Query next = query;
  next.factors = e.buffer({headDim});
  next.values = e.buffer({roundUp(valueDim, e.lanes)});
  e.loop(e.index(0), e.index(headDim), 1, [&](Value a) {
    Value factor = e.load(set.key, {query.keyHead, key, a});
    e.store(e.mulf(e.load(query.factors, a), factor), next.factors, a);
  });
  e.loop(e.index(0), e.index(valueDim), 1, [&](Value c) {
    Value value = e.load(set.value, {query.keyHead, key, c});
    if (query.values)
      value = e.mulf(e.load(query.values, c), value);
    e.store(value, next.values, c);
  });
  return next;
}

void TensorAttentionEmitter::addTiles(const Lanes &lanes, Query &query) {
  Tile t = allocateTile();
  t.head = query.head;
  t.keyHead = query.keyHead;
  size_t last = keySets.size() - 1;
  KeyRange<Value> keys = rangeOf(last, query.index),
                  range = rangeOf(last - 1, query.index);
  Value from = e.div(range.begin, queryTile),
        to = e.max(from, e.ceilDiv(range.end, queryTile));
  e.loop(from, to, 1, [&](Value tile) {
    Value slot = e.add(e.mul(query.keyHead, lanes.tiles), tile);
    t.first = e.mul(tile, queryTile);
    Value bound = fillFromLanes(lanes, query, t, slot);
    if (bound)
      addKeysWithin(t, keys, bound);
    else
      addKeys(t, keys.begin, keys.end);
    addTile(lanes, query, t, slot);
  });
}

/// [heads][dim]; NaN where a key has it.
Value TensorAttentionEmitter::largestColumns() {
  auto type = MemRefType::get({ShapedType::kDynamic, roundUp(headDim, e.lanes)},
                              e.f32());
  Value most = memref::AllocOp::create(e.b, e.loc, type, keyHeads,
                                       e.b.getI64IntegerAttr(cacheLineBytes));
  Value flops = e.mul(e.mul(keyHeads, numKeys), 2 * headDim);
  e.parallel({keyHeads}, flops, [&](ValueRange at) {
    forColumns(e, headDim, [&](Value c, int64_t count) {
      Value largest =
          e.loop(e.index(0), numKeys, 1, {e.splat(0)},
                 [&](Value j, ValueRange carried) {
                   Value key = loadPart(e, operands.key, {at[0], j, c}, count);
                   Value size = math::AbsFOp::create(e.b, e.loc, key);
                   return Values{
                       arith::MaximumFOp::create(e.b, e.loc, carried[0], size)};
                 })[0];
      e.vstore(largest, most, {at[0], c});
    });
  });
  return most;
}

/// The keys through code without a running maximum if exponents are surely
/// within `bound`, and that is small.
void TensorAttentionEmitter::addKeysWithin(Tile &t, KeyRange<Value> keys,
                                           Value bound) {
  Value small =
      e.compare(arith::CmpFPredicate::OLE, bound, e.scalar(largestExponent));
  scf::IfOp::create(
      e.b, e.loc, small,
      [&](OpBuilder &, Location) {
        Tile bounded = t;
        bounded.shifts = {};
        weighting = Weighting::BoundedExp;
        boundedShift = largestExponent;
        addKeys(bounded, keys.begin, keys.end);
        weighting = Weighting::RunningExp;
        for (int64_t i = 0; i < queryTile; i += e.lanes)
          e.vstore(e.splat(boundedShift), t.shifts, e.index(i));
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        addKeys(t, keys.begin, keys.end);
        scf::YieldOp::create(e.b, e.loc);
      });
}

/// Queries of the tile: those of its keys times the one query. Returns a bound
/// of their exponents with all keys, NaN where an operand has it; null if none
/// is asked for.
Value TensorAttentionEmitter::fillFromLanes(const Lanes &lanes, Query &query,
                                            Tile &t, Value slot) {
  auto forVectors = [&](function_ref<void(Value)> body) {
    for (int64_t i = 0; i < queryTile; i += e.lanes)
      body(e.index(i));
  };
  Values sums(lanes.most ? queryTile / e.lanes : 0, e.splat(0));
  sums = e.loop(
      e.index(0), e.index(headDim), 1, sums, [&](Value a, ValueRange carried) {
        Value factor = e.broadcast(e.load(query.factors, a)), row = e.add(a, 1),
              most;
        if (lanes.most)
          most = e.broadcast(e.load(lanes.most, {query.keyHead, a}));
        Values next;
        forVectors([&](Value i) {
          Value x = e.mulf(e.vload(lanes.keys, {slot, row, i}), factor);
          e.vstore(x, t.queries, {row, i});
          if (!most)
            return;
          Value size = math::AbsFOp::create(e.b, e.loc, x);
          next.push_back(e.fma(size, most, carried[next.size()]));
        });
        return next;
      });
  e.loop(e.index(0), e.index(roundUp(valueDim, e.lanes)), 1, [&](Value c) {
    forVectors([&](Value i) { e.vstore(e.splat(0), t.outputs, {c, i}); });
  });
  forVectors([&](Value i) {
    e.vstore(e.splat(0), t.sums, i);
    if (t.shifts)
      e.vstore(e.splat(-INFINITY), t.shifts, i);
  });
  if (sums.empty())
    return {};
  Value largest = sums[0];
  for (Value sum : ArrayRef(sums).drop_front())
    largest = arith::MaximumFOp::create(e.b, e.loc, largest, sum);
  largest = vector::ReductionOp::create(
      e.b, e.loc, vector::CombiningKind::MAXIMUMF, largest);
  // Scores and their bound are rounded.
  double factor = std::abs(scale) * log2e * (1 + 0x1p-10);
  return e.mulf(largest, e.scalar(factor));
}

/// Which lanes have a key that counts, and what their sums are to be multiplied
/// by: its weight, relative to what the query's sums are relative to.
TensorAttentionEmitter::LaneFactors
TensorAttentionEmitter::laneFactors(const Lanes &lanes, Query &query, Tile &t,
                                    Value slot) {
  KeyRange<Value> range = rangeOf(keySets.size() - 2, query.index);
  Values all, factors, shifts;
  for (int64_t i = 0; i < queryTile; i += e.lanes) {
    Value weight = e.vload(lanes.values, {slot, e.index(0), e.index(i)});
    Value first = e.add(t.first, i);
    auto upTo = [&](Value key) -> Value {
      Value count =
          e.min(e.max(e.sub(key, first), e.index(0)), e.index(e.lanes));
      return vector::CreateMaskOp::create(e.b, e.loc,
                                          e.vectorType(e.b.getI1Type()), count);
    };
    Value seen =
        arith::XOrIOp::create(e.b, e.loc, upTo(range.begin), upTo(range.end));
    Value counts = arith::AndIOp::create(
        e.b, e.loc, seen,
        e.compare(arith::CmpFPredicate::UNE, weight, e.splat(0)));
    all.push_back(counts);
    factors.push_back(weight);
    if (t.shifts)
      shifts.push_back(
          e.select(counts, e.vload(t.shifts, e.index(i)), e.splat(-INFINITY)));
  }
  if (!t.shifts)
    return {all, factors};
  // The query's shift rises to the largest of its lanes.
  Value most = shifts[0];
  for (Value shift : ArrayRef(shifts).drop_front())
    most = e.maxOrSecond(shift, most);
  most = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXNUMF,
                                     most);
  Value old = e.load(query.sums, e.index(1));
  Value larger = e.compare(arith::CmpFPredicate::OGT, most, old);
  Value shift = e.select(larger, most, old);
  e.store(shift, query.sums, e.index(1));
  Value finite = finiteShift(e.broadcast(shift));
  Value shrink = emitExp2(e, e.subf(e.broadcast(old), finite));
  e.loop(
      e.index(0), e.index(roundUp(valueDim, e.lanes)), e.lanes, [&](Value c) {
        e.vstore(e.mulf(e.vload(query.outputs, c), shrink), query.outputs, c);
      });
  Value sum = e.load(query.sums, e.index(0));
  Value first = vector::ExtractOp::create(e.b, e.loc, shrink, int64_t(0));
  e.store(e.mulf(sum, first), query.sums, e.index(0));
  for (auto [factor, own] : llvm::zip_equal(factors, shifts))
    factor = e.mulf(factor, emitExp2(e, e.subf(own, finite)));
  return {all, factors};
}

/// Sums over the lanes of what the tile holds, times their values.
void TensorAttentionEmitter::addTile(const Lanes &lanes, Query &query, Tile &t,
                                     Value slot) {
  LaneFactors lane = laneFactors(lanes, query, t, slot);
  // Lanes that do not count may hold NaN; that of others must show.
  auto times = [&](Value x, size_t v) {
    return e.select(lane.counts[v], e.mulf(x, lane.factors[v]), e.splat(0));
  };
  auto at = [&](size_t v) { return e.index(int64_t(v) * e.lanes); };
  Value weights = e.splat(0);
  size_t vectors = lane.factors.size();
  for (size_t v = 0; v < vectors; ++v) {
    Value scaled = times(e.vload(t.sums, at(v)), v);
    weights = e.addf(weights, scaled);
  }
  Value sum =
      vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD,
                                  weights, arith::FastMathFlags::reassoc);
  Value old = e.load(query.sums, e.index(0));
  e.store(e.addf(old, e.mulf(sum, query.weight)), query.sums, e.index(0));
  e.loop(e.index(0), e.index(roundUp(valueDim, e.lanes)), e.lanes,
         [&](Value first) {
           Values columns;
           for (int64_t c = 0; c < e.lanes; ++c) {
             // Rows behind the last column repeat it; nobody reads their sums.
             Value column = e.min(e.add(first, c), e.index(valueDim - 1));
             Value products = e.splat(0);
             for (size_t v = 0; v < vectors; ++v) {
               Value value =
                   e.vload(lanes.values, {slot, e.add(column, 1), at(v)});
               Value x = e.mulf(e.vload(t.outputs, {column, at(v)}), value);
               products = e.addf(products, times(x, v));
             }
             columns.push_back(products);
           }
           Value sums =
               e.mulf(emitLaneSums(e, columns), e.broadcast(query.weight));
           if (query.values)
             sums = e.mulf(sums, e.vload(query.values, first));
           addTo(query.outputs, first, sums);
         });
}

void TensorAttentionEmitter::closeQuery(Query &query) {
  Value sum = e.broadcast(e.load(query.sums, e.index(0)));
  Value inverse = inverseOf(sum);
  forColumns(e, valueDim, [&](Value c, int64_t count) {
    Value output = divideBySum(e.vload(query.outputs, c), sum, inverse);
    storePart(e, e.narrow(output, op.getElementType()), operands.output,
              {query.head, query.index, c}, count);
  });
}
