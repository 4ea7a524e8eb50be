// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Operation counts divided by the rate at which generated code performs them.

#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Approximation/Monomials.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace polyattn;

namespace {

//===----------------------------------------------------------------------===//
// Calibration: every number here that is not a count of operations
//===----------------------------------------------------------------------===//

/// Share of the peak FMA rate that each loop reaches.
constexpr double directEfficiency = 0.88;
constexpr double stateEfficiency = 0.85;
/// One pass over memory with two operations per number loaded.
constexpr double boundCheckEfficiency = 0.2;
/// A polynomial exp with its range reduction and the running maximum.
constexpr double expFlops = 8;
/// Starting threads, weights of the features, clearing and merging states.
constexpr double stateOverheadCycles = 50e3;
constexpr double flopsPerStateEntry = 8;
/// Query rows that share a prefix state under a mask that is not full.
constexpr int64_t prefixChunk = 512;
/// Beyond this a state leaves every cache that one core can count on.
constexpr double largestStateBytes = 32 << 20;
/// What a state must gain before it is preferred.
constexpr double leastGain = 1.1;

/// What a mask leaves to each evaluation order.
struct StateSplit {
  /// (query, key) pairs of one head that are evaluated directly.
  double directPairs;
  /// Keys that enter a state.
  double stateKeys;
};

} // namespace

/// Flops of one core and cycle.
static double flopsPerCycle(const AttentionWork &work,
                            const TargetDescription &target) {
  return target.flopsPerCycle() / (work.elementType.isF64() ? 2.0 : 1.0);
}

/// Each chunk of queries takes the keys that its first query sees from the
/// state and the rest directly.
static StateSplit splitByPrefix(const AttentionWork &work) {
  int64_t n = work.sizes.numQueries, m = work.sizes.numKeys;
  attn::MaskAttrInterface mask = work.mask;
  if (mask.admitsAll() || n == 0)
    return {0, double(m)};
  // Prefixes are piecewise linear in the chunk, so some chunks tell them all.
  int64_t chunks = (n + prefixChunk - 1) / prefixChunk;
  int64_t step = std::max<int64_t>(1, chunks / 1024);
  double pairs = 0, sampled = 0;
  for (int64_t c = step / 2; c < chunks; c += step) {
    int64_t first = c * prefixChunk, rows = std::min(prefixChunk, n - first);
    pairs += double(rows) * double(mask.getKeyRange(first, n, m).end);
    sampled += double(rows);
  }
  double prefixPairs = pairs / sampled * double(n);
  int64_t last = (chunks - 1) * prefixChunk;
  return {std::max(0.0, mask.countAdmitted(n, m) - prefixPairs),
          double(mask.getKeyRange(last, n, m).end)};
}

static double directFlopsPerPair(const AttentionWork &work,
                                 unsigned kernelDegree) {
  double weight = kernelDegree == 0 ? expFlops : 2.0 * kernelDegree;
  return 2.0 * double(work.sizes.headDim + work.sizes.valueDim) + weight;
}

AttentionWork AttentionWork::of(attn::ApproximableOpInterface op) {
  return {op.getSizes(), op.getMask(), op.getElementType()};
}

bool AttentionWork::isStatic() const {
  return !ShapedType::isDynamic(sizes.numQueries) &&
         !ShapedType::isDynamic(sizes.numKeys);
}

AttentionWork AttentionWork::at(int64_t length) const {
  AttentionWork known = *this;
  auto fill = [](int64_t &size, int64_t by) {
    if (ShapedType::isDynamic(size))
      size = by;
  };
  fill(known.sizes.numQueries, length);
  fill(known.sizes.numKeys, length);
  fill(known.sizes.queryHeads, known.sizes.keyHeads);
  fill(known.sizes.queryHeads, 1);
  fill(known.sizes.keyHeads, known.sizes.queryHeads);
  return known;
}

AttentionWork AttentionWork::atAnyLength() const {
  AttentionWork any = *this;
  any.sizes.numQueries = any.sizes.numKeys = ShapedType::kDynamic;
  return any;
}

double polyattn::directCycles(const AttentionWork &work, unsigned kernelDegree,
                              const TargetDescription &target) {
  double pairs =
      double(work.sizes.queryHeads) *
      work.mask.countAdmitted(work.sizes.numQueries, work.sizes.numKeys);
  return pairs * directFlopsPerPair(work, kernelDegree) /
         (flopsPerCycle(work, target) * directEfficiency);
}

double polyattn::stateCycles(const AttentionWork &work, unsigned degree,
                             const TargetDescription &target) {
  const attn::AttentionSizes &s = work.sizes;
  StateSplit split = splitByPrefix(work);
  double rank = double(monomialCount(s.headDim, degree));
  // A row's features take one product each, then one FMA for every column of
  // the state; the last column is the denominator.
  double flopsPerRow = 2 * rank * double(s.valueDim + 1) + 2 * rank;
  double rows = double(s.queryHeads) * double(s.numQueries) +
                double(s.keyHeads) * split.stateKeys;
  double states = double(s.keyHeads) * rank * double(s.valueDim + 1);
  double peak = flopsPerCycle(work, target);
  return stateOverheadCycles +
         (rows * flopsPerRow + states * flopsPerStateEntry) /
             (peak * stateEfficiency) +
         double(s.queryHeads) * split.directPairs *
             directFlopsPerPair(work, degree) / (peak * directEfficiency);
}

double polyattn::boundCheckCycles(const AttentionWork &work,
                                  const TargetDescription &target) {
  const attn::AttentionSizes &s = work.sizes;
  double numbers = (double(s.queryHeads) * double(s.numQueries) +
                    double(s.keyHeads) * double(s.numKeys)) *
                   double(s.headDim);
  return 2 * numbers / (flopsPerCycle(work, target) * boundCheckEfficiency);
}

double polyattn::stateBytes(const AttentionWork &work, unsigned degree) {
  return double(monomialCount(work.sizes.headDim, degree)) *
         double(work.sizes.valueDim + 1) * (work.elementType.isF64() ? 8 : 4);
}

std::string polyattn::whyNoNativeState(const AttentionWork &work,
                                       unsigned degree) {
  if (work.elementType.isF64())
    return "there is no native code for f64";
  double bytes = stateBytes(work, degree);
  if (bytes <= largestStateBytes)
    return {};
  std::string reason;
  llvm::raw_string_ostream(reason)
      << "the state of one head would take "
      << llvm::format("%.3g", bytes / (1 << 20)) << " MiB, more than "
      << int(largestStateBytes / (1 << 20));
  return reason;
}

bool CostComparison::stateWins() const { return state * leastGain < direct; }

CostComparison polyattn::compareCosts(const AttentionWork &work,
                                      unsigned directDegree,
                                      unsigned stateDegree,
                                      const TargetDescription &target) {
  return {directCycles(work, directDegree, target),
          stateCycles(work, stateDegree, target) +
              boundCheckCycles(work, target)};
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
  // length on it.
  if (limit < 1 || !wins(limit))
    return std::nullopt;
  int64_t low = 0, high = limit;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    (wins(middle) ? high : low) = middle;
  }
  return high;
}
