// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// One loop of a linalg op on memrefs runs over lanes: which, and the code.

#ifndef POLYATTN_LIB_CONVERSION_LOWERLINALG_LOOPSTOLANES_H
#define POLYATTN_LIB_CONVERSION_LOWERLINALG_LOOPSTOLANES_H

#include "Lanes.h"
#include "polyattn/Analysis/Target.h"

namespace polyattn::attn {

/// What adds one element to result `i`; null if it is nothing that lanes could
/// do in any order.
Operation *combinerOf(linalg::LinalgOp op, unsigned i);
/// How lanes are combined that a combiner works on.
vector::CombiningKind combiningKindOf(Operation *combiner);

bool isParallelLoop(linalg::LinalgOp op, unsigned loop);
/// How lanes see an operand, which may be a number.
Access accessOf(linalg::LinalgOp op, OpOperand &operand, unsigned lane);

/// The loop that had best run over lanes, or why there is no vector code.
FailureOr<unsigned> chooseLanes(linalg::LinalgOp op, int64_t lanes,
                                std::string &reason);

/// Emits loops that do what `op` does.
void emitLoops(Emitter &e, const TargetDescription &target, linalg::LinalgOp op,
               unsigned lane);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_CONVERSION_LOWERLINALG_LOOPSTOLANES_H
