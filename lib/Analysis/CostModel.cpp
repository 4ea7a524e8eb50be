// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Operation counts divided by the rate at which generated code performs them.

#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Analysis/StepTiling.h"
#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Approximation/Monomials.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace polyattn;
using KeyRange = attn::KeyRange<int64_t>;

namespace {

//===----------------------------------------------------------------------===//
// Calibration: every number here that is not a count of operations. Fitted to
// benchmarks/model_grid.py; docs/cost-model.md says how.
//===----------------------------------------------------------------------===//

/// Share of the peak that register blocks of multiply-adds reach.
constexpr double productEfficiency = 0.85;
/// bf16 tile products, in multiples of the peak of f32.
constexpr double tileProductSpeed = 4.5;
/// Vector operations of one weight: exp with its range reduction and running
/// maximum; a polynomial beside one for each degree; rounding for tiles.
constexpr double expOperations = 16, plainOperations = 3, tileOperations = 6;
/// Two of these are as many flops as an operation could have been.
constexpr double flopsPerOperation = 1.45;
/// Transposing a row of queries and of outputs, for each of their columns.
constexpr double cyclesPerRowColumn = 1.3, cyclesPerStateRowColumn = 0.3;
/// Opening and closing a tile of queries; a share of a state or a tile of it.
constexpr double cyclesPerTile = 900, cyclesPerStateTask = 2800;
/// The same where features are the columns of a row themselves: each column
/// widened or waited for, and a share of a state or a panel of queries.
constexpr double cyclesPerLinearRowColumn = 0.15, cyclesPerLinearTask = 1000;
/// Adding an entry of a state to another one, which is memory's time: in a row
/// of states, and where windows of them are added.
constexpr double flopsPerSummedEntry = 8, flopsPerWindowEntry = 24;
/// A pair at the edges of a window, in other pairs: masked, in pieces of
/// blocks. (Of a prefix there is one edge; the state's other terms have that in
/// them.)
constexpr double pairsPerEdgePair = 1.75;
/// A state that grows while it is read, in other states.
constexpr double runningStateSlowness = 1.5;
/// Making a feature out of another one and storing it, in vector operations.
constexpr double operationsPerFeatureDegree = 2.5;
/// A call: starting threads and waiting for them.
constexpr double cyclesPerCall = 20e3;
/// One pass over memory with two operations per number loaded.
constexpr double boundCheckEfficiency = 0.1;
/// Beyond this a state leaves every cache that one core can count on.
constexpr double largestStateBytes = 32 << 20;
/// Where scratchBytes do not hold what a mask needs, up to this is taken.
constexpr double mostScratchBytes = 64 << 20;
/// What a state must gain before it is preferred.
constexpr double leastGain = 1.1;

/// Queries of a tile, keys of a block of the state.
constexpr int64_t queryTile = 64, keyBlock = SummationShape{}.KeyBlock;
/// The same of bf16 tiles, and queries of a task of linear features.
constexpr int64_t queriesOfTiles = 32, keysOfTiles = 128, linearTask = 256;
/// Keys of a block between two steps of a mask at most.
constexpr int64_t blockOfSteps = 512;

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

} // namespace

static double roundUp(double x, double to) { return std::ceil(x / to) * to; }

/// Flops of one core and cycle.
static double flopsPerCycle(const AttentionWork &work,
                            const TargetDescription &target) {
  return target.flopsPerCycle() / (work.elementType.isF64() ? 2.0 : 1.0);
}

/// Longer chunks mean more direct work, shorter ones more summing of states
/// (some operations' time per entry); this is the minimum of the sum.
static int64_t chunkOfQueries(double stateEntries, double columns) {
  double best = std::sqrt(6.0 * flopsPerSummedEntry * stateEntries / columns);
  return int64_t(
      roundUp(std::clamp(best, double(queryTile), 512.0), queryTile));
}

/// That one head needs at a time: blocks, sums of chunks, and the sum so far.
static int64_t leastStates(attn::MaskAttrInterface mask) {
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
  if (mask.getSteps()) // Nothing beside blocks is direct, however long.
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

/// Tiles of queries under a mask with steps, each of which sees all keys that
/// its last row does: how many rows they have, and pairs with keys.
static std::optional<std::pair<double, double>>
rowsAndPairsInSteps(const AttentionWork &work) {
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

/// (query, key) pairs of so many rows of one head in tiles of queries and
/// blocks of keys, which stand out of each edge of the mask by half of one.
static double pairsInTiles(const AttentionWork &work, double rows,
                           double tile = queryTile, double block = 1) {
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

/// What evaluation through states of so many numbers leaves to do directly.
static StateSplit split(const AttentionWork &work, double stateEntries,
                        const TargetDescription &target) {
  if (work.mask.admitsAll() || work.sizes.numQueries == 0)
    return splitWithoutMask(work, target);
  StateTiling tiling = tileStates(work.sizes, work.mask, stateEntries);
  if (auto steps = tileSteps(
          work.mask, {queryTile, queryTile, tiling.leastKeys, tiling.block}))
    return splitBySteps(work, *steps, tiling);
  return splitByChunks(work, tiling);
}

/// Is direct evaluation one of bf16 tiles?
static bool usesTiles(const AttentionWork &work,
                      const TargetDescription &target) {
  return target.bf16Tiles && work.elementType.isBF16() && !work.certified;
}

/// Cycles of the products of one pair of query and key, and of its weight.
static double productCycles(const AttentionWork &work, bool tiles,
                            const TargetDescription &target) {
  double flops = 2.0 * double(work.sizes.headDim + work.sizes.valueDim);
  return flops / (flopsPerCycle(work, target) * productEfficiency *
                  (tiles ? tileProductSpeed : 1.0));
}

/// `kernelDegree` 0 is exp.
static double weightCycles(const AttentionWork &work, unsigned kernelDegree,
                           bool tiles, const TargetDescription &target) {
  double operations =
      kernelDegree == 0 ? expOperations : plainOperations + kernelDegree;
  return (operations + (tiles ? tileOperations : 0.0)) * flopsPerOperation /
         (flopsPerCycle(work, target) * productEfficiency);
}

/// What tiles of queries cost beside their products.
static double tileCycles(const AttentionWork &work, double rows) {
  return rows * double(work.sizes.headDim + work.sizes.valueDim) *
             cyclesPerRowColumn +
         rows / queryTile * cyclesPerTile;
}

AttentionWork AttentionWork::of(attn::ApproximableOpInterface op) {
  SmallVector<attn::KeyAxis, 2> axes = op.getKeyAxes();
  AttentionWork work{op.getSizes(), axes[0].mask, op.getElementType(),
                     bool(op.getCertificate())};
  for (const attn::KeyAxis &axis : ArrayRef(axes).drop_front())
    work.furtherSets.push_back({axis.numKeys, axis.mask});
  return work;
}

bool AttentionWork::isStatic() const {
  return !ShapedType::isDynamic(sizes.numQueries) &&
         !ShapedType::isDynamic(sizes.numKeys) &&
         llvm::none_of(furtherSets, [](const KeySet &set) {
           return ShapedType::isDynamic(set.numKeys);
         });
}

bool AttentionWork::isEmpty() const {
  return llvm::is_contained({sizes.queryHeads, sizes.keyHeads, sizes.numQueries,
                             sizes.numKeys, sizes.headDim, sizes.valueDim},
                            0) ||
         llvm::any_of(furtherSets,
                      [](const KeySet &set) { return set.numKeys == 0; });
}

AttentionWork AttentionWork::at(int64_t length) const {
  AttentionWork known = *this;
  auto fill = [](int64_t &size, int64_t by) {
    if (ShapedType::isDynamic(size))
      size = by;
  };
  fill(known.sizes.numQueries, length);
  fill(known.sizes.numKeys, length);
  for (KeySet &set : known.furtherSets)
    fill(set.numKeys, length);
  fill(known.sizes.queryHeads, known.sizes.keyHeads);
  fill(known.sizes.queryHeads, 1);
  fill(known.sizes.keyHeads, known.sizes.queryHeads);
  return known;
}

AttentionWork AttentionWork::atAnyLength() const {
  AttentionWork any = *this;
  any.sizes.numQueries = any.sizes.numKeys = ShapedType::kDynamic;
  for (KeySet &set : any.furtherSets)
    set.numKeys = ShapedType::kDynamic;
  return any;
}

//===----------------------------------------------------------------------===//
// Several sets of keys
//===----------------------------------------------------------------------===//

/// Tuples of one head whose keys the masks admit, summed over the queries, the
/// last set but one in whole tiles: its keys are the lanes.
static double tuplesOfSets(const AttentionWork &work) {
  int64_t n = work.sizes.numQueries, step = std::max<int64_t>(n / 1024, 1);
  double sum = 0, sampled = 0;
  for (int64_t query = step / 2; query < n; query += step, ++sampled) {
    auto seen = [&](attn::MaskAttrInterface mask, int64_t numKeys) {
      KeyRange range = mask.getKeyRange(query, n, numKeys);
      return double(std::max<int64_t>(range.end - range.begin, 0));
    };
    double tuples = seen(work.mask, work.sizes.numKeys);
    for (auto [t, set] : llvm::enumerate(work.furtherSets)) {
      // Of p sets number p - 2, of which number t - 1 of the further ones is.
      if (t + 1 == work.furtherSets.size())
        tuples = roundUp(tuples, queryTile);
      tuples *= seen(set.mask, set.numKeys);
    }
    sum += tuples;
  }
  return sampled ? sum / sampled * double(n) : 0;
}

static double directCyclesOfSets(const AttentionWork &work,
                                 unsigned kernelDegree,
                                 const TargetDescription &target) {
  return cyclesPerCall * target.cores +
         double(work.sizes.queryHeads) * tuplesOfSets(work) *
             (productCycles(work, /*tiles=*/false, target) +
              weightCycles(work, kernelDegree, /*tiles=*/false, target));
}

/// One row of a set enters a state, or one query reads it: its features, and an
/// operation for each entry.
static double stateRowCycles(const AttentionWork &work, double rank,
                             unsigned degree, double operationsPerEntry,
                             const TargetDescription &target) {
  double columns = double(work.sizes.valueDim + 1);
  double flops = 2 * operationsPerEntry * rank * columns +
                 rank * degree * operationsPerFeatureDegree * flopsPerOperation;
  return flops / (flopsPerCycle(work, target) * productEfficiency) +
         double(work.sizes.headDim + work.sizes.valueDim) *
             cyclesPerStateRowColumn;
}

static double stateCyclesOfSets(const AttentionWork &work, unsigned degree,
                                const TargetDescription &target) {
  double rank = double(monomialCount(work.sizes.headDim, degree));
  double n = double(work.sizes.numQueries),
         sets = double(1 + work.furtherSets.size());
  bool full = work.mask.admitsAll();
  double keys = double(work.sizes.numKeys);
  for (const AttentionWork::KeySet &set : work.furtherSets) {
    full &= set.mask.admitsAll();
    keys += double(set.numKeys);
  }
  double heads = double(work.sizes.queryHeads),
         keyHeads = double(work.sizes.keyHeads);
  double rows = cyclesPerCall * target.cores;
  // Under masks queries and keys go hand in hand, and states grow key by key:
  // two operations for each set, then the product, then the sum.
  if (!full)
    return rows + heads * n *
                      stateRowCycles(work, rank, degree, 3 * sets, target) *
                      runningStateSlowness;
  return rows +
         keyHeads * keys * stateRowCycles(work, rank, degree, 1, target) +
         heads * n * stateRowCycles(work, rank, degree, 1, target);
}

//===----------------------------------------------------------------------===//
// One set of keys
//===----------------------------------------------------------------------===//

double polyattn::directCycles(const AttentionWork &work, unsigned kernelDegree,
                              const TargetDescription &target) {
  if (!work.furtherSets.empty())
    return directCyclesOfSets(work, kernelDegree, target);
  double n = double(work.sizes.numQueries);
  bool tiles = usesTiles(work, target);
  double tile = double(tiles ? queriesOfTiles : queryTile);
  // A few queries are rows of the code; others fill vectors, then tiles.
  double rows = n;
  if (n > target.lanes() / 3)
    rows = roundUp(n, n <= queryTile && !tiles ? target.lanes() : tile);
  double products =
      pairsInTiles(work, rows, tile, tiles ? double(keysOfTiles) : 1.0);
  double weights = pairsInTiles(work, rows, tile);
  if (auto inSteps = rowsAndPairsInSteps(work);
      inSteps && !tiles && n > target.lanes() / 3) {
    rows = inSteps->first;
    products = weights = inSteps->second;
  }
  return cyclesPerCall * target.cores +
         double(work.sizes.queryHeads) *
             (products * productCycles(work, tiles, target) +
              weights * weightCycles(work, kernelDegree, tiles, target) +
              tileCycles(work, rows));
}

/// Pairs that are evaluated directly beside states.
static double directPartCycles(const AttentionWork &work, unsigned degree,
                               const StateSplit &parts,
                               const TargetDescription &target) {
  return double(work.sizes.queryHeads) * parts.directPairs *
         (productCycles(work, /*tiles=*/false, target) +
          weightCycles(work, degree, /*tiles=*/false, target));
}

/// Features that are the columns of a row themselves have code of their own.
static double linearStateCycles(const AttentionWork &work,
                                const TargetDescription &target) {
  const attn::AttentionSizes &s = work.sizes;
  double rank = double(s.headDim + 1), columns = double(s.valueDim + 1);
  StateSplit parts = split(work, rank * columns, target);
  if (work.mask.admitsAll()) {
    parts.stateRows = double(s.numQueries);
    parts.stateKeys = double(s.numKeys);
  }
  double rows = double(s.queryHeads) * parts.stateRows +
                double(s.keyHeads) * parts.stateKeys;
  double tasks =
      double(s.queryHeads) * std::ceil(parts.stateRows / linearTask) +
      double(s.keyHeads) * parts.states;
  return cyclesPerCall * target.cores +
         rows * 2 * rank * double(s.valueDim) /
             (flopsPerCycle(work, target) * productEfficiency) +
         rows * double(s.headDim + s.valueDim) * cyclesPerLinearRowColumn +
         tasks * cyclesPerLinearTask + directPartCycles(work, 1, parts, target);
}

static bool isLinear(const AttentionWork &work, unsigned degree,
                     const TargetDescription &target) {
  return degree == 1 && work.mask.getSteps() &&
         work.sizes.headDim % target.lanes() == 0 &&
         work.sizes.valueDim % target.lanes() == 0;
}

double polyattn::stateCycles(const AttentionWork &work, unsigned degree,
                             const TargetDescription &target) {
  if (!work.furtherSets.empty())
    return stateCyclesOfSets(work, degree, target);
  if (isLinear(work, degree, target))
    return linearStateCycles(work, target);
  const attn::AttentionSizes &s = work.sizes;
  double rank = double(monomialCount(s.headDim, degree));
  double columns = double(s.valueDim + 1);
  StateSplit parts = split(work, rank * columns, target);
  // A row's features take some operations each, then one FMA for every column
  // of the state; the last column is the denominator.
  double flopsPerRow = 2 * rank * columns + rank * degree *
                                                operationsPerFeatureDegree *
                                                flopsPerOperation;
  double rows = double(s.queryHeads) * parts.stateRows +
                double(s.keyHeads) * parts.stateKeys;
  double tasks = double(s.queryHeads) * parts.stateRows / queryTile +
                 double(s.keyHeads) * parts.states;
  return cyclesPerCall * target.cores +
         rows * flopsPerRow /
             (flopsPerCycle(work, target) * productEfficiency) +
         rows * double(s.headDim + s.valueDim) * cyclesPerStateRowColumn +
         tasks * cyclesPerStateTask +
         double(s.keyHeads) * parts.addedStates * rank * columns *
             flopsPerWindowEntry / flopsPerCycle(work, target) +
         directPartCycles(work, degree, parts, target);
}

/// Centring reads keys twice and writes them once; the moments of keys, and of
/// every query against them, are products with all pairs of columns.
static double momentCheckCycles(const AttentionWork &work,
                                const TargetDescription &target) {
  const attn::AttentionSizes &s = work.sizes;
  double d = double(s.headDim), keys = double(s.keyHeads) * double(s.numKeys),
         queries = double(s.queryHeads) * double(s.numQueries);
  double rows = double(*work.exactRowsOfMoments);
  return 2 * cyclesPerCall * target.cores +
         6 * keys * d / (flopsPerCycle(work, target) * boundCheckEfficiency) +
         2 * (keys + queries) * d * d /
             (flopsPerCycle(work, target) * productEfficiency) +
         double(s.queryHeads) * rows * rows / 2 *
             (productCycles(work, /*tiles=*/false, target) +
              weightCycles(work, 0, /*tiles=*/false, target));
}

double polyattn::boundCheckCycles(const AttentionWork &work,
                                  const TargetDescription &target) {
  const attn::AttentionSizes &s = work.sizes;
  double keys = double(s.numKeys);
  for (const AttentionWork::KeySet &set : work.furtherSets)
    keys += double(set.numKeys);
  double numbers = (double(s.queryHeads) * double(s.numQueries) +
                    double(s.keyHeads) * keys) *
                   double(s.headDim);
  double norms =
      2 * numbers / (flopsPerCycle(work, target) * boundCheckEfficiency);
  return work.exactRowsOfMoments ? norms + momentCheckCycles(work, target)
                                 : norms;
}

double polyattn::featureCount(int64_t headDim, unsigned degree) {
  double count = 1;
  for (unsigned t = 1; t <= degree; ++t)
    count = count * double(headDim + t) / t;
  return count;
}

double polyattn::stateBytes(const AttentionWork &work, unsigned degree) {
  return featureCount(work.sizes.headDim, degree) *
         double(work.sizes.valueDim + 1) * (work.elementType.isF64() ? 8 : 4);
}

std::string polyattn::whyNoNativeState(const AttentionWork &work,
                                       unsigned degree) {
  if (work.elementType.isF64())
    return "there is no native code for f64";
  // Of each set: all keys so far, and those of the last block.
  int64_t states = leastStates(work.mask);
  if (!work.furtherSets.empty())
    states = 2 * int64_t(1 + work.furtherSets.size());
  double bytes = stateBytes(work, degree);
  double most = std::min(largestStateBytes, mostScratchBytes / double(states));
  if (bytes <= most)
    return {};
  std::string reason;
  llvm::raw_string_ostream(reason)
      << "the state of one head would take "
      << llvm::format("%.3g", bytes / (1 << 20)) << " MiB, more than "
      << int(most / (1 << 20));
  if (states > 1)
    reason += ", and " +
              std::string(work.furtherSets.empty() ? "the mask needs "
                                                   : "its key sets need ") +
              std::to_string(states) + " at a time";
  return reason;
}

bool CostComparison::stateWins() const { return state * leastGain < direct; }

CostComparison polyattn::compareCosts(const AttentionWork &work,
                                      unsigned directDegree,
                                      unsigned stateDegree,
                                      const TargetDescription &target) {
  // A polynomial that stands for exp needs its bound checked.
  double check = directDegree == 0 ? boundCheckCycles(work, target) : 0;
  return {directCycles(work, directDegree, target),
          stateCycles(work, stateDegree, target) + check};
}

std::optional<int64_t>
polyattn::breakEvenLength(const AttentionWork &work, unsigned directDegree,
                          unsigned stateDegree, const TargetDescription &target,
                          int64_t limit) {
  auto wins = [&](int64_t length) {
    return compareCosts(work.at(length), directDegree, stateDegree, target)
        .stateWins();
  };
  // Once the state wins it keeps winning: direct evaluation gains a factor of
  // length on it, if only up to that of a window.
  if (limit < 1 || !wins(limit))
    return std::nullopt;
  int64_t low = 0, high = limit;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    (wins(middle) ? high : low) = middle;
  }
  return high;
}
