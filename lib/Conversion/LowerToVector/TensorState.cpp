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
