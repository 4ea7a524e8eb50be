// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Heads with bounds of their own: which are decided alike, and ops for them.

#ifndef POLYATTN_LIB_TRANSFORMS_HEADRUNS_H
#define POLYATTN_LIB_TRANSFORMS_HEADRUNS_H

#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// Query heads [from, to) and a bound that covers them.
struct HeadRun {
  int64_t from, to;
  BoundAttr bound;
};

/// Neighbouring heads for whose bounds `decide` gives the same answer, joined;
/// heads that share keys are never parted. Empty if `op` has no bounds of
/// single heads.
llvm::SmallVector<HeadRun>
runsOfHeads(ApproximableOpInterface op,
            llvm::function_ref<std::string(BoundAttr)> decide);

/// Replaces `op` by one op for each run; returns them, or nothing, and leaves
/// `op` as it is, if it cannot be cut.
llvm::SmallVector<ApproximableOpInterface>
splitIntoRuns(ApproximableOpInterface op, llvm::ArrayRef<HeadRun> runs);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_HEADRUNS_H
