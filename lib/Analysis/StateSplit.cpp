// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "StateSplit.h"
#include "polyattn/Analysis/StepTiling.h"

#include <algorithm>

using namespace mlir;
using namespace polyattn;
using KeyRange = attn::KeyRange<int64_t>;

//===----------------------------------------------------------------------===//
// Calibration (docs/cost-model.md)
//===----------------------------------------------------------------------===//

/// Adding an entry of a state to another one in a row of states, which is
/// memory's time.
static constexpr double flopsPerSummedEntry = 8;
/// A pair at the edges of a window, in other pairs: masked, in pieces of
/// blocks. (Of a prefix there is one edge; the state's other terms have that in
/// them.)
static constexpr double pairsPerEdgePair = 1.75;
/// Keys of a block between two steps of a mask at most.
static constexpr int64_t blockOfSteps = 512;

/// Longer chunks mean more direct work, shorter ones more summing of states
/// (some operations' time per entry); this is the minimum of the sum.
static int64_t chunkOfQueries(double stateEntries, double columns) {
  double best = std::sqrt(6.0 * flopsPerSummedEntry * stateEntries / columns);
  return int64_t(
      roundUp(std::clamp(best, double(queryTile), 512.0), queryTile));
}

int64_t polyattn::leastStates(attn::MaskAttrInterface mask) {
  if (mask.admitsAll())
    return 1;
  return mask.startsAtZero() ? 3 : 8;
}

StateTiling polyattn::tileStates(const attn::AttentionSizes &sizes,
                                 attn::MaskAttrInterface mask,
                                 double stateEntries) {
  StateTiling tiling;
  double columns = double(sizes.headDim + sizes.valueDim);
  tiling.chunk = chunkOfQueries(stateEntries, columns);
  tiling.block = tiling.chunk % keyBlock ? keyBlock : tiling.chunk;
  if (hasSteps(mask)) // Nothing beside blocks is direct, however long.
    tiling.block = blockOfSteps;
  bool slides = !mask.startsAtZero();
  // Reading a state costs as much as this many keys. With two edges the state's
  // terms need two blocks of keys to stay within what certificates count
  // (emitChunkTile).
  tiling.leastKeys = int64_t(
      roundUp(std::max(stateEntries / columns, (slides ? 2.0 : 1.0) * keyBlock),
              keyBlock));
  int64_t states = int64_t(double(scratchBytes) / (4 * stateEntries));
  states = std::max<int64_t>(states, leastStates(mask));
  tiling.heads = std::max<int64_t>(1, states / (slides ? 128 : 32));
  if (!ShapedType::isDynamic(sizes.keyHeads))
    tiling.heads = std::clamp<int64_t>(sizes.keyHeads, 1, tiling.heads);
  int64_t ofHead = states / tiling.heads;
  tiling.mostBlocks = slides ? ofHead / 2 : 0;
  tiling.chunkStates = (ofHead - 1 - tiling.mostBlocks) / 2;
  tiling.blockStates = ofHead - 1 - tiling.chunkStates;
  return tiling;
}

int64_t StateTiling::blockFor(int64_t mostKeys) const {
  if (mostBlocks == 0)
    return block;
  return std::max(
      block, int64_t(roundUp(double(mostKeys) / double(mostBlocks), keyBlock)));
}

std::optional<std::pair<double, double>>
polyattn::rowsAndPairsInSteps(const AttentionWork &work) {
  int64_t n = work.sizes.numQueries, m = work.sizes.numKeys;
  auto steps = tileSteps(work.mask, {queryTile, queryTile / 2});
  if (!steps || work.mask.admitsAll())
    return std::nullopt;
  double rows = 0, pairs = 0;
  for (auto [tile, chunk] :
       steps->tilesOfRows(work.mask.getFirstPosition(n, m), n)) {
    double whole = std::min<double>(queryTile, roundUp(double(n), 16));
    rows += whole;
    pairs += whole * double(work.mask.getKeyRange(tile.to - 1, n, m).end);
  }
  return std::pair(rows, pairs);
}

double polyattn::pairsInTiles(const AttentionWork &work, double rows,
                              double tile, double block) {
  attn::MaskAttrInterface mask = work.mask;
  double whole = rows * roundUp(double(work.sizes.numKeys), block);
  if (mask.admitsAll())
    return whole;
  double edges = mask.startsAtZero() ? 1 : 2;
  double admitted =
      mask.countAdmitted(work.sizes.numQueries, work.sizes.numKeys);
  return std::min(whole, admitted + edges * rows * (tile + block - 1) / 2);
}

/// The keys that all queries of a chunk see.
static KeyRange commonKeys(const AttentionWork &work, int64_t first,
                           int64_t rows) {
  int64_t n = work.sizes.numQueries, m = work.sizes.numKeys;
  attn::MaskAttrInterface mask = work.mask;
  return {mask.getKeyRange(first + rows - 1, n, m).begin,
          mask.getKeyRange(first, n, m).end};
}

/// Calls body(keys, rows) for the chunks, or for so many of them that they tell
/// all: ranges are piecewise linear in the chunk. An odd step meets all places
/// that chunks have among blocks.
static void forSomeChunks(const AttentionWork &work, int64_t length,
                          function_ref<void(KeyRange, double)> body) {
  int64_t n = work.sizes.numQueries, chunks = (n + length - 1) / length;
  int64_t step = (chunks / 1024) | 1;
  for (int64_t c = step / 2; c < chunks; c += step) {
    int64_t rows = std::min(length, n - c * length);
    body(commonKeys(work, c * length, rows), double(rows));
  }
}

static StateSplit splitWithoutMask(const AttentionWork &work,
                                   const TargetDescription &target) {
  return {0, roundUp(double(work.sizes.numQueries), queryTile),
          roundUp(double(work.sizes.numKeys), keyBlock),
          std::max(1.0, 4.0 * target.cores / double(work.sizes.keyHeads)), 0};
}

/// Each chunk of queries takes the blocks of keys that all of it sees from a
/// state and the rest directly.
static StateSplit splitByChunks(const AttentionWork &work,
                                const StateTiling &tiling) {
  int64_t widest = 0, begin = work.sizes.numKeys, end = 0;
  forSomeChunks(work, tiling.chunk, [&](KeyRange keys, double) {
    widest = std::max(widest, keys.end - keys.begin);
    begin = std::min(begin, keys.begin);
    end = std::max(end, keys.end);
  });
  int64_t block = tiling.blockFor(widest);
  double pairs = 0, sampled = 0;
  forSomeChunks(work, tiling.chunk, [&](KeyRange keys, double rows) {
    int64_t inBlocks =
        keys.end / block * block - (keys.begin + block - 1) / block * block;
    sampled += rows;
    if (inBlocks >= tiling.leastKeys)
      pairs += rows * double(inBlocks);
  });
  double n = double(work.sizes.numQueries);
  double edges = std::max(0.0, pairsInTiles(work, n) - pairs / sampled * n);
  if (tiling.mostBlocks)
    edges *= pairsPerEdgePair;
  double stateKeys = double(std::max<int64_t>(end - begin, 0));
  double blocks = stateKeys / double(block), chunks = n / double(tiling.chunk);
  // Beside what sums over prefixes take, a window's read and write every block
  // once more, and each chunk adds two.
  double sums = tiling.mostBlocks ? 2 * blocks + chunks : 0;
  // Chunks that do without a state are few where it pays.
  return {edges, roundUp(n, queryTile), stateKeys, std::max(blocks, chunks),
          sums};
}

/// Keys that a chunk has from a state.
static int64_t stateKeysOfChunk(const AttentionWork &work,
                                const StepTiling &steps,
                                const StateTiling &tiling, int64_t chunk) {
  int64_t n = work.sizes.numQueries, m = work.sizes.numKeys;
  int64_t first = work.mask.getFirstPosition(n, m);
  int64_t blocks = steps.chunks[chunk].blocks;
  int64_t keys =
      blocks == StepTiling::everything ? m : std::min(m, steps.blocks[blocks]);
  int64_t row = steps.rowsOfChunk(chunk, first, n).from;
  bool seen = keys <= work.mask.getKeyRange(row, n, m).end;
  return seen && keys >= tiling.leastKeys ? keys : 0;
}

/// Chunks and blocks end where ranges change.
static StateSplit splitBySteps(const AttentionWork &work,
                               const StepTiling &steps,
                               const StateTiling &tiling) {
  int64_t n = work.sizes.numQueries, m = work.sizes.numKeys, most = 0;
  StateSplit split{};
  for (auto [tile, chunk] :
       steps.tilesOfRows(work.mask.getFirstPosition(n, m), n)) {
    int64_t keys = stateKeysOfChunk(work, steps, tiling, chunk);
    int64_t seen = work.mask.getKeyRange(tile.to - 1, n, m).end;
    split.directPairs += queryTile * double(seen - keys);
    split.stateRows += keys ? queryTile : 0;
    most = std::max(most, keys);
  }
  for (StepTiling::Piece block : steps.blocksOfKeys(most)) {
    split.stateKeys += roundUp(double(block.size()), keyBlock);
    split.states += 1;
  }
  split.states = std::max(split.states, double(steps.chunks.size()));
  return split;
}

StateSplit polyattn::split(const AttentionWork &work, double stateEntries,
                           const TargetDescription &target) {
  if (work.mask.admitsAll() || work.sizes.numQueries == 0)
    return splitWithoutMask(work, target);
  StateTiling tiling = tileStates(work.sizes, work.mask, stateEntries);
  if (auto steps = tileSteps(
          work.mask, {queryTile, queryTile, tiling.leastKeys, tiling.block}))
    return splitBySteps(work, *steps, tiling);
  return splitByChunks(work, tiling);
}
