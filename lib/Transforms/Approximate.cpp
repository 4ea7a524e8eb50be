// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-approximate: plan, rewrite, remark.

#include "ApproximationPlan.h"
#include "HeadRuns.h"
#include "Versioning.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "polyattn/Approximation/Monomials.h"
#include "polyattn/Transforms/Passes.h"

#include <cmath>

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNAPPROXIMATE
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral passName = "attn-approximate";

/// How the certificate's assumption about scores is kept.
static std::optional<Assumption> assumptionFor(StringRef guard,
                                               BoundSource source) {
  bool proved = source == BoundSource::Proved;
  return llvm::StringSwitch<std::optional<Assumption>>(guard)
      .Case("always", Assumption::Guarded)
      .Case("auto", proved ? Assumption::Proved : Assumption::Guarded)
      .Case("never", proved ? Assumption::Proved : Assumption::Trusted)
      .Default(std::nullopt);
}

/// What must hold at run time for the plan to be right, and for it to pay.
static SmallVector<Value> emitConditions(ApproximableOpInterface op,
                                         const ApproximationPlan &plan,
                                         Assumption assumption) {
  OpBuilder builder(op);
  SmallVector<Value> conditions;
  if (assumption == Assumption::Guarded)
    conditions.push_back(op.emitBoundCheck(builder, plan.limits()));
  for (const KeyAxis &axis : op.getKeyAxes())
    if (ShapedType::isDynamic(axis.numKeys))
      conditions.push_back(
          emitAtMost(builder, op.getLoc(), axis.length, plan.maxKeys));
  if (plan.fromLength)
    conditions.append(emitDynamicLengthsAtLeast(builder, op, *plan.fromLength));
  return conditions;
}

static MomentClaimAttr claimAttr(MLIRContext *context,
                                 const ApproximationPlan &plan) {
  if (!plan.moments)
    return {};
  return MomentClaimAttr::get(context, plan.moments->SecondMoment,
                              plan.moments->Mean, plan.moments->Quadratic);
}

static void setPolynomial(ApproximableOpInterface op,
                          const ApproximationPlan &plan,
                          Assumption assumption) {
  MLIRContext *context = op.getContext();
  op.setKernel(PolyKernelAttr::get(
      context, DenseF64ArrayAttr::get(context, plan.coefficients)));
  const ErrorBudget &budget = plan.budget;
  op.setCertificate(CertificateAttr::get(
      context, plan.scoreBound, budget.KernelError, budget.WeightChange,
      budget.RoundingError, budget.OutputError, plan.maxKeys, assumption,
      claimAttr(context, plan)));
}

/// The op on centred keys, without the rows that stay exact; before `op`.
static ApproximableOpInterface emitCentred(ApproximableOpInterface op,
                                           const ApproximationPlan &plan) {
  OpBuilder builder(op);
  Value keys = op.emitCentredKeys(builder);
  Operation *copy = plan.exactRows ? op.emitRows(builder, plan.exactRows,
                                                 op.getSizes().numQueries)
                                   : builder.clone(*op);
  auto centred = cast<ApproximableOpInterface>(copy);
  centred.setKeys(keys);
  centred.setBound(BoundAttr::get(op.getContext(), plan.scoreBound,
                                  op.getBound()->getSource()),
                   {});
  return centred;
}

/// Replaces the kernel; returns the exact version that remains beside the
/// approximated one, if one does.
static ApproximableOpInterface approximate(ApproximableOpInterface op,
                                           const ApproximationPlan &plan,
                                           Assumption assumption) {
  OpBuilder builder(op);
  if (plan.moments) {
    ApproximableOpInterface centred = emitCentred(op, plan);
    Value condition = emitAll(builder, op.getLoc(),
                              emitConditions(centred, plan, assumption));
    Versions versions = versionOn(op, centred, plan.exactRows, condition);
    setPolynomial(versions.taken, plan, assumption);
    return versions.otherwise;
  }
  SmallVector<Value> conditions = emitConditions(op, plan, assumption);
  if (conditions.empty()) {
    setPolynomial(op, plan, assumption);
    return {};
  }
  Versions versions = versionOn(op, emitAll(builder, op.getLoc(), conditions));
  setPolynomial(versions.taken, plan, assumption);
  return versions.otherwise;
}

static StringRef describe(Assumption assumption) {
  switch (assumption) {
  case Assumption::Proved:
    return "relied on";
  case Assumption::Guarded:
    return "checked at run time";
  case Assumption::Trusted:
    return "trusted without a check";
  }
  llvm_unreachable("no other assumption");
}

static OpRemark describe(ApproximableOpInterface op,
                         const ApproximationPlan &plan, Assumption assumption) {
  BoundAttr bound = *op.getBound();
  double rank = double(monomialCount(op.getSizes().headDim, plan.degree()));
  const ErrorBudget &budget = plan.budget;
  OpRemark remark("Approximated", "");
  llvm::raw_string_ostream text(remark.text);
  text << "score bound " << readable(bound.getValue()) << " ("
       << stringifyBoundSource(bound.getSource()) << ", "
       << describe(assumption);
  if (plan.moments)
    text << ": centred scores up to " << readable(plan.scoreBound)
         << ", their second moment up to "
         << readable(plan.moments->SecondMoment);
  text << "): degree " << plan.degree() << ", rank " << readable(rank)
       << ", certified error " << readable(budget.OutputError)
       << " of max|value| (kernel " << readable(budget.WeightChange)
       << ", rounding " << readable(budget.RoundingError)
       << ") for norms up to " << readable(plan.normLimit) << " and "
       << plan.maxKeys << " keys";
  if (plan.exactRows)
    text << "; the first " << plan.exactRows << " rows stay exact";
  if (plan.gain)
    text << ", predicted " << readable(*plan.gain)
         << "x as fast as direct evaluation";
  if (plan.fromLength)
    text << ", taken from length " << *plan.fromLength << " on";
  remark.metric("ScoreBound", bound.getValue())
      .metric("Degree", plan.degree())
      .metric("Rank", rank)
      .metric("OutputError", budget.OutputError)
      .metric("WeightChange", budget.WeightChange)
      .metric("RoundingError", budget.RoundingError)
      .metric("NormLimit", plan.normLimit)
      .metric("MaxKeys", double(plan.maxKeys));
  if (plan.moments)
    remark.metric("CentredBound", plan.scoreBound)
        .metric("SecondMoment", plan.moments->SecondMoment)
        .metric("ExactRows", double(plan.exactRows));
  if (plan.gain)
    remark.metric("Gain", *plan.gain);
  if (plan.fromLength)
    remark.metric("FromLength", double(*plan.fromLength));
  return remark;
}

namespace {
struct ApproximatePass
    : polyattn::attn::impl::AttnApproximateBase<ApproximatePass> {
  using AttnApproximateBase::AttnApproximateBase;

  void runOnOperation() override {
    if (failed(checkOptions()))
      return signalPassFailure();
    FailureOr<TargetDescription> description =
        resolveTarget(getOperation(), target);
    if (failed(description))
      return signalPassFailure();
    ApproximationRequest request{tolerance(), maxKeys, force, *description};
    // Versions made on the way must not be visited.
    SmallVector<ApproximableOpInterface> ops;
    getOperation()->walk(
        [&](ApproximableOpInterface op) { ops.push_back(op); });
    for (ApproximableOpInterface op : ops)
      runOnHeads(op, request);
  }

private:
  Assumption assumptionOf(std::optional<BoundAttr> bound) {
    return bound ? *assumptionFor(guard, bound->getSource())
                 : Assumption::Trusted;
  }

  /// Heads whose own bounds lead to different decisions become ops of their
  /// own.
  void runOnHeads(ApproximableOpInterface op,
                  const ApproximationRequest &request) {
    BoundAttr whole = op.getBound().value_or(BoundAttr());
    std::optional<ArrayAttr> ofHeads = op.getHeadBounds();
    SmallVector<HeadRun> runs = runsOfHeads(op, [&](BoundAttr bound) {
      op.setBound(bound, {});
      ApproximationRequest quiet = request;
      quiet.fallback = true;
      quiet.moments = moments && assumptionOf(bound) == Assumption::Guarded;
      std::string decision = decisionOf(planApproximation(op, quiet));
      op.setBound(whole, *ofHeads);
      return decision;
    });
    SmallVector<ApproximableOpInterface> parts;
    if (runs.size() > 1)
      parts = splitIntoRuns(op, runs);
    if (parts.empty())
      return runOn(op, request);
    for (auto [part, run] : llvm::zip_equal(parts, runs)) {
      OpRemark remark("Heads", "query heads " + std::to_string(run.from) +
                                   " to " + std::to_string(run.to - 1) +
                                   " are decided on their own:");
      remark.metric("FirstHead", double(run.from))
          .metric("LastHead", double(run.to - 1));
      emitAnalysis(part, passName, remark);
      runOn(part, request);
    }
  }

  /// Heads of equal decisions stay together, as do those that all stay exact.
  static std::string decisionOf(const PlanOrReason &decision) {
    auto *plan = std::get_if<ApproximationPlan>(&decision);
    if (!plan)
      return "exact";
    return std::to_string(plan->degree()) + (plan->moments ? " moments" : "");
  }

  void runOn(ApproximableOpInterface op, ApproximationRequest request) {
    Assumption assumption = assumptionOf(op.getBound());
    request.moments = moments && assumption == Assumption::Guarded;
    PlanOrReason decision = planApproximation(op, request);
    if (auto *reason = std::get_if<OpRemark>(&decision))
      return emitMissed(op, passName, *reason);
    auto &plan = std::get<ApproximationPlan>(decision);
    OpRemark remark;
    if (wantsRemarks(op))
      remark = describe(op, plan, assumption);
    ApproximableOpInterface otherwise = approximate(op, plan, assumption);
    if (otherwise && plan.moments)
      otherwise = approximateFallback(otherwise, request, assumption, remark);
    // Where the check fails the bound is not known to hold; without it no later
    // run of the pass approximates the exact version again.
    if (otherwise)
      otherwise.setBound({}, {});
    emitPassed(op, passName, remark);
  }

  /// Moments may turn out larger than expected where the bound still holds;
  /// returns the exact version that remains.
  ApproximableOpInterface approximateFallback(ApproximableOpInterface op,
                                              ApproximationRequest request,
                                              Assumption assumption,
                                              OpRemark &remark) {
    request.moments = false;
    request.fallback = true;
    PlanOrReason decision = planApproximation(op, request);
    auto *plan = std::get_if<ApproximationPlan>(&decision);
    if (!plan)
      return op;
    double error = plan->budget.OutputError;
    remark.text += "; where moments are larger but the bound holds, degree " +
                   std::to_string(plan->degree()) + " with certified error " +
                   readable(error);
    remark.metric("FallbackDegree", plan->degree())
        .metric("FallbackOutputError", error);
    return approximate(op, *plan, assumption);
  }

  double tolerance() const {
    return atol > 0 ? std::max<double>(rtol, atol / maxValue) : rtol;
  }

  LogicalResult checkOptions() {
    Operation *root = getOperation();
    // Written so that NaN fails too.
    if (!(rtol > 0) || !std::isfinite(rtol))
      return root->emitError("attn-approximate: rtol must be a positive "
                             "number, found ")
             << readable(rtol)
             << "; give the largest error relative to max|value|, such as "
                "rtol=1e-2";
    if (!(atol >= 0) || !std::isfinite(atol))
      return root->emitError(
                 "attn-approximate: atol must be at least 0, found ")
             << readable(atol) << "; leave it out to use rtol alone";
    if (!(maxValue >= 0) || !std::isfinite(maxValue))
      return root->emitError(
                 "attn-approximate: max-value must be at least 0, found ")
             << readable(maxValue) << "; give a bound of max|value|";
    if (atol > 0 && maxValue == 0)
      return root->emitError("attn-approximate: atol needs max-value, a bound "
                             "of max|value|, to become a relative tolerance");
    if (maxKeys < 1)
      return root->emitError(
                 "attn-approximate: max-keys must be at least 1, found ")
             << int64_t(maxKeys);
    if (!assumptionFor(guard, BoundSource::Proved))
      return root->emitError("attn-approximate: unknown guard '")
             << StringRef(guard) << "'; give auto, always or never";
    return success();
  }
};
} // namespace
