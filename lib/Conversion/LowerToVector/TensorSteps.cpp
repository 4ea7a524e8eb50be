// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// One step of tensor attention through running states: a few queries and the
// keys that come into view with them, or leave.

#include "TensorAttentionEmitter.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Queries whose accumulators, and values of each set, fit the registers.
int64_t TensorAttentionEmitter::queriesAtOnce() const {
  return std::min(e.lanes, blocking.registers / 4);
}

TensorAttentionEmitter::LaneKeys TensorAttentionEmitter::allocateLaneKeys() {
  return {allocateRows(), e.buffer({e.lanes, roundUp(valueDim, e.lanes)}),
          e.buffer({e.lanes}), e.buffer({featureBlockOfState, e.lanes})};
}

TensorAttentionEmitter::Step TensorAttentionEmitter::allocateStep() {
  Step step;
  step.queries = allocateRows();
  step.outputs = e.buffer({e.lanes, roundUp(valueDim, e.lanes)});
  step.sums = e.buffer({e.lanes});
  step.queryFeatures = e.buffer({featureBlockOfState, e.lanes});
  for (size_t t = 0; t < keySets.size(); ++t) {
    step.coming.push_back(allocateLaneKeys());
    step.leaving.push_back(slides(t) ? allocateLaneKeys() : LaneKeys());
    step.whole.push_back(e.index(int64_t(t)));
    step.limits.push_back({});
  }
  return step;
}

/// [1 + d][lanes], the first row of ones.
Value TensorAttentionEmitter::allocateRows() {
  Value tile = e.buffer({1 + roundUp(headDim, e.lanes), e.lanes});
  e.vstore(e.splat(1), tile, {e.index(0), e.index(0)});
  return tile;
}

/// Where more than one key comes into view with the step's first query, all but
/// the last one enter the state at once. Returns the keys seen then.
Emitter::Values TensorAttentionEmitter::catchUp(Features &f, Step &step,
                                                ValueRange seen) {
  Values next;
  for (size_t t = 0; t < keySets.size(); ++t) {
    Value end = endOf(t, step.first);
    Value to = e.max(seen[t], e.sub(end, e.index(1)));
    useSet(keySets[t]);
    e.when(e.less(seen[t], to), [&] {
      addToState(f, step.keyHead, e.index(sets() + int64_t(t)), seen[t], to,
                 /*few=*/true);
    });
    next.push_back(to);
  }
  return next;
}

/// The queries from the step's first one on, up to `end` and to the lanes there
/// are, with each of which one key of each set comes into view at most, and one
/// leaves.
Value TensorAttentionEmitter::countQueries(Step &step, Value end) {
  Value most = e.min(e.index(e.lanes), e.sub(end, step.first));
  return e.loop(
      e.index(1), most, 1, {e.index(1)}, [&](Value i, ValueRange carried) {
        Value query = e.add(step.first, i);
        Value fits = e.lessEqual(i, carried[0]);
        auto require = [&](Value condition) {
          fits = arith::AndIOp::create(e.b, e.loc, fits, condition);
        };
        for (size_t t = 0; t < keySets.size(); ++t) {
          Value before = e.sub(query, e.index(1));
          require(e.lessEqual(endOf(t, query), e.add(endOf(t, before), 1)));
          if (!slides(t))
            continue;
          Value begin = rangeOf(t, query).begin;
          require(e.lessEqual(begin, e.add(rangeOf(t, before).begin, 1)));
          require(e.lessEqual(begin, step.limits[t]));
        }
        return Values{e.select(fits, e.add(i, 1), carried[0])};
      })[0];
}

void TensorAttentionEmitter::packStep(Step &step, ValueRange seen) {
  packRows(e, operands.query, step.head, step.first, numQueries, e.lanes,
           headDim, step.queries);
  for (size_t t = 0; t < keySets.size(); ++t) {
    useSet(keySets[t]);
    packComing(step, t, seen[t]);
    if (slides(t))
      packLeaving(step, t);
  }
}

void TensorAttentionEmitter::packComing(Step &step, size_t set, Value seen) {
  e.loop(e.index(0), e.index(e.lanes), 1, {seen},
         [&](Value i, ValueRange carried) {
           Value query =
               e.min(e.add(step.first, i), e.sub(numQueries, e.index(1)));
           Value end = e.max(endOf(set, query), carried[0]);
           Value comes = arith::AndIOp::create(
               e.b, e.loc, e.less(i, step.count), e.less(carried[0], end));
           packLaneKey(step, step.coming[set], i, carried[0], comes);
           return Values{e.select(comes, end, carried[0])};
         });
}

/// The key that the next query of the step does not see any more.
void TensorAttentionEmitter::packLeaving(Step &step, size_t set) {
  e.loop(e.index(0), e.index(e.lanes), 1, [&](Value i) {
    Value end = e.sub(numQueries, e.index(1));
    auto begin = [&](Value lane) {
      return rangeOf(set, e.min(e.add(step.first, lane), end)).begin;
    };
    Value next = e.add(i, 1), key = begin(i);
    Value leaves = arith::AndIOp::create(e.b, e.loc, e.less(next, step.count),
                                         e.less(key, begin(next)));
    packLaneKey(step, step.leaving[set], i, key, leaves);
  });
}

/// Key and value of a lane; zeros where there is none, or one of weight 0.
void TensorAttentionEmitter::packLaneKey(Step &step, const LaneKeys &keys,
                                         Value lane, Value key, Value exists) {
  e.store(e.scalar(0), keys.weights, lane);
  e.loop(e.index(0), e.index(headDim), 1, [&](Value a) {
    e.store(e.scalar(0), keys.keys, {e.add(a, 1), lane});
  });
  e.loop(e.index(0), e.index(roundUp(valueDim, e.lanes)), e.lanes,
         [&](Value c) { e.vstore(e.splat(0), keys.values, {lane, c}); });
  auto pack = [&](Value weight) {
    e.store(weight, keys.weights, lane);
    e.loop(e.index(0), e.index(headDim), 1, [&](Value a) {
      e.store(e.load(operands.key, {step.keyHead, key, a}), keys.keys,
              {e.add(a, 1), lane});
    });
    forColumns(e, valueDim, [&](Value c, int64_t count) {
      Value value = loadPart(e, operands.value, {step.keyHead, key, c}, count);
      e.vstore(e.mulf(value, e.broadcast(weight)), keys.values, {lane, c});
    });
  };
  e.when(exists, [&] {
    if (!operands.weights)
      return pack(e.scalar(1));
    Value weight = keyWeight(step.keyHead, key);
    e.when(e.compare(arith::CmpFPredicate::UNE, weight, e.scalar(0)),
           [&] { pack(weight); });
  });
}

void TensorAttentionEmitter::addStep(Features &f, Step &step) {
  Value zero = e.index(0);
  e.vstore(e.splat(0), step.sums, zero);
  e.loop(zero, e.index(e.lanes), 1, [&](Value i) {
    e.loop(zero, e.index(f.columns), e.lanes,
           [&](Value c) { e.vstore(e.splat(0), step.outputs, {i, c}); });
  });
  e.loop(zero, e.index(f.padded), featureBlockOfState, [&](Value first) {
    Value count =
        e.min(e.index(featureBlockOfState), e.sub(e.index(f.padded), first));
    makeFeatures(f, step, first, count);
    addDenominators(f, step, first, count);
    e.loop(zero, e.index(f.columns), e.lanes, [&](Value column) {
      for (int64_t lane = 0; lane < e.lanes; lane += queriesAtOnce())
        addColumns(f, step, first, count, column, lane);
    });
  });
}

void TensorAttentionEmitter::makeFeatures(Features &f, Step &step, Value first,
                                          Value count) {
  Value zero = e.index(0);
  e.loop(zero, count, 1, [&](Value k) {
    Value feature = e.add(first, k);
    Values rows = factorRows(f, feature);
    Value weight = e.broadcast(e.load(f.weights, feature));
    e.vstore(e.mulf(emitFeature(step.queries, rows, zero), weight),
             step.queryFeatures, {k, zero});
    for (auto *some : {&step.coming, &step.leaving})
      for (const LaneKeys &keys : *some)
        if (keys.keys)
          e.vstore(emitFeature(keys.keys, rows, zero), keys.features,
                   {k, zero});
  });
}

/// Sums of lanes up to each one; or, backwards, from each one on.
static Value prefixSums(Emitter &e, Value x, bool backwards = false) {
  for (int64_t by = 1; by < e.lanes; by *= 2) {
    SmallVector<int64_t> lanes;
    for (int64_t i = 0; i < e.lanes; ++i) {
      int64_t from = backwards ? i + by : i - by;
      bool isLane = from >= 0 && from < e.lanes;
      lanes.push_back(isLane ? from : e.lanes);
    }
    Value moved = vector::ShuffleOp::create(e.b, e.loc, x, e.splat(0), lanes);
    x = e.addf(x, moved);
  }
  return x;
}

/// Sums of weights: queries are the lanes, and each sees the keys that come
/// with the lanes up to its own, and those that leave from its own on.
void TensorAttentionEmitter::addDenominators(Features &f, Step &step,
                                             Value first, Value count) {
  Value zero = e.index(0);
  auto weighted = [&](const LaneKeys &keys, Value k) {
    return e.mulf(e.vload(keys.features, {k, zero}),
                  e.vload(keys.weights, zero));
  };
  Value sums = e.loop(
      zero, count, 1, {e.vload(step.sums, zero)},
      [&](Value k, ValueRange carried) {
        Value feature = e.add(first, k);
        Value product = e.vload(step.queryFeatures, {k, zero});
        for (int64_t t = 0; t < sets(); ++t) {
          Value hand = e.load(f.denominators, {e.index(sets() + t), feature});
          Value whole =
              e.broadcast(e.load(f.denominators, {step.whole[t], feature}));
          if (slides(t)) {
            Value leaving = weighted(step.leaving[t], k);
            whole = e.addf(whole, prefixSums(e, leaving, /*backwards=*/true));
          }
          Value keys = prefixSums(e, weighted(step.coming[t], k));
          keys = e.addf(keys, e.broadcast(hand));
          Value last = vector::ExtractOp::create(e.b, e.loc, keys, e.lanes - 1);
          e.store(last, f.denominators, {e.index(sets() + t), feature});
          product = e.mulf(product, e.addf(keys, whole));
        }
        return Values{e.addf(carried[0], product)};
      })[0];
  e.vstore(sums, step.sums, zero);
}

/// What each of a few queries from `lane` on sees of the keys before the chunk:
/// what all queries of the step see, and what leaves with it or after it.
Emitter::Values TensorAttentionEmitter::withLeaving(Step &step, size_t set,
                                                    Value k, Value whole,
                                                    Value column,
                                                    int64_t lane) {
  int64_t queries = queriesAtOnce();
  Values sums(queries, whole);
  if (!slides(set))
    return sums;
  const LaneKeys &keys = step.leaving[set];
  for (int64_t r = e.lanes - 1; r >= lane; --r) {
    Value phi = e.broadcast(e.load(keys.features, {k, e.index(r)}));
    whole = e.fma(phi, e.vload(keys.values, {e.index(r), column}), whole);
    if (r < lane + queries)
      sums[r - lane] = whole;
  }
  return sums;
}

/// The block's features, for one vector of columns and a few queries from
/// `lane` on: each adds its keys to the states at hand and reads them.
void TensorAttentionEmitter::addColumns(Features &f, Step &step, Value first,
                                        Value count, Value column,
                                        int64_t lane) {
  int64_t queries = queriesAtOnce();
  SmallVector<Values> values(keySets.size());
  Values outputs;
  for (int64_t r = 0; r < queries; ++r) {
    Value row = e.index(lane + r);
    outputs.push_back(e.vload(step.outputs, {row, column}));
    for (size_t t = 0; t < keySets.size(); ++t)
      values[t].push_back(e.vload(step.coming[t].values, {row, column}));
  }
  outputs =
      e.loop(e.index(0), count, 1, outputs, [&](Value k, ValueRange carried) {
        Value feature = e.add(first, k);
        SmallVector<Values> wholes;
        Values hand, next;
        for (int64_t t = 0; t < sets(); ++t) {
          Value whole = e.vload(f.states, {step.whole[t], feature, column});
          wholes.push_back(withLeaving(step, t, k, whole, column, lane));
          hand.push_back(
              e.vload(f.states, {e.index(sets() + t), feature, column}));
        }
        for (int64_t r = 0; r < queries; ++r) {
          Value row = e.index(lane + r), product;
          for (int64_t t = 0; t < sets(); ++t) {
            Value phi = e.broadcast(e.load(step.coming[t].features, {k, row}));
            hand[t] = e.fma(phi, values[t][r], hand[t]);
            Value sum = e.addf(wholes[t][r], hand[t]);
            product = product ? e.mulf(product, sum) : sum;
          }
          Value phi = e.broadcast(e.load(step.queryFeatures, {k, row}));
          next.push_back(e.fma(phi, product, carried[r]));
        }
        for (int64_t t = 0; t < sets(); ++t)
          e.vstore(hand[t], f.states, {e.index(sets() + t), feature, column});
        return next;
      });
  for (int64_t r = 0; r < queries; ++r)
    e.vstore(outputs[r], step.outputs, {e.index(lane + r), column});
}

void TensorAttentionEmitter::closeStep(Step &step) {
  e.loop(e.index(0), step.count, 1, [&](Value i) {
    Value sum = e.broadcast(e.load(step.sums, i)), inverse = inverseOf(sum);
    forColumns(e, valueDim, [&](Value c, int64_t count) {
      Value output = divideBySum(e.vload(step.outputs, {i, c}), sum, inverse);
      storePart(e, e.narrow(output, op.getElementType()), operands.output,
                {step.head, e.add(step.first, i), c}, count);
    });
  });
}
