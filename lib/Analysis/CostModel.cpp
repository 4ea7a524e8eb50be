// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Operation counts divided by the rate at which generated code performs them.

#include "StateSplit.h"
#include "polyattn/Analysis/StepTiling.h"
#include "polyattn/Analysis/WindowTiling.h"
#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Approximation/Monomials.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace polyattn;

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
/// Adding an entry of a state to another one where windows of them are added,
/// which is memory's time.
constexpr double flopsPerWindowEntry = 24;
/// A state that grows while it is read, in other states.
constexpr double runningStateSlowness = 1.5;
/// Operations for each entry of a state that a sliding window adds.
constexpr double operationsOfWindow = 5;
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

} // namespace

/// Flops of one core and cycle.
static double flopsPerCycle(const AttentionWork &work,
                            const TargetDescription &target) {
  return target.flopsPerCycle() / (work.elementType.isF64() ? 2.0 : 1.0);
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

/// Tuples of one head whose keys the masks admit, summed over the queries. Keys
/// of the last set but one are lanes, and come in whole tiles.
static double tuplesOfSets(const AttentionWork &work) {
  int64_t n = work.sizes.numQueries, step = std::max<int64_t>(n / 1024, 1);
  SmallVector<AttentionWork::KeySet, 2> sets = {
      {work.sizes.numKeys, work.mask}};
  llvm::append_range(sets, work.furtherSets);
  double sum = 0, sampled = 0;
  for (int64_t query = step / 2; query < n; query += step, ++sampled) {
    double tuples = 1;
    for (auto [t, set] : llvm::enumerate(sets)) {
      attn::KeyRange<int64_t> range =
          set.mask.getKeyRange(query, n, set.numKeys);
      double seen = double(std::max<int64_t>(range.end - range.begin, 0));
      tuples *= t + 2 == sets.size() ? roundUp(seen, queryTile) : seen;
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

static int64_t slidingSets(const AttentionWork &work) {
  return !work.mask.startsAtZero() +
         llvm::count_if(work.furtherSets, [](const AttentionWork::KeySet &set) {
           return !set.mask.startsAtZero();
         });
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
  double operations = 3 * sets + operationsOfWindow * double(slidingSets(work));
  double heads = double(work.sizes.queryHeads),
         keyHeads = double(work.sizes.keyHeads);
  double rows = cyclesPerCall * target.cores;
  // Under masks queries and keys go hand in hand, and states grow key by key:
  // two operations for each set, then the product, then the sum. What a window
  // sees besides is made of blocks, of pieces at its ends, and backwards.
  if (!full)
    return rows + heads * n *
                      stateRowCycles(work, rank, degree, operations, target) *
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
  return degree == 1 && (work.mask.admitsAll() || hasSteps(work.mask)) &&
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
    states = 2 * int64_t(1 + work.furtherSets.size()) +
             slidingSets(work) * (stepsOfWindowChunk + leastWindowBlocks);
  double bytes = stateBytes(work, degree);
  double most = std::min(largestStateBytes, mostScratchBytes / double(states));
  if (bytes <= most)
    return {};
  std::string reason;
  llvm::raw_string_ostream(reason)
      << "the state of one head would take "
      << llvm::format("%.3g MiB, more than %.3g", bytes / (1 << 20),
                      most / (1 << 20));
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
