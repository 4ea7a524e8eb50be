// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What the two evaluation orders cost. docs/cost-model.md derives the formulas.

#ifndef POLYATTN_ANALYSIS_COSTMODEL_H
#define POLYATTN_ANALYSIS_COSTMODEL_H

#include "polyattn/Analysis/Target.h"
#include "polyattn/Dialect/Attn/Attn.h"

#include <optional>
#include <string>

namespace polyattn {

/// The attention whose cost is asked for.
struct AttentionWork {
  attn::AttentionSizes sizes;
  /// Of the first set of keys.
  attn::MaskAttrInterface mask;
  mlir::FloatType elementType;
  /// Then weights are not rounded to bf16, not even for matrix units.
  bool certified = false;
  /// Is the bound check one of moments, on centred keys? Then this many of the
  /// first query rows stay exact.
  std::optional<int64_t> exactRowsOfMoments = std::nullopt;
  /// Key sets beyond the first one: lengths and masks.
  struct KeySet {
    int64_t numKeys;
    attn::MaskAttrInterface mask;
  };
  llvm::SmallVector<KeySet, 1> furtherSets = {};

  static AttentionWork of(attn::ApproximableOpInterface op);

  /// Are all lengths known?
  bool isStatic() const;
  /// Is any size known to be 0?
  bool isEmpty() const;
  /// The same with `length` for every length that is not known. Unknown batch
  /// and head counts become the other side's, or 1: only their ratio matters.
  AttentionWork at(int64_t length) const;
  /// The same with all lengths unknown.
  AttentionWork atAnyLength() const;
};

/// Memory for states or packed heads, whatever the input's size.
constexpr int64_t scratchBytes = 24 << 20;

/// How queries and keys are cut under a mask that is not full. Queries come in
/// chunks, keys in blocks, each block with a state of its own. The blocks that
/// all queries of a chunk see reach it as one state, the sum of theirs; its
/// other keys are evaluated directly.
struct StateTiling {
  /// Queries of a chunk, and keys of a block at least.
  int64_t chunk, block;
  /// A chunk whose blocks have fewer keys than this does without a state.
  int64_t leastKeys;
  /// Blocks that one chunk may see, as its states are kept until no chunk sees
  /// them; 0 for any number, where sums over prefixes need each state once.
  int64_t mostBlocks;
  /// Heads at a time, and the states of each: of blocks, and sums of chunks.
  int64_t heads, blockStates, chunkStates;

  /// Keys of a block where chunks see up to `mostKeys` keys in common.
  int64_t blockFor(int64_t mostKeys) const;
  /// With one for the sum so far.
  int64_t statesPerHead() const { return blockStates + chunkStates + 1; }
};

/// For states of so many numbers.
StateTiling tileStates(const attn::AttentionSizes &sizes,
                       attn::MaskAttrInterface mask, double stateEntries);

/// Cycles of one core; all lengths must be known. `kernelDegree` 0 is exp.
double directCycles(const AttentionWork &work, unsigned kernelDegree,
                    const TargetDescription &target);
double stateCycles(const AttentionWork &work, unsigned degree,
                   const TargetDescription &target);
/// The run-time check of a score bound, and what checking moments takes beyond
/// it.
double boundCheckCycles(const AttentionWork &work,
                        const TargetDescription &target);

/// The rank C(d + g, g), also where it exceeds 64 bits.
double featureCount(int64_t headDim, unsigned degree);

/// Bytes of one head's state, r * (e + 1) numbers.
double stateBytes(const AttentionWork &work, unsigned degree);

/// Why no native code evaluates this through a state, whatever it would cost;
/// empty if there is such code.
std::string whyNoNativeState(const AttentionWork &work, unsigned degree);

/// The two costs that a decision compares. The state must win clearly, so that
/// errors of the model do not turn a gain into a loss.
struct CostComparison {
  double direct, state;
  double gain() const { return direct / state; }
  bool stateWins() const;
};

/// `directDegree` is that of the kernel that direct evaluation would have: 0
/// (exp) where a polynomial is about to stand for it, whose cost then includes
/// the check of its bound.
CostComparison compareCosts(const AttentionWork &work, unsigned directDegree,
                            unsigned stateDegree,
                            const TargetDescription &target);

/// The smallest length up to `limit` from which on the state wins, where every
/// length that is not known takes that value; nothing if it never does.
std::optional<int64_t> breakEvenLength(const AttentionWork &work,
                                       unsigned directDegree,
                                       unsigned stateDegree,
                                       const TargetDescription &target,
                                       int64_t limit);

} // namespace polyattn

#endif // POLYATTN_ANALYSIS_COSTMODEL_H
