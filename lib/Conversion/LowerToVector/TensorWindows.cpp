// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Sliding windows on the state path of tensor attention. Keys must leave the
// states again, and nothing is ever subtracted: cancellation would have no
// bound. A query's keys of one set are, in this order,
//
//   leaving | whole | at hand
//
// Queries come in chunks of a few steps, such that every window of the chunk
// begins before the chunk's first one ends. Keys that come into view after that
// are at hand: they enter one state key by key, as under other masks
// (TensorState.cpp). What all queries of a step see of the keys before, its
// whole, is made backwards, from the last step of the chunk to the first, each
// adding the keys that leave in between; what leaves within a step is added
// while queries read. The whole of the last step is a sum of states of blocks
// of keys, and of the keys beside them at both ends. Sums over blocks are those
// of a queue, which two stacks make (State.cpp): sums from each block up to the
// pivot in place of the blocks' own states, and a running sum beyond it.
//
// Additions that a term of the states meets: those inside a block of 128 keys,
// over the blocks of the window and the pieces at its ends, one for each step
// of the chunk, and for each lane of the step; or one for each key at hand. All
// but those over blocks are fewer than the keys of a block, which is what
// certificates count twice.

#include "TensorAttentionEmitter.h"
#include "polyattn/Analysis/WindowTiling.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// Slots
//===----------------------------------------------------------------------===//

int64_t TensorAttentionEmitter::ringOf(Features &f) {
  int64_t windows = llvm::count_if(
      masks, [](MaskAttrInterface m) { return !m.startsAtZero(); });
  return windows
             ? blocksOfWindow(double(f.bytesPerState()), windows, scratchBytes)
             : 0;
}

/// Of each set its whole (of a window: the running sum) and what is at hand;
/// then, of each window, the wholes of steps and a ring of blocks.
int64_t TensorAttentionEmitter::statesOfShare(Features &f) {
  int64_t states = 2 * sets();
  for (size_t t = 0; t < keySets.size(); ++t)
    states += slides(t) ? stepsOfWindowChunk + ringOf(f) : 0;
  return states;
}

Value TensorAttentionEmitter::stepSlot(Features &f, size_t set, Value step) {
  int64_t first = 2 * sets();
  for (size_t t = 0; t < set; ++t)
    first += slides(t) ? stepsOfWindowChunk + ringOf(f) : 0;
  return e.add(step, first);
}

/// Blocks that are in memory together have different ones.
Value TensorAttentionEmitter::blockSlot(Features &f, Windows &windows,
                                        size_t set, Value block) {
  return e.add(stepSlot(f, set, e.rem(block, windows.blocks[set])),
               stepsOfWindowChunk);
}

//===----------------------------------------------------------------------===//
// Chunks of queries
//===----------------------------------------------------------------------===//

/// A share makes the states of its first windows anew: no more shares than
/// cores where windows are long.
Value TensorAttentionEmitter::longShare(int64_t shares) {
  Value middle = e.div(numQueries, 2), widest = e.index(0);
  for (size_t t = 0; t < keySets.size(); ++t)
    if (slides(t))
      widest = e.max(widest, e.sub(endOf(t, middle), rangeOf(t, middle).begin));
  int64_t fewest = std::min<int64_t>(shares, cores);
  return e.min(e.roundUp(widest, keyBlockOfState),
               e.roundUp(e.ceilDiv(numQueries, fewest), keyBlockOfState));
}

/// Blocks are so long that no window of the share holds more than there is
/// memory for.
TensorAttentionEmitter::Windows
TensorAttentionEmitter::openWindows(Features &f, Value first, Value end) {
  Windows windows;
  windows.starts = e.buffer({stepsOfWindowChunk + 1}, e.b.getIndexType());
  for (size_t t = 0; t < keySets.size(); ++t) {
    windows.block.push_back({});
    windows.blocks.push_back({});
    if (!slides(t))
      continue;
    Value widest = e.loop(
        first, end, 1, {e.index(1)}, [&](Value query, ValueRange carried) {
          Value seen = e.sub(endOf(t, query), rangeOf(t, query).begin);
          return Values{e.max(carried[0], seen)};
        })[0];
    windows.block[t] = e.roundUp(e.ceilDiv(widest, ringOf(f)), keyBlockOfState);
    windows.blocks[t] = e.ceilDiv(widest, windows.block[t]);
  }
  return windows;
}

Value TensorAttentionEmitter::stepStart(Windows &windows, Value step) {
  return memref::LoadOp::create(e.b, e.loc, windows.starts, step);
}

/// Where the steps of the chunk from `first` on begin, and how many they are.
Value TensorAttentionEmitter::planSteps(Step &step, Windows &windows,
                                        Value first, Value end) {
  auto note = [&](Value start, Value at) {
    memref::StoreOp::create(e.b, e.loc, start, windows.starts, at);
  };
  for (size_t t = 0; t < keySets.size(); ++t)
    step.limits[t] = endOf(t, first);
  note(first, e.index(0));
  return e.loop(
      e.index(0), e.index(stepsOfWindowChunk), 1, {e.index(0), first},
      [&](Value i, ValueRange carried) {
        step.first = carried[1];
        Value fits = e.less(step.first, end);
        for (size_t t = 0; t < keySets.size(); ++t)
          if (slides(t))
            fits = arith::AndIOp::create(
                e.b, e.loc, fits,
                e.lessEqual(rangeOf(t, step.first).begin, step.limits[t]));
        Value count = e.select(fits, countQueries(step, end), e.index(0));
        Value next = e.add(step.first, count);
        note(next, e.add(i, 1));
        return Values{e.select(fits, e.add(i, 1), carried[0]), next};
      })[0];
}

/// Carries the first query of the chunk and what takeStep does; then, of each
/// window, how many blocks have been made, and the pivot.
void TensorAttentionEmitter::emitWindows(Features &f, Step &step, Value first,
                                         Value end) {
  Windows windows = openWindows(f, first, end);
  int64_t carriedOfStep = 1 + sets();
  Values carried = {first, e.index(0)};
  for (size_t t = 0; t < keySets.size(); ++t)
    carried.push_back(seenBefore(t, first));
  for (size_t t = 0; t < keySets.size(); ++t)
    if (slides(t))
      carried.append({e.index(0), e.index(-1)});
  e.loopWhile(
      carried, [&](ValueRange now) { return e.less(now[0], end); },
      [&](ValueRange now) {
        Values ofStep(now.slice(1, carriedOfStep)), ofWindows;
        ValueRange before = now.drop_front(1 + carriedOfStep);
        Value steps = planSteps(step, windows, now[0], end);
        for (size_t t = 0; t < keySets.size(); ++t) {
          if (!slides(t))
            continue;
          llvm::append_range(ofWindows, openChunk(f, step, windows, t, now[0],
                                                  steps, before[0], before[1]));
          before = before.drop_front(2);
          ofStep[1 + t] = step.limits[t];
        }
        ofStep = e.loop(e.index(0), steps, 1, ofStep,
                        [&](Value s, ValueRange carriedOfStep) {
                          step.first = stepStart(windows, s);
                          step.count = e.sub(stepStart(windows, e.add(s, 1)),
                                             step.first);
                          for (size_t t = 0; t < keySets.size(); ++t)
                            if (slides(t))
                              step.whole[t] = stepSlot(f, t, s);
                          return takeStep(f, step, carriedOfStep);
                        });
        Values next = {stepStart(windows, steps)};
        llvm::append_range(next, ofStep);
        llvm::append_range(next, ofWindows);
        return next;
      });
}

//===----------------------------------------------------------------------===//
// One window
//===----------------------------------------------------------------------===//

/// The wholes of all steps of a chunk, and nothing at hand. Returns how many
/// blocks are made now, and the pivot.
Emitter::Values TensorAttentionEmitter::openChunk(Features &f, Step &step,
                                                  Windows &windows, size_t set,
                                                  Value first, Value steps,
                                                  Value built, Value pivot) {
  useSet(keySets[set]);
  Value last = e.sub(stepStart(windows, steps), e.index(1));
  KeyRange<Value> keys{rangeOf(set, last).begin, step.limits[set]};
  Value begin = e.ceilDiv(keys.begin, windows.block[set]);
  KeyRange<Value> blocks{begin,
                         e.max(begin, e.div(keys.end, windows.block[set]))};
  Value base = stepSlot(f, set, e.sub(steps, e.index(1)));
  Values moved =
      moveWindow(f, windows, set, step.keyHead, blocks, built, pivot, base);
  addPieces(f, step, windows, set, keys, blocks, steps);
  clearState(f, e.index(sets() + int64_t(set)));
  return moved;
}

/// The state of the blocks: new ones are made, and the queue moves on.
Emitter::Values
TensorAttentionEmitter::moveWindow(Features &f, Windows &windows, size_t set,
                                   Value keyHead, KeyRange<Value> blocks,
                                   Value built, Value pivot, Value base) {
  auto slotOf = [&](Value block) { return blockSlot(f, windows, set, block); };
  Value block = windows.block[set], running = e.index(int64_t(set));
  Value fresh = e.max(built, blocks.begin);
  e.loop(fresh, blocks.end, 1, [&](Value i) {
    Value from = e.mul(i, block);
    emitUpdate(f, keyHead, slotOf(i), from, e.add(from, block));
  });
  // All sums up to the pivot have been used up.
  Value moves = e.less(pivot, blocks.begin);
  pivot = e.select(moves, blocks.end, pivot);
  Value first = e.select(moves, blocks.end, fresh);
  Value anyToPivot = e.less(blocks.begin, pivot);
  forLocalParts(f, [&](const StatePart &part) {
    e.when(moves, [&] { sumBackwards(part, blocks, slotOf); });
    Value sum = e.select(moves, part.zero(), part.load(running));
    sum = e.loop(first, blocks.end, 1, {sum}, [&](Value i, ValueRange sums) {
      return Values{e.addf(sums[0], part.load(slotOf(i)))};
    })[0];
    part.store(sum, running);
    Value toPivot = part.load(slotOf(blocks.begin));
    toPivot = e.select(anyToPivot, toPivot, part.zero());
    part.store(e.addf(sum, toPivot), base);
  });
  return {e.max(built, blocks.end), pivot};
}

/// In place of each block the sum from it to the last one.
void TensorAttentionEmitter::sumBackwards(const StatePart &part,
                                          KeyRange<Value> blocks,
                                          function_ref<Value(Value)> slot) {
  e.loop(e.index(0), e.sub(blocks.end, blocks.begin), 1, {part.zero()},
         [&](Value i, ValueRange sums) {
           Value at = slot(e.sub(e.sub(blocks.end, e.index(1)), i));
           Value sum = e.addf(sums[0], part.load(at));
           part.store(sum, at);
           return Values{sum};
         });
}

/// Keys before and after the blocks enter the whole of the last step; then each
/// step before it has the whole of its successor and the keys that leave in
/// between.
void TensorAttentionEmitter::addPieces(Features &f, Step &step,
                                       Windows &windows, size_t set,
                                       KeyRange<Value> keys,
                                       KeyRange<Value> blocks, Value steps) {
  auto beginOf = [&](Value i) {
    Value next = stepStart(windows, e.add(i, 1));
    return rangeOf(set, e.sub(next, e.index(1))).begin;
  };
  Value lastStep = e.sub(steps, e.index(1));
  e.loop(e.index(0), e.add(steps, 1), 1, [&](Value piece) {
    Value isBefore = e.less(piece, e.index(1));
    Value isBeside = e.less(piece, e.index(2));
    Value back = e.max(e.sub(piece, e.index(1)), e.index(0));
    Value at = e.sub(lastStep, back), slot = stepSlot(f, set, at);
    Value after = e.min(e.add(at, 1), lastStep);
    Value source = stepSlot(f, set, after);
    e.when(e.less(e.index(1), piece), [&] {
      forLocalParts(f, [&](const StatePart &part) {
        part.store(part.load(source), slot);
      });
    });
    auto edge = [&](Value block) { return e.mul(block, windows.block[set]); };
    Value from = e.select(isBefore, keys.begin,
                          e.select(isBeside, edge(blocks.end), beginOf(at)));
    Value to = e.select(isBefore, e.min(edge(blocks.begin), keys.end),
                        e.select(isBeside, keys.end, beginOf(after)));
    addToState(f, step.keyHead, slot, from, to, /*few=*/true);
  });
}
