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
// (emitStateFull). Under masks that start at key 0 states run along with the
// queries (emitRunning).

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
  };
  void emitDirect();
  Lanes packLanes();
  void packLaneWeights(Value tile, Value keyHead, Value first);
  void emitQuery(const Lanes &lanes, Value head, Value index);
  void forOuterKeys(const Lanes &lanes, Query &query, size_t set);
  Query withKey(const Query &query, const KeySet &set, Value key);
  void addTiles(const Lanes &lanes, Query &query);
  void fillFromLanes(const Lanes &lanes, Query &query, Tile &t, Value slot);
  void addTile(const Lanes &lanes, Query &query, Tile &t, Value slot);
  struct LaneFactors {
    Values counts, factors;
  };
  LaneFactors laneFactors(const Lanes &lanes, Query &query, Tile &t,
                          Value slot);
  void closeQuery(Query &query);

  // TensorState.cpp
  /// A tile of as many queries as there are lanes, and the keys that come into
  /// view with them: one of each set for each query, or none.
  struct Step {
    Value head, keyHead, first, count;
    /// [1 + d][lanes] ones and queries, or keys of each set, transposed.
    Value queries;
    llvm::SmallVector<Value> keys;
    /// [lanes][columns] values of each set, times weights; [lanes] weights, 0
    /// where no key comes into view.
    llvm::SmallVector<Value> values, weights;
    /// [lanes][columns] weighted values; [lanes] sums of weights.
    Value outputs, sums;
    /// [featureBlock][lanes] features of queries, with their weights, and of
    /// keys.
    Value queryFeatures;
    llvm::SmallVector<Value> keyFeatures;
  };
  int64_t sets() const { return int64_t(keySets.size()); }
  int64_t queriesAtOnce() const;
  void emitRunning(Features &f);
  void emitShareStates(Features &f, Value share, int64_t shares);
  void emitShare(Features &f, Features &before, Value head, Value number,
                 Value share, int64_t shares);
  void openShare(Features &f, Features &before, Value keyHead, Value number,
                 int64_t shares);
  Step allocateStep();
  Value seenBefore(size_t set, Value query);
  Values catchUp(Features &f, Step &step, mlir::ValueRange seen);
  Value countQueries(Step &step, Value end);
  void packStep(Step &step, mlir::ValueRange seen);
  void packStepKey(Step &step, size_t set, Value lane, Value key, Value comes);
  void addStep(Features &f, Step &step);
  void makeFeatures(Features &f, Step &step, Value first, Value count);
  void addDenominators(Features &f, Step &step, Value first, Value count);
  void addColumns(Features &f, Step &step, Value first, Value count,
                  Value column, int64_t lane);
  void closeStep(Step &step);
  void forLocalParts(Features &f,
                     llvm::function_ref<void(const StatePart &)> body);

  llvm::SmallVector<MaskAttrInterface> masks;
};

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_TENSORATTENTIONEMITTER_H
