// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Tensor attention through states that run along with the queries: every query
// sees its predecessor's keys, but for those that have left its window, and
// perhaps a few more.
//
// Where rows start at key 0, a set has two states: of the keys of all whole
// blocks, and of the block at hand; the second one grows key by key while
// queries read the sum of both, and is added to the first one when it is full.
// Thus no term passes through more additions than the keys of two blocks and
// the number of blocks, which is what certificates count. The whole of a
// sliding window is what all queries of a step see (TensorWindows.cpp); what
// only some of them see any more is added to it backwards.

#include "TensorAttentionEmitter.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Queries whose accumulators, and values of each set, fit the registers.
int64_t TensorAttentionEmitter::queriesAtOnce() const {
  return std::min(e.lanes, blocking.registers / 4);
}

/// Where the keys that a query sees end: no earlier than they begin.
Value TensorAttentionEmitter::endOf(size_t set, Value query) {
  KeyRange<Value> range = rangeOf(set, query);
  return slides(set) ? e.max(range.begin, range.end) : range.end;
}

/// Keys of a set that the queries before this one see.
Value TensorAttentionEmitter::seenBefore(size_t set, Value query) {
  Value none = e.lessEqual(query, e.index(0));
  Value before = e.max(e.sub(query, e.index(1)), e.index(0));
  return e.select(none, e.index(0), endOf(set, before));
}

/// Shares of the queries of a head run at the same time where there are few
/// heads. Each starts from the keys of the shares before it.
void TensorAttentionEmitter::emitRunning(Features &f) {
  int64_t known = op.getSizes().queryHeads;
  int64_t shares = 1;
  if (!ShapedType::isDynamic(known) && known > 0)
    shares = std::clamp<int64_t>((4 * cores + known - 1) / known, 1,
                                 4 * int64_t(cores));
  // There are no more key heads than query heads.
  int64_t keyHeadsAtMost = op.getSizes().keyHeads;
  if (ShapedType::isDynamic(keyHeadsAtMost))
    keyHeadsAtMost = known;
  int64_t slots = shares * sets() * std::max<int64_t>(keyHeadsAtMost, 1);
  if (slots * f.bytesPerState() > scratchBytes)
    shares = 1;
  Value share = e.roundUp(e.ceilDiv(numQueries, shares), keyBlockOfState);
  if (slides())
    share = e.max(share, longShare(shares));
  Features before = f;
  if (shares > 1) {
    allocateStates(before, slots);
    emitShareStates(before, share, shares);
  }
  Value flops = e.mul(stateFlops(f, heads, numQueries), 3 * sets());
  e.parallel({heads, e.index(shares)}, flops, [&](ValueRange at) {
    emitShare(f, before, at[0], at[1], share, shares);
  });
}

/// Slot [keyHead][share][set] gets the state of the keys that come into view
/// within the share; those of a window are each share's own.
void TensorAttentionEmitter::emitShareStates(Features &f, Value share,
                                             int64_t shares) {
  for (size_t t = 0; t < keySets.size(); ++t) {
    if (slides(t))
      continue;
    useSet(keySets[t]);
    e.parallel(
        {keyHeads, e.index(shares)}, stateFlops(f, keyHeads, numKeys),
        [&](ValueRange at) {
          Value slot = e.add(e.mul(e.add(e.mul(at[0], shares), at[1]), sets()),
                             int64_t(t));
          Value first = e.min(e.mul(at[1], share), numQueries);
          Value end = e.min(e.add(first, share), numQueries);
          Value from = seenBefore(t, first);
          emitUpdate(f, at[0], slot, from, e.max(from, seenBefore(t, end)));
        });
  }
}

/// Slots: the whole blocks of each set, then the block at hand of each, then
/// what windows need.
void TensorAttentionEmitter::emitShare(Features &f, Features &before,
                                       Value head, Value number, Value share,
                                       int64_t shares) {
  Value first = e.min(e.mul(number, share), numQueries);
  Value end = e.min(e.add(first, share), numQueries);
  Features own = f;
  allocateStates(own, statesOfShare(f));
  Value keyHead = e.div(head, group);
  openShare(own, before, keyHead, number, shares);
  Step step = allocateStep();
  step.head = head;
  step.keyHead = keyHead;
  if (slides())
    return emitWindows(own, step, first, end);
  Values carried = {first, e.index(0)};
  for (size_t t = 0; t < keySets.size(); ++t)
    carried.push_back(seenBefore(t, first));
  e.loopWhile(
      carried, [&](ValueRange now) { return e.less(now[0], end); },
      [&](ValueRange now) {
        step.first = now[0];
        step.count = countQueries(step, end);
        Values next = {e.add(now[0], step.count)};
        llvm::append_range(next, takeStep(own, step, now.drop_front()));
        return next;
      });
}

/// Carries how many keys are in the block at hand and, for each set, those
/// seen.
Emitter::Values TensorAttentionEmitter::takeStep(Features &f, Step &step,
                                                 ValueRange carried) {
  Values seen = catchUp(f, step, carried.drop_front());
  packStep(step, seen);
  addStep(f, step);
  closeStep(step);
  Value last = e.add(step.first, e.sub(step.count, e.index(1)));
  Value inBlock = e.add(carried[0], step.count);
  Values next = {Value()};
  for (size_t t = 0; t < keySets.size(); ++t) {
    next.push_back(e.max(seen[t], endOf(t, last)));
    inBlock = e.add(inBlock, e.sub(seen[t], carried[1 + t]));
  }
  Value full = e.lessEqual(e.index(keyBlockOfState - e.lanes), inBlock);
  e.when(full, [&] {
    forLocalParts(f, [&](const StatePart &part) {
      for (int64_t t = 0; t < sets(); ++t) {
        if (slides(t))
          continue;
        Value whole = e.index(t), hand = e.index(sets() + t);
        part.store(e.addf(part.load(whole), part.load(hand)), whole);
        part.store(part.zero(), hand);
      }
    });
  });
  next[0] = e.select(full, e.index(0), inBlock);
  return next;
}

/// Calls body for all parts of a state, on this thread.
void TensorAttentionEmitter::forLocalParts(
    Features &f, function_ref<void(const StatePart &)> body) {
  e.loop(e.index(0), e.index(f.padded), 1, [&](Value feature) {
    forColumnGroups(f.columns, [&](Value column, int64_t vectors) {
      body({e, f.states, {feature, column}, vectors * e.lanes, {}});
    });
  });
  e.loop(e.index(0), e.index(f.table), e.lanes, [&](Value feature) {
    body({e, f.denominators, {feature}, e.lanes, {}});
  });
}

/// States of the keys before the share; nothing in the block at hand.
void TensorAttentionEmitter::openShare(Features &f, Features &before,
                                       Value keyHead, Value number,
                                       int64_t shares) {
  forLocalParts(f, [&](const StatePart &part) {
    for (int64_t t = 0; t < sets(); ++t) {
      part.store(part.zero(), e.index(sets() + t));
      Value sum = part.zero();
      if (shares > 1 && !slides(t)) {
        StatePart from = part;
        from.memory =
            part.memory == f.states ? before.states : before.denominators;
        sum =
            e.loop(e.index(0), number, 1, {sum}, [&](Value s, ValueRange sums) {
              Value slot =
                  e.add(e.mul(e.add(e.mul(keyHead, shares), s), sets()), t);
              return Values{e.addf(sums[0], from.load(slot))};
            })[0];
      }
      part.store(sum, e.index(t));
    }
  });
}

//===----------------------------------------------------------------------===//
// One step
//===----------------------------------------------------------------------===//

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
