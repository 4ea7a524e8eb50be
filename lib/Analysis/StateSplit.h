// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What a mask leaves to do, in tiles of queries and blocks of keys: counts that
// the cost model multiplies by rates.

#ifndef POLYATTN_LIB_ANALYSIS_STATESPLIT_H
#define POLYATTN_LIB_ANALYSIS_STATESPLIT_H

#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Approximation/Certificate.h"

#include <cmath>

namespace polyattn {

/// Queries of a tile, keys of a block of the state.
constexpr int64_t queryTile = 64, keyBlock = SummationShape{}.KeyBlock;
/// The same of bf16 tiles, and queries of a task of linear features.
constexpr int64_t queriesOfTiles = 32, keysOfTiles = 128, linearTask = 256;

/// What a mask leaves to each evaluation order.
struct StateSplit {
  /// (query, key) pairs of one head that are evaluated directly, or what costs
  /// as much.
  double directPairs;
  /// Queries that read a state, and keys that enter one, in whole tiles and
  /// blocks; states that are summed.
  double stateRows, stateKeys, states;
  /// States that are read to be added beyond that.
  double addedStates;
};

/// What evaluation through states of so many numbers leaves to do directly.
StateSplit split(const AttentionWork &work, double stateEntries,
                 const TargetDescription &target);

/// States that one head needs at a time: blocks, sums of chunks, and the sum so
/// far.
int64_t leastStates(attn::MaskAttrInterface mask);

/// (query, key) pairs of so many rows of one head in tiles of queries and
/// blocks of keys, which stand out of each edge of the mask by half of one.
double pairsInTiles(const AttentionWork &work, double rows,
                    double tile = queryTile, double block = 1);

/// Tiles of queries under a mask with steps, each of which sees all keys that
/// its last row does: how many rows they have, and pairs with keys.
std::optional<std::pair<double, double>>
rowsAndPairsInSteps(const AttentionWork &work);

inline double roundUp(double x, double to) { return std::ceil(x / to) * to; }

} // namespace polyattn

#endif // POLYATTN_LIB_ANALYSIS_STATESPLIT_H
