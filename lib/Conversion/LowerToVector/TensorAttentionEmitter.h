// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Both evaluations of tensor attention.
//
// Direct: for one query q, and one key of every set but the last two, a pair of
// keys (j, l) has the score of an ordinary query q * k_j (entry by entry) with
// key k_l. So the keys of the last set but one are the lanes of a tile, and the
// keys of the last set stream past it, as in attention; what comes out is
// multiplied by the values v_j and summed over the lanes.
//
// State: features factor over the sets, so that sums over tuples are entrywise
// products of sums over keys. Without masks each set has one state
// (emitStateFull). Under masks states run along with the queries (emitRunning);
// keys that leave a sliding window are taken from states that were made without
// them (TensorWindows.cpp).

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_TENSORATTENTIONEMITTER_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_TENSORATTENTIONEMITTER_H

#include "AttentionEmitter.h"

namespace polyattn::attn {

class TensorAttentionEmitter : AttentionEmitter {
public:
  using Sets = llvm::SmallVector<KeySet, 2>;

  /// `query`, `output` and the keys and values of at least two sets are memrefs
  /// [heads, length, dim]; weights, if not null, are memrefs [heads, length].
  TensorAttentionEmitter(Emitter &e, const TargetDescription &target,
                         TensorAttentionOp op, Value query, Value output,
                         Sets sets);

  void emit();

private:
  KeyRange<Value> rangeOf(size_t set, Value query);

  // TensorDirect.cpp
  /// What one query, together with one key of each outer set, brings to a tile
  /// of pairs; and the query's result so far.
  struct Query {
    Value head, keyHead, index;
    /// [d] q * k * ..., [columns] v * ... (null without outer sets) and the
    /// product of their weights.
    Value factors, values, weight;
    /// [columns] weighted values; [2]: the sum of weights, and what both are
    /// relative to.
    Value outputs, sums;
  };
  /// The set of lanes in tiles [heads * tiles][1 + dim][queryTile], transposed.
  /// Row 0 of the values has the weights.
  struct Lanes {
    Value keys, values, tiles;
    /// [heads][dim] the largest magnitudes of each column of the last set's
    /// keys, if they are to bound scores.
    Value most;
  };
  void emitDirect();
  Lanes packLanes();
  void packLaneWeights(Value tile, Value keyHead, Value first);
  void emitQuery(const Lanes &lanes, Value head, Value index);
  void forOuterKeys(const Lanes &lanes, Query &query, size_t set);
  Query withKey(const Query &query, const KeySet &set, Value key);
  void addTiles(const Lanes &lanes, Query &query);
  Value largestColumns();
  Value fillFromLanes(const Lanes &lanes, Query &query, Tile &t, Value slot);
  void addKeysWithin(Tile &t, KeyRange<Value> keys, Value bound);
  void addTile(const Lanes &lanes, Query &query, Tile &t, Value slot);
  struct LaneFactors {
    Values counts, factors;
  };
  LaneFactors laneFactors(const Lanes &lanes, Query &query, Tile &t,
                          Value slot);
  void closeQuery(Query &query);

  // TensorState.cpp, and from allocateRows on TensorSteps.cpp
  /// Keys of a set that belong to the lanes of a step, one each, or none:
  /// [1 + d][lanes] ones and keys, transposed; [lanes][columns] values times
  /// weights; [lanes] weights, 0 where there is none; [featureBlock][lanes]
  /// features.
  struct LaneKeys {
    Value keys, values, weights, features;
  };
  /// A tile of as many queries as there are lanes, and the keys that come into
  /// view with them: one of each set for each query, or none.
  struct Step {
    Value head, keyHead, first, count;
    /// [1 + d][lanes] ones and queries, transposed.
    Value queries;
    /// Of each set; `leaving` of sliding windows only: what a query is the last
    /// one to see.
    llvm::SmallVector<LaneKeys, 2> coming, leaving;
    /// Slots of what all queries of the step see.
    llvm::SmallVector<Value, 2> whole;
    /// Of sliding windows: keys before which all windows of the step must
    /// begin.
    llvm::SmallVector<Value, 2> limits;
    /// [lanes][columns] weighted values; [lanes] sums of weights.
    Value outputs, sums;
    /// [featureBlock][lanes] features of queries, with their weights.
    Value queryFeatures;
  };
  int64_t sets() const { return int64_t(keySets.size()); }
  bool slides(size_t set) { return !masks[set].startsAtZero(); }
  bool slides() {
    return llvm::any_of(masks, [](auto m) { return !m.startsAtZero(); });
  }
  int64_t queriesAtOnce() const;
  Value endOf(size_t set, Value query);
  void emitRunning(Features &f);
  void emitShareStates(Features &f, Value share, int64_t shares);
  void emitShare(Features &f, Features &before, Value head, Value number,
                 Value share, int64_t shares);
  void openShare(Features &f, Features &before, Value keyHead, Value number,
                 int64_t shares);
  Value allocateRows();
  LaneKeys allocateLaneKeys();
  Step allocateStep();
  Value seenBefore(size_t set, Value query);
  Values takeStep(Features &f, Step &step, mlir::ValueRange carried);
  Values catchUp(Features &f, Step &step, mlir::ValueRange seen);
  Value countQueries(Step &step, Value end);
  void packStep(Step &step, mlir::ValueRange seen);
  void packComing(Step &step, size_t set, Value seen);
  void packLeaving(Step &step, size_t set);
  void packLaneKey(Step &step, const LaneKeys &keys, Value lane, Value key,
                   Value exists);
  void addStep(Features &f, Step &step);
  void makeFeatures(Features &f, Step &step, Value first, Value count);
  void addDenominators(Features &f, Step &step, Value first, Value count);
  void addColumns(Features &f, Step &step, Value first, Value count,
                  Value column, int64_t lane);
  Values withLeaving(Step &step, size_t set, Value k, Value whole, Value column,
                     int64_t lane);
  void closeStep(Step &step);
  void forLocalParts(Features &f,
                     llvm::function_ref<void(const StatePart &)> body);

  // TensorWindows.cpp
  /// What a share knows of its sliding windows.
  struct Windows {
    /// [steps + 1] index: queries at which the steps of a chunk begin.
    Value starts;
    /// Of each set, null where it has no window: keys of a block, and blocks
    /// that one window may hold.
    llvm::SmallVector<Value, 2> block, blocks;
  };
  int64_t ringOf(Features &f);
  int64_t statesOfShare(Features &f);
  Value stepSlot(Features &f, size_t set, Value step);
  Value blockSlot(Features &f, Windows &windows, size_t set, Value block);
  Value longShare(int64_t shares);
  Windows openWindows(Features &f, Value first, Value end);
  Value planSteps(Step &step, Windows &windows, Value first, Value end);
  void emitWindows(Features &f, Step &step, Value first, Value end);
  Values openChunk(Features &f, Step &step, Windows &windows, size_t set,
                   Value first, Value steps, Value built, Value pivot);
  Values moveWindow(Features &f, Windows &windows, size_t set, Value keyHead,
                    KeyRange<Value> blocks, Value built, Value pivot,
                    Value base);
  void sumBackwards(const StatePart &part, KeyRange<Value> blocks,
                    llvm::function_ref<Value(Value)> slot);
  void addPieces(Features &f, Step &step, Windows &windows, size_t set,
                 KeyRange<Value> keys, KeyRange<Value> blocks, Value steps);
  Value stepStart(Windows &windows, Value step);

  llvm::SmallVector<MaskAttrInterface> masks;
};

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_TENSORATTENTIONEMITTER_H
