// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Facts about one attention as JSON, for reports. Unknown sizes are null.

#ifndef POLYATTN_TRANSFORMS_REPORT_H
#define POLYATTN_TRANSFORMS_REPORT_H

#include "polyattn/Analysis/Target.h"
#include "polyattn/Dialect/Attn/Attn.h"
#include "llvm/Support/JSON.h"

namespace polyattn::attn {

/// What an op is and what is known of its scores, before anything is decided:
///
///   op, function, elementType, mask, scale, kernel: text (scale a number)
///   sizes: {queryHeads, keyHeads, numQueries, numKeys, headDim, valueDim}
///   whyNoState: text, empty if it can be evaluated through a state
///   heads: [{first, count, bound: {value, source, moments?} or null,
///            degree?, rank?}]
///
/// Heads are those of one batch in runs that share a bound; `degree` is the
/// least whose error in exact arithmetic is within `tolerance` at that bound.
llvm::json::Object describeAttention(ApproximableOpInterface op,
                                     double tolerance);

/// What each evaluation order is predicted to cost against the length:
///
///   varies: "queries and keys" or "keys", the lengths that n stands for
///   lengths: [n]; direct: [cycles of one core]; directNow: cycles or null
///   degrees: [{degree, rank, stateBytes, cycles: [...], now: cycles or null,
///              gain: at the op's own lengths, or null,
///              breakEven: n or null, certifiedError: number or null}]
///
/// Costs of a degree include the run-time check where the polynomial stands for
/// exp. `certifiedError` is what can be proved at the op's bound. There are no
/// degrees where no state is possible.
llvm::json::Object describeCosts(ApproximableOpInterface op,
                                 const TargetDescription &target,
                                 int64_t maxKeys);

/// How many heads before those of `op` its query tensor is sliced from, as the
/// slices are; kDynamic if they do not tell.
int64_t headOffset(ApproximableOpInterface op);

/// What became of an op whose offset was `offset` when it was described:
///
///   first, count: heads of it that this version evaluates; `first` is null if
///     that is not known, `count` if their number is not
///   evaluation: "direct", "state" or null; degree, rank: null if exact
///   certificate: null, or {outputError, weightChange, roundingError,
///     scoreBound, maxKeys, assumption, promises, assumes, keptBy}
///   fallback: is it what runs where a run-time condition fails?
llvm::json::Object describeVersion(ApproximableOpInterface op, int64_t offset);

} // namespace polyattn::attn

#endif // POLYATTN_TRANSFORMS_REPORT_H
