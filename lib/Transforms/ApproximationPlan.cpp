// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "ApproximationPlan.h"
#include "Certification.h"
#include "Versioning.h"
#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Approximation/ExpPolynomial.h"
#include "polyattn/Approximation/Monomials.h"

#include <cmath>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

namespace {

/// The run-time check turns down what lies within its own rounding of the
/// bound, about d * 2^-23. A polynomial for a slightly larger bound lets inputs
/// on the bound itself pass, up to d = 2048.
constexpr double boundMargin = 0x1p-12;
/// Below this the polynomial would hold numbers that mean nothing.
constexpr double leastBound = 1e-6;
/// What a mean of centred scores may be off 0 by: rounding, or what the mean of
/// a row's own keys differs from that of all.
constexpr double roundedMean = 1e-3, prefixMean = 0.05;
/// Rows that see fewer keys are left out of moments: a short prefix of keys may
/// look like anything.
constexpr int64_t shortPrefix = 512;
/// Under a mask the check counts some keys too many.
constexpr double maskSlack = 1.1;

/// Beyond it times mean nothing, and the cost model's integers do not hold
/// them.
constexpr double largestCostedRank = 1e15;
/// Where break-even is looked for when nothing limits the length.
constexpr int64_t longestLength = int64_t(1) << 40;

class Planner {
public:
  Planner(ApproximableOpInterface op, const ApproximationRequest &request)
      : op(op), request(request), work(AttentionWork::of(op)),
        explain(wantsRemarks(op) && !request.fallback) {
    plan.maxKeys = this->op.getMostKeys(request.maxKeys);
  }

  PlanOrReason run();

private:
  std::optional<OpRemark> checkForm();
  std::optional<OpRemark> findPolynomial();
  std::optional<OpRemark> checkNorms();
  std::optional<OpRemark> checkProfit();

  bool tryDegree(unsigned degree, double bound);
  void expectMoments();
  bool tryMoments(unsigned degree);
  void spendTolerance(ArrayRef<double> coefficients, MomentClaim claim,
                      ErrorBudget budget);
  unsigned largestStateDegree() const;
  OpRemark explainNoPolynomial();
  std::string adviseBound();
  double largestBound(unsigned degree);
  bool isCertified(unsigned degree, double bound);
  std::string lengths() const;

  ApproximableOpInterface op;
  const ApproximationRequest &request;
  AttentionWork work;
  /// Only then is work done for the sake of a message.
  bool explain;
  ApproximationPlan plan;
  /// What to expect of centred scores; nothing where moments are of no use.
  struct Expectation {
    double bound, secondMoment, mean;
    int64_t exactRows;
  };
  std::optional<Expectation> expected;
  /// Rounding error of the lowest degree that would do in exact arithmetic.
  std::optional<double> roundingFloor;
};

} // namespace

/// The exact branch of a version that is already there.
static bool isExactBranch(ApproximableOpInterface op) {
  auto ifOp = dyn_cast<scf::IfOp>(op->getParentOp());
  if (!ifOp || op->getParentRegion() != &ifOp.getElseRegion())
    return false;
  return llvm::any_of(*ifOp.thenBlock(), [](Operation &other) {
    auto version = dyn_cast<ApproximableOpInterface>(other);
    return version && version.getCertificate();
  });
}

PlanOrReason Planner::run() {
  if (auto reason = checkForm())
    return *reason;
  if (auto reason = findPolynomial())
    return *reason;
  if (auto reason = checkNorms())
    return *reason;
  if (auto reason = checkProfit())
    return *reason;
  return plan;
}

std::optional<OpRemark> Planner::checkForm() {
  if (op.getKernel().getPolynomial())
    return OpRemark("PolynomialKernel",
                    op.getCertificate()
                        ? "the kernel is a certified polynomial already"
                        : "the kernel is a polynomial already");
  // Certificates are about e^s; another shift-invariant kernel would need its
  // own.
  if (!isa<ExpKernelAttr>(op.getKernel()))
    return OpRemark("UnknownKernel",
                    "certificates exist for the kernel #attn.exp only");
  if (!request.fallback && isExactBranch(op))
    return OpRemark("ExactBranch", "this is the exact version beside an "
                                   "approximated one; it stays");
  if (work.isEmpty())
    return OpRemark("Empty", "a dimension is 0: there is nothing to compute");
  if (std::string reason = op.whyNoState(); !reason.empty())
    return OpRemark("NoState",
                    "cannot be evaluated through a state: " + reason);
  if (op.getEvaluation() == Evaluation::Direct)
    return OpRemark("EvaluationChosen",
                    "`evaluate direct` is chosen already: drop it, or run "
                    "attn-approximate before attn-schedule");
  if (!op.getBound())
    return OpRemark("NoBound",
                    "no score bound is known: add `bound <B, declared>` with "
                    "B at least |scale| * max|query row| * max|key row|; it "
                    "is checked at run time");
  return std::nullopt;
}

/// Does the polynomial of this degree meet the tolerance? Then the plan has it.
bool Planner::tryDegree(unsigned degree, double bound) {
  std::optional<ExpPolynomial> fit = fitExp(bound, degree);
  if (!fit || weightChange(fit->FittedError) > request.tolerance)
    return false;
  std::optional<ErrorBudget> budget =
      attn::certify(op, fit->Coefficients, bound, plan.maxKeys);
  if (!roundingFloor)
    roundingFloor = budget ? budget->RoundingError
                           : std::numeric_limits<double>::infinity();
  if (!budget || budget->OutputError > request.tolerance)
    return false;
  plan.coefficients = fit->Coefficients;
  plan.budget = *budget;
  plan.scoreBound = bound;
  return true;
}

/// Where nothing is known of moments, the rewrite bets on keys that point in
/// all directions alike: a second moment of bound^2 / d. Of m such keys the
/// mean is about 1 / sqrt(m) long, which is taken off, and the moments of rows
/// scatter by sqrt(2 / m). Returns by what centring may lengthen keys, and
/// moments exceed their expectation.
static std::pair<double, double> isotropicSlack(int64_t numKeys) {
  double m = ShapedType::isDynamic(numKeys) ? 2048 : double(numKeys);
  return {1 + std::min(2 / std::sqrt(m), 0.125),
          1 + std::min(5 * std::sqrt(2 / m), 0.5)};
}

/// How many of the first query rows see only a short prefix of keys; all of
/// them where lengths are not known.
static int64_t rowsOfShortPrefixes(MaskAttrInterface mask,
                                   const AttentionSizes &sizes) {
  int64_t n = sizes.numQueries, m = sizes.numKeys;
  if (ShapedType::isDynamic(n) || ShapedType::isDynamic(m))
    return std::numeric_limits<int64_t>::max() / 8;
  int64_t row = 0, end = n;
  while (row < end) {
    int64_t middle = row + (end - row) / 2;
    if (mask.getKeyRange(middle, n, m).end < shortPrefix)
      row = middle + 1;
    else
      end = middle;
  }
  // Tiles begin where steps of a mask do. Otherwise what starts in the middle
  // of one is slower.
  if (mask.getSteps())
    return row;
  return std::min((row + 63) / 64 * 64, n);
}

/// Can moments be checked, and what will they be?
void Planner::expectMoments() {
  BoundAttr bound = *op.getBound();
  if (!request.moments || bound.getSource() == BoundSource::Proved ||
      !op.whyNoMoments().empty())
    return;
  MaskAttrInterface mask = op.getKeyAxes()[0].mask;
  bool masked = !mask.admitsAll();
  Expectation e;
  const AttentionSizes &sizes = work.sizes;
  e.exactRows = masked ? rowsOfShortPrefixes(mask, sizes) : 0;
  // The rest must still be an attention, and most of it.
  int64_t n = sizes.numQueries, m = sizes.numKeys;
  if (e.exactRows &&
      (n < 4 * e.exactRows || !mask.forRows(e.exactRows, n, n, m) ||
       !mask.forRows(0, e.exactRows, n, m)))
    return;
  double slack = masked ? maskSlack : 1;
  if (MomentsAttr known = bound.getMoments()) {
    e.bound = known.getCentredBound();
    e.secondMoment = known.getSecondMoment() * slack;
  } else {
    auto [lengthened, varied] = isotropicSlack(sizes.numKeys);
    double value = bound.getValue();
    e.bound = value * lengthened;
    e.secondMoment = value * value / double(sizes.headDim) * varied * slack;
  }
  e.bound = std::max(e.bound * (1 + boundMargin), leastBound);
  e.secondMoment = std::max(e.secondMoment, leastBound * leastBound);
  e.mean = masked ? prefixMean : roundedMean;
  expected = e;
}

/// Does the polynomial of this degree meet the tolerance if moments are as
/// expected?
bool Planner::tryMoments(unsigned degree) {
  if (!expected)
    return false;
  std::optional<MomentPolynomial> fit =
      fitExpToMoment(expected->bound, degree, expected->secondMoment);
  if (!fit)
    return false;
  MomentClaim claim{expected->secondMoment, expected->mean, fit->Quadratic};
  std::optional<ErrorBudget> budget = attn::certifyMoments(
      op, fit->Coefficients, expected->bound, claim, plan.maxKeys);
  if (!budget || budget->OutputError > request.tolerance)
    return false;
  spendTolerance(fit->Coefficients, claim, *budget);
  plan.scoreBound = expected->bound;
  plan.exactRows = expected->exactRows;
  work.exactRowsOfMoments = expected->exactRows;
  return true;
}

/// Takes the plan with second moments as large as the tolerance allows, so that
/// the check turns down no input that it need not.
void Planner::spendTolerance(ArrayRef<double> coefficients, MomentClaim claim,
                             ErrorBudget budget) {
  plan.coefficients = coefficients.vec();
  plan.budget = budget;
  plan.moments = claim;
  double spare = (request.tolerance * (1 - 0x1p-20) - budget.OutputError) /
                 (2 * std::exp(claim.Mean) * claim.Quadratic);
  // Larger moments cost some of the rounding error's budget, too.
  for (double share : {1.0, 0.9}) {
    MomentClaim larger = claim;
    larger.SecondMoment += share * spare;
    std::optional<ErrorBudget> spent = attn::certifyMoments(
        op, coefficients, expected->bound, larger, plan.maxKeys);
    if (spent && spent->OutputError <= request.tolerance) {
      plan.budget = *spent;
      plan.moments = larger;
      return;
    }
  }
}

InputLimits ApproximationPlan::limits() const {
  InputLimits limits{scoreBound, normLimit, {}};
  if (moments)
    limits.moments = MomentLimits{moments->SecondMoment, moments->Mean};
  return limits;
}

/// Beyond it the state is too large, or the format cannot be evaluated natively
/// at all and only `force` asks for it.
unsigned Planner::largestStateDegree() const {
  unsigned degree = 0;
  while (degree < MaxDegree &&
         (request.force || whyNoNativeState(work, degree + 1).empty()))
    ++degree;
  return degree;
}

std::optional<OpRemark> Planner::findPolynomial() {
  double bound =
      std::max(op.getBound()->getValue() * (1 + boundMargin), leastBound);
  unsigned last = largestStateDegree();
  expectMoments();
  for (unsigned degree = 1; degree <= last; ++degree) {
    // At the same degree a bound is cheaper to check.
    if (tryDegree(degree, bound) || tryMoments(degree))
      return std::nullopt;
    // Rounding errors only grow with the degree.
    if (roundingFloor && *roundingFloor >= request.tolerance)
      break;
  }
  return explain ? explainNoPolynomial() : OpRemark();
}

OpRemark Planner::explainNoPolynomial() {
  double bound = op.getBound()->getValue();
  std::string scoreBound = "score bound " + readable(bound);
  // The degree that would do in exact arithmetic, if doubles can express it.
  std::optional<ExpPolynomial> fit =
      fitExpToError(std::max(bound, leastBound), request.tolerance, MaxDegree);
  if (!fit)
    return OpRemark("BoundTooLarge",
                    scoreBound +
                        " is too large: no polynomial in double "
                        "precision keeps within " +
                        readable(request.tolerance) + adviseBound())
        .metric("ScoreBound", bound);

  unsigned degree = fit->degree();
  double rank = featureCount(work.sizes.headDim, degree);
  std::string needs = scoreBound + " needs degree " + std::to_string(degree) +
                      ", rank " + readable(rank);
  std::string noState = whyNoNativeState(work, degree);
  OpRemark reason("BoundTooLarge", "");
  if (!noState.empty() && !request.force) {
    reason.text = needs + "; " + noState;
    if (work.elementType.isF64())
      reason.name = "NoNativeState";
    else if (work.isStatic() && rank < largestCostedRank)
      reason.text +=
          ", and it would cost " +
          readable(1 /
                   compareCosts(work.at(1), 0, degree, request.target).gain()) +
          "x direct evaluation";
  } else {
    reason.name = "ToleranceBelowRounding";
    reason.text = needs + ", whose rounding errors over up to " +
                  std::to_string(plan.maxKeys) + " keys ";
    reason.text += std::isfinite(roundingFloor.value_or(INFINITY))
                       ? "are certified only to " + readable(*roundingFloor)
                       : "cannot be bounded usefully";
    reason.text += "; the tolerance is " + readable(request.tolerance);
  }
  if (reason.name != "NoNativeState")
    reason.text += adviseBound();
  return reason.metric("ScoreBound", bound)
      .metric("Degree", degree)
      .metric("Rank", rank);
}

bool Planner::isCertified(unsigned degree, double bound) {
  std::optional<ExpPolynomial> fit = fitExp(bound, degree);
  if (!fit || weightChange(fit->FittedError) > request.tolerance)
    return false;
  std::optional<ErrorBudget> budget =
      attn::certify(op, fit->Coefficients, bound, plan.maxKeys);
  return budget && budget->OutputError <= request.tolerance;
}

/// The largest score bound at which this degree is certified; 0 if there is
/// none worth naming.
double Planner::largestBound(unsigned degree) {
  double low = 0, high = MaxBound;
  for (int step = 0; step < 16; ++step) {
    double middle = (low + high) / 2;
    (isCertified(degree, middle * (1 + boundMargin)) ? low : high) = middle;
  }
  return low;
}

/// Which bounds would do: "; at n = 256 a state pays for score bounds up to
/// 0.199 (degree 1)".
std::string Planner::adviseBound() {
  AttentionWork longest = work.at(request.maxKeys);
  double bound = 0;
  unsigned best = 0;
  for (unsigned degree = 1; degree <= MaxDegree; ++degree) {
    if (!whyNoNativeState(longest, degree).empty() ||
        !compareCosts(longest, 0, degree, request.target).stateWins())
      break;
    // A higher degree reaches further until its rounding errors take over.
    double reach = largestBound(degree);
    if (reach <= bound)
      break;
    bound = reach;
    best = degree;
  }
  if (best == 0)
    return "; " + lengths() + " no state pays at this tolerance";
  // Three digits, rounded down: the advice must work when followed.
  return "; " + lengths() + " a state pays for score bounds up to " +
         readable(bound * 0.995) + " (degree " + std::to_string(best) + ")";
}

std::string Planner::lengths() const {
  if (!work.isStatic())
    return "at lengths up to " + std::to_string(request.maxKeys);
  int64_t n = work.sizes.numQueries, m = work.sizes.numKeys;
  return "at n = " + std::to_string(n) +
         (n == m ? std::string() : ", m = " + std::to_string(m));
}

std::optional<OpRemark> Planner::checkNorms() {
  plan.normLimit =
      attn::normLimit(op, plan.degree(), plan.scoreBound, plan.maxKeys);
  if (plan.normLimit > 0)
    return std::nullopt;
  return OpRemark("FeaturesOverflow",
                  "features of degree " + std::to_string(plan.degree()) +
                      " over up to " + std::to_string(plan.maxKeys) +
                      " keys could overflow at any norm; fewer keys "
                      "(max-keys) or a larger tolerance lower the degree")
      .metric("Degree", plan.degree());
}

std::optional<OpRemark> Planner::checkProfit() {
  const TargetDescription &target = request.target;
  if (work.isStatic()) {
    CostComparison costs = compareCosts(work.at(1), 0, plan.degree(), target);
    plan.gain = costs.gain();
    if (request.force || costs.stateWins())
      return std::nullopt;
  } else if (!request.force) {
    plan.fromLength =
        breakEvenLength(work, 0, plan.degree(), target, request.maxKeys);
    if (plan.fromLength)
      return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (!explain)
    return OpRemark();

  double rank = featureCount(work.sizes.headDim, plan.degree());
  std::string text = "score bound " + readable(op.getBound()->getValue()) +
                     " needs degree " + std::to_string(plan.degree()) +
                     ", rank " + readable(rank) + "; ";
  text += plan.gain
              ? "the state would cost " + readable(1 / *plan.gain) +
                    "x direct evaluation " + lengths()
              : "the state costs more than direct evaluation " + lengths();
  std::optional<int64_t> evenLength = breakEvenLength(
      work.atAnyLength(), 0, plan.degree(), target, longestLength);
  text += evenLength ? "; with as many queries as keys it pays from n = " +
                           std::to_string(*evenLength) + " on"
                     : std::string("; it pays at no length");
  OpRemark reason("TooShort", text);
  reason.metric("ScoreBound", op.getBound()->getValue())
      .metric("Degree", plan.degree())
      .metric("Rank", rank);
  if (evenLength)
    reason.metric("BreakEvenLength", double(*evenLength));
  if (plan.gain)
    reason.metric("Gain", *plan.gain);
  return reason;
}

PlanOrReason
polyattn::attn::planApproximation(ApproximableOpInterface op,
                                  const ApproximationRequest &request) {
  return Planner(op, request).run();
}
