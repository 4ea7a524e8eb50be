// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Whether and how to approximate one op. Deciding changes nothing.

#ifndef POLYATTN_LIB_TRANSFORMS_APPROXIMATIONPLAN_H
#define POLYATTN_LIB_TRANSFORMS_APPROXIMATIONPLAN_H

#include "OpRemarks.h"
#include "polyattn/Analysis/Target.h"
#include "polyattn/Approximation/Certificate.h"
#include "polyattn/Dialect/Attn/Attn.h"

#include <variant>
#include <vector>

namespace polyattn::attn {

/// What the user asks for.
struct ApproximationRequest {
  /// Largest certified error, relative to max|value|.
  double tolerance;
  /// Keys that a certificate covers where the length is dynamic.
  int64_t maxKeys;
  /// Approximate whatever the cost model says.
  bool force;
  const TargetDescription &target;
  /// May the run-time check measure second moments?
  bool moments = false;
  /// Is this about the exact version beside an approximated one?
  bool fallback = false;
};

/// How to approximate one op.
struct ApproximationPlan {
  std::vector<double> coefficients;
  ErrorBudget budget;
  /// What the certificate assumes.
  double scoreBound, normLimit;
  int64_t maxKeys;
  /// Of a moment certificate, which is about scores of centred keys; and how
  /// many query rows see too few keys for it and stay exact.
  std::optional<MomentClaim> moments;
  int64_t exactRows = 0;
  /// With dynamic lengths: the state is cheaper from this length on.
  std::optional<int64_t> fromLength;
  /// With static lengths: predicted time of direct over state evaluation.
  std::optional<double> gain;

  unsigned degree() const { return unsigned(coefficients.size() - 1); }
  InputLimits limits() const;
};

/// The plan, or the remark that says why there is none.
using PlanOrReason = std::variant<ApproximationPlan, OpRemark>;
PlanOrReason planApproximation(ApproximableOpInterface op,
                               const ApproximationRequest &request);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_APPROXIMATIONPLAN_H
