// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-schedule: the cheaper evaluation order of each op.

#include "OpRemarks.h"
#include "Versioning.h"
#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Transforms/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNSCHEDULE
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral passName = "attn-schedule";

/// Lengths up to which a dynamic length is worth a version of its own.
static constexpr int64_t longestLength = int64_t(1) << 40;

static OpRemark choose(ApproximableOpInterface op, Evaluation evaluation,
                       const Twine &why) {
  op.setEvaluation(evaluation);
  return OpRemark(evaluation == Evaluation::State ? "State" : "Direct",
                  stringifyEvaluation(evaluation) + ": " + why);
}

static OpRemark scheduleStatic(ApproximableOpInterface op,
                               const AttentionWork &work, unsigned degree,
                               const TargetDescription &target) {
  CostComparison costs = compareCosts(work.at(1), degree, degree, target);
  return choose(op, costs.stateWins() ? Evaluation::State : Evaluation::Direct,
                "predicted " + readable(costs.direct) + " cycles direct, " +
                    readable(costs.state) + " through a state")
      .metric("DirectCycles", costs.direct)
      .metric("StateCycles", costs.state);
}

/// Both evaluations, selected by length. A certified op stands beside an exact
/// one already, and is selected by length where that pays.
static OpRemark scheduleDynamic(ApproximableOpInterface op,
                                const AttentionWork &work, unsigned degree,
                                const TargetDescription &target) {
  if (op.getCertificate())
    return choose(op, Evaluation::State,
                  "attn-approximate made this version for it");
  std::optional<int64_t> length =
      breakEvenLength(work, degree, degree, target, longestLength);
  if (!length)
    return choose(op, Evaluation::Direct, "cheaper at every length");
  OpBuilder builder(op);
  Versions versions =
      versionOn(op, emitAll(builder, op.getLoc(),
                            emitDynamicLengthsAtLeast(builder, op, *length)));
  versions.otherwise.setEvaluation(Evaluation::Direct);
  return choose(versions.taken, Evaluation::State,
                "cheaper from length " + Twine(*length) +
                    " on; shorter ones take a direct version")
      .metric("FromLength", double(*length));
}

static OpRemark schedule(ApproximableOpInterface op,
                         const TargetDescription &target) {
  std::optional<ArrayRef<double>> polynomial = op.getKernel().getPolynomial();
  if (!polynomial)
    return choose(op, Evaluation::Direct, "the kernel is not a polynomial");
  if (std::string reason = op.whyNoState(); !reason.empty())
    return choose(op, Evaluation::Direct, "no state is possible: " + reason);
  unsigned degree = unsigned(polynomial->size() - 1);
  AttentionWork work = AttentionWork::of(op);
  if (std::string reason = whyNoNativeState(work, degree); !reason.empty())
    return choose(op, Evaluation::Direct, reason);
  return work.isStatic() ? scheduleStatic(op, work, degree, target)
                         : scheduleDynamic(op, work, degree, target);
}

namespace {
struct SchedulePass : polyattn::attn::impl::AttnScheduleBase<SchedulePass> {
  using AttnScheduleBase::AttnScheduleBase;

  void runOnOperation() override {
    FailureOr<TargetDescription> description =
        resolveTarget(getOperation(), target);
    if (failed(description))
      return signalPassFailure();
    // Versions made on the way must not be visited.
    SmallVector<ApproximableOpInterface> ops;
    getOperation()->walk([&](ApproximableOpInterface op) {
      if (!op.getEvaluation())
        ops.push_back(op);
    });
    for (ApproximableOpInterface op : ops)
      emitAnalysis(op, passName, schedule(op, *description));
  }
};
} // namespace
