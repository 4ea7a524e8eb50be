// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-infer-bounds: ask the bound analysis about queries and keys, annotate,
// remark.

#include "Certification.h"
#include "OpRemarks.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "polyattn/Analysis/BoundAnalysis.h"
#include "polyattn/Analysis/CostModel.h"
#include "polyattn/Approximation/ExpPolynomial.h"
#include "polyattn/Transforms/Passes.h"

#include <cmath>

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNINFERBOUNDS
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral passName = "attn-infer-bounds";
static constexpr double infinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// The l_power norms along `axis`, cell by cell. Beyond l2, where no element
/// exceeds m: |x|_p^p <= m^(p - 2) |x|_2^2.
static std::vector<double> cellNorms(const BoundFact &fact, unsigned axis,
                                     unsigned power) {
  std::vector<double> norms = fact.normAlong(axis);
  if (power == 2)
    return norms;
  std::vector<double> most = fact.magnitudeAlong(axis);
  for (auto [norm, magnitude] : llvm::zip_equal(norms, most)) {
    double bound = std::pow(magnitude, double(power - 2) / power) *
                   std::pow(norm, 2.0 / power) * (1 + 0x1p-40);
    if (bound < norm)
      norm = bound;
  }
  return norms;
}

/// The largest l_power norm along `axis` for each index of `head` (one for all
/// where there is no such dimension or no difference).
static SmallVector<double> normsByHead(const BoundFact &fact, unsigned axis,
                                       int head, unsigned power) {
  bool split = head >= 0 && fact.isSplit(unsigned(head));
  SmallVector<double> norms(split ? fact.grid[head] : 1, 0);
  std::vector<double> cells = cellNorms(fact, axis, power);
  forEachCell(fact.grid, [&](int64_t cell, ArrayRef<int64_t> index) {
    double &norm = norms[split ? index[head] : 0];
    norm = std::max(norm, cells[cell]);
  });
  return norms;
}

namespace {
/// A bound of norms of rows, head by head, and where it comes from.
struct RowNorms {
  SmallVector<double> heads;
  /// The largest l2 norm, whatever the norm above is.
  double euclidean;
  OriginRef origin;
  double largest() const { return *llvm::max_element(heads); }
  double at(int64_t head) const { return heads[heads.size() == 1 ? 0 : head]; }
};

struct ScoreBound {
  /// Of |scale| |q| |k|, for each query head or for all.
  SmallVector<double> heads;
  /// Of the query, then of each set of keys.
  SmallVector<RowNorms> operands;
  BoundSource source;
  double largest() const { return *llvm::max_element(heads); }
  double at(int64_t head) const { return heads[heads.size() == 1 ? 0 : head]; }
  bool differs() const {
    return llvm::any_of(heads, [&](double h) { return h != heads[0]; });
  }
};
} // namespace

static std::optional<RowNorms> rowNorms(const Bounds &bounds, Value value,
                                        unsigned axis, int head,
                                        unsigned power = 2) {
  const BoundFact *fact = bounds.of(value);
  if (!fact || fact->rank() == 0)
    return std::nullopt;
  RowNorms rows{normsByHead(*fact, axis, head, power), fact->maxNorm(axis),
                fact->origin};
  if (!(rows.largest() < infinity))
    return std::nullopt;
  return rows;
}

/// The query, then the keys of each set.
static SmallVector<Value> factorsOf(ApproximableOpInterface op) {
  SmallVector<Value> factors = {op.getNumQueriesDim().tensor};
  for (const KeyAxis &axis : op.getKeyAxes())
    factors.push_back(axis.length.tensor);
  return factors;
}

/// |scale| |q| |k| ..., rounded up, for each query head.
static std::optional<ScoreBound> scoreBound(const Bounds &bounds,
                                            ApproximableOpInterface op,
                                            BoundSource source) {
  SmallVector<Value> factors = factorsOf(op);
  auto type = cast<RankedTensorType>(factors[0].getType());
  auto keyType = cast<RankedTensorType>(factors[1].getType());
  int rank = int(type.getRank()), head = rank - 3;
  ScoreBound score{{}, {}, source};
  bool split = false;
  for (Value factor : factors) {
    auto rows = rowNorms(bounds, factor, unsigned(rank - 1), head,
                         unsigned(factors.size()));
    if (!rows)
      return std::nullopt;
    split |= rows->heads.size() > 1;
    score.operands.push_back(*rows);
  }
  int64_t heads = head < 0 ? 1 : type.getDimSize(head);
  int64_t keyHeads = head < 0 ? 1 : keyType.getDimSize(head);
  if (split &&
      (ShapedType::isDynamic(heads) || ShapedType::isDynamic(keyHeads))) {
    for (RowNorms &rows : score.operands)
      rows.heads = {rows.largest()};
    split = false;
  }
  double scale = std::fabs(op.getScale().convertToDouble());
  for (int64_t h = 0; h < (split ? heads : 1); ++h) {
    int64_t keyHead = split ? h / (heads / keyHeads) : 0;
    double product = nextUp(scale * score.operands[0].at(h));
    for (const RowNorms &rows : ArrayRef(score.operands).drop_front())
      product = nextUp(product * rows.at(keyHead));
    score.heads.push_back(product);
  }
  // Attributes hold finite numbers.
  if (!(score.largest() < infinity))
    return std::nullopt;
  return score;
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

static std::string normText(StringRef name, const RowNorms &rows) {
  return "|" + name.str() + "| <= " + readable(rows.largest()) + " (" +
         describe(rows.origin) + ")";
}

/// q, k; or q, k1, k2, ...
static std::string factorName(size_t number, size_t factors) {
  if (number == 0)
    return "q";
  return factors == 2 ? "k" : "k" + std::to_string(number);
}

static OpRemark remarkOf(const ScoreBound &score, double scale) {
  OpRemark remark("ScoreBound", "");
  llvm::raw_string_ostream text(remark.text);
  text << "score bound " << readable(score.largest()) << " ("
       << stringifyBoundSource(score.source) << "): " << readable(scale);
  for (auto [i, rows] : llvm::enumerate(score.operands))
    text << " * " << normText(factorName(i, score.operands.size()), rows);
  if (score.operands.size() > 2)
    text << " in l" << score.operands.size() << " norms";
  if (score.differs()) {
    text << "; by head: ";
    llvm::interleaveComma(score.heads, text,
                          [&](double h) { text << readable(h); });
  }
  remark.metric("ScoreBound", score.largest())
      .metric("QueryNorm", score.operands[0].largest());
  double keyNorm = 0;
  for (const RowNorms &rows : ArrayRef(score.operands).drop_front())
    keyNorm = std::max(keyNorm, rows.largest());
  remark.metric("KeyNorm", keyNorm);
  return remark;
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

namespace {
/// One operand of a contraction and the dimension it is summed over.
struct Summed {
  Value value;
  unsigned axis;
};
} // namespace

/// Does the value follow from constants alone, by a few layout ops?
static bool isWeight(Value value, unsigned depth = 4) {
  Operation *op = value.getDefiningOp();
  return op && depth > 0 && isPure(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isWeight(operand, depth - 1);
         });
}

static bool isActivation(const Bounds &bounds, Value value) {
  const BoundFact *fact = bounds.of(value);
  return fact && !fact->constant && !isWeight(value);
}

/// The dimension of operand `number` that runs over loop `k`.
static std::optional<Summed> summed(linalg::LinalgOp op, unsigned number,
                                    unsigned k) {
  OpOperand *operand = op.getDpsInputOperand(number);
  for (auto [d, expr] :
       llvm::enumerate(op.getMatchingIndexingMap(operand).getResults()))
    if (expr == getAffineDimExpr(k, op.getContext()))
      return Summed{operand->get(), unsigned(d)};
  return std::nullopt;
}

/// Both operands, if `op` sums products of two tensors over one dimension.
static std::optional<std::pair<Summed, Summed>> contractionOf(Operation *op) {
  if (auto matmul = dyn_cast<tosa::MatMulOp>(op))
    return std::pair(Summed{matmul.getA(), 2}, Summed{matmul.getB(), 1});
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured || structured.getNumReductionLoops() != 1 ||
      structured.getNumDpsInputs() != 2 ||
      !linalg::isaContractionOpInterface(structured))
    return std::nullopt;
  SmallVector<unsigned> k;
  structured.getReductionDims(k);
  auto a = summed(structured, 0, k[0]), b = summed(structured, 1, k[0]);
  if (!a || !b)
    return std::nullopt;
  return std::pair(*a, *b);
}

static void reportContraction(const Bounds &bounds, Operation *op,
                              const Summed &a, const Summed &b) {
  auto left = rowNorms(bounds, a.value, a.axis, -1);
  auto right = rowNorms(bounds, b.value, b.axis, -1);
  if (!left || !right) {
    Value unknown = left ? b.value : a.value;
    emitAnalysis(op, passName,
                 OpRemark("ContractionUnbounded",
                          "no bound: " + bounds.whyUnbounded(unknown)));
    return;
  }
  double bound = nextUp(left->largest() * right->largest());
  OpRemark remark("ContractionBound", "contraction bound " + readable(bound) +
                                          ": " + normText("a", *left) + " * " +
                                          normText("b", *right));
  remark.metric("Bound", bound)
      .metric("LeftNorm", left->largest())
      .metric("RightNorm", right->largest());
  emitAnalysis(op, passName, remark);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// What is known of a value that a function returns.
static void reportResult(const Bounds &bounds, Operation *op,
                         OpOperand &value) {
  const BoundFact *fact = bounds.of(value.get());
  if (!fact || !isa<FloatType>(getElementTypeOrSelf(value.get().getType())))
    return;
  Interval all = fact->hull();
  OpRemark remark("ResultBound", "");
  llvm::raw_string_ostream text(remark.text);
  text << "result " << value.getOperandNumber() << ": ";
  if (!fact->isBounded()) {
    text << "no bound: " << bounds.whyUnbounded(value.get());
    return emitAnalysis(op, passName, remark);
  }
  text << "elements in [" << readable(all.Lo) << ", " << readable(all.Hi)
       << "]";
  remark.metric("Result", value.getOperandNumber())
      .metric("Low", all.Lo)
      .metric("High", all.Hi);
  if (fact->rank() > 0) {
    double norm = fact->maxNorm(fact->rank() - 1);
    text << ", norms of rows at most " << readable(norm);
    remark.metric("RowNorm", norm);
  }
  text << " (" << describe(fact->origin) << ")";
  emitAnalysis(op, passName, remark);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// `value` for `old`, which is larger. Moments are worth more than being proved
/// is: they stay, and the check at run time that comes with them.
static BoundAttr lowered(MLIRContext *context, BoundAttr old, double value,
                         BoundSource source) {
  if (!old || !old.getMoments())
    return BoundAttr::get(context, value, source);
  return BoundAttr::get(context, Real(value), old.getSource(),
                        old.getMoments());
}

/// The smaller bound of each head.
static SmallVector<Attribute> headBounds(ApproximableOpInterface op,
                                         BoundAttr bound,
                                         const ScoreBound &score) {
  MLIRContext *context = op.getContext();
  SmallVector<Attribute> heads;
  if (std::optional<ArrayAttr> old = op.getHeadBounds()) {
    for (auto [h, attr] : llvm::enumerate(old->getAsRange<BoundAttr>())) {
      double value = score.at(int64_t(h));
      heads.push_back(attr.getValue() <= value
                          ? attr
                          : lowered(context, attr, value, score.source));
    }
  } else if (score.differs() && !bound.getMoments()) {
    for (double value : score.heads)
      heads.push_back(BoundAttr::get(context, value, score.source));
  }
  return heads;
}

/// States the bound unless the op has a smaller one. Returns whether it did.
static bool annotate(ApproximableOpInterface op, const ScoreBound &score) {
  BoundAttr old = op.getBound().value_or(BoundAttr());
  if (old && old.getValue() <= score.largest())
    return false;
  MLIRContext *context = op.getContext();
  BoundAttr bound = lowered(context, old, score.largest(), score.source);
  SmallVector<Attribute> heads = headBounds(op, bound, score);
  op.setBound(bound,
              heads.empty() ? ArrayAttr() : ArrayAttr::get(context, heads));
  return true;
}

/// The largest norm that features of any degree bear that may be chosen: one
/// that a state has memory for, and that is more accurate than f32. Whoever
/// relies on a proved bound checks no norms.
static double safeNorm(ApproximableOpInterface op, double bound) {
  if (ShapedType::isDynamic(op.getSizes().headDim))
    return 0;
  AttentionWork work = AttentionWork::of(op);
  auto fit = fitExpToError(std::max(bound, 1e-6), 0x1p-24, MaxDegree);
  unsigned most = fit ? fit->degree() : MaxDegree, degree = 1;
  while (degree < most && whyNoNativeState(work, degree + 1).empty())
    ++degree;
  return normLimit(op, degree, bound, op.getMostKeys(int64_t(1) << 30));
}

/// A bound whose norms features might not bear is left to a run-time check.
static void checkNorms(ApproximableOpInterface op, ScoreBound &score,
                       std::string &note) {
  double limit = safeNorm(op, score.largest());
  double norm = 0;
  for (const RowNorms &rows : score.operands)
    norm = std::max(norm, rows.euclidean);
  if (score.source != BoundSource::Proved || norm <= limit)
    return;
  score.source = BoundSource::Declared;
  note = "; proved, but only declared: norms up to " + readable(norm) +
         " may exceed the " + readable(limit) +
         " that features of the highest degree bear, so they are checked at "
         "run time";
}

namespace {
struct InferBoundsPass
    : polyattn::attn::impl::AttnInferBoundsBase<InferBoundsPass> {
  using AttnInferBoundsBase::AttnInferBoundsBase;

  void runOnOperation() override {
    if (!(assumeInputs >= 0) || !std::isfinite(assumeInputs)) {
      getOperation()->emitError("attn-infer-bounds: assume-inputs must be at "
                                "least 0, found ")
          << readable(assumeInputs)
          << "; give a bound of the arguments' elements, or leave it out";
      return signalPassFailure();
    }
    SmallVector<ApproximableOpInterface> ops;
    SmallVector<Operation *> contractions, returns;
    getOperation()->walk([&](Operation *op) {
      if (auto attention = dyn_cast<ApproximableOpInterface>(op))
        ops.push_back(attention);
      else if (reportContractions && contractionOf(op))
        contractions.push_back(op);
      else if (reportResults && op->hasTrait<OpTrait::ReturnLike>() &&
               isa_and_nonnull<FunctionOpInterface>(op->getParentOp()))
        returns.push_back(op);
    });
    if (ops.empty() && contractions.empty() && returns.empty())
      return markAllAnalysesPreserved();
    FailureOr<Bounds> proved = Bounds::compute(getOperation(), infinity);
    FailureOr<Bounds> assumed = failure();
    if (assumeInputs > 0)
      assumed = Bounds::compute(getOperation(), assumeInputs);
    if (failed(proved) || (assumeInputs > 0 && failed(assumed)))
      return signalPassFailure();
    for (ApproximableOpInterface op : ops)
      runOn(op, *proved, succeeded(assumed) ? &*assumed : nullptr);
    for (Operation *op : contractions)
      runOnContraction(op, succeeded(assumed) ? *assumed : *proved);
    for (Operation *op : returns)
      for (OpOperand &value : op->getOpOperands())
        reportResult(succeeded(assumed) ? *assumed : *proved, op, value);
  }

private:
  void runOn(ApproximableOpInterface op, const Bounds &proved,
             const Bounds *assumed) {
    auto score = scoreBound(proved, op, BoundSource::Proved);
    if (!score && assumed)
      score = scoreBound(*assumed, op, BoundSource::Declared);
    if (score) {
      std::string note;
      checkNorms(op, *score, note);
      OpRemark remark = remarkOf(*score, op.getScale().convertToDouble());
      remark.text += note;
      if (!annotate(op, *score))
        remark.text += "; the smaller bound " +
                       readable(op.getBound()->getValue()) + " (" +
                       stringifyBoundSource(op.getBound()->getSource()).str() +
                       ") that the op has stays";
      return emitPassed(op, passName, remark);
    }
    const Bounds &last = assumed ? *assumed : proved;
    SmallVector<Value> factors = factorsOf(op);
    unsigned axis = cast<RankedTensorType>(factors[0].getType()).getRank() - 1;
    size_t at = 0;
    while (at + 1 < factors.size() && rowNorms(last, factors[at], axis, -1))
      ++at;
    OpRemark remark("NoScoreBound",
                    "no bound of |" + factorName(at, factors.size()) +
                        "| is proved: " + last.whyUnbounded(factors[at]));
    // Nothing is missed where the op has a bound.
    if (op.getBound())
      return emitAnalysis(op, passName, remark);
    emitMissed(op, passName, remark);
  }

  void runOnContraction(Operation *op, const Bounds &bounds) {
    auto [a, b] = *contractionOf(op);
    if (isActivation(bounds, a.value) && isActivation(bounds, b.value))
      reportContraction(bounds, op, a, b);
  }
};
} // namespace
