// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-infer-bounds: ask the bound analysis about queries and keys, annotate,
// remark.

#include "OpRemarks.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "polyattn/Analysis/BoundAnalysis.h"
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

/// The largest norm along `axis` for each index of `head` (one for all where
/// there is no such dimension or no difference).
static SmallVector<double> normsByHead(const BoundFact &fact, unsigned axis,
                                       int head) {
  bool split = head >= 0 && fact.isSplit(unsigned(head));
  SmallVector<double> norms(split ? fact.grid[head] : 1, 0);
  std::vector<double> cells = fact.normAlong(axis);
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
  OriginRef origin;
  double largest() const { return *llvm::max_element(heads); }
  double at(int64_t head) const { return heads[heads.size() == 1 ? 0 : head]; }
};

struct ScoreBound {
  /// Of |scale| |q| |k|, for each query head or for all.
  SmallVector<double> heads;
  RowNorms query, key;
  BoundSource source;
  double largest() const { return *llvm::max_element(heads); }
  double at(int64_t head) const { return heads[heads.size() == 1 ? 0 : head]; }
  bool differs() const {
    return llvm::any_of(heads, [&](double h) { return h != heads[0]; });
  }
};
} // namespace

static std::optional<RowNorms> rowNorms(const Bounds &bounds, Value value,
                                        unsigned axis, int head) {
  const BoundFact *fact = bounds.of(value);
  if (!fact || fact->rank() == 0)
    return std::nullopt;
  RowNorms rows{normsByHead(*fact, axis, head), fact->origin};
  if (!(rows.largest() < infinity))
    return std::nullopt;
  return rows;
}

/// |scale| |q| |k|, rounded up, for each query head.
static std::optional<ScoreBound>
scoreBound(const Bounds &bounds, AttentionOp op, BoundSource source) {
  auto type = cast<RankedTensorType>(op.getQuery().getType());
  auto keyType = cast<RankedTensorType>(op.getKey().getType());
  int rank = int(type.getRank()), head = rank - 3;
  auto query = rowNorms(bounds, op.getQuery(), unsigned(rank - 1), head);
  auto key = rowNorms(bounds, op.getKey(), unsigned(rank - 1), head);
  if (!query || !key)
    return std::nullopt;
  int64_t heads = head < 0 ? 1 : type.getDimSize(head);
  int64_t keyHeads = head < 0 ? 1 : keyType.getDimSize(head);
  bool split = query->heads.size() > 1 || key->heads.size() > 1;
  if (split &&
      (ShapedType::isDynamic(heads) || ShapedType::isDynamic(keyHeads))) {
    query->heads = {query->largest()};
    key->heads = {key->largest()};
    split = false;
  }
  double scale = std::fabs(op.getScaleAttr().getValueAsDouble());
  ScoreBound score{{}, *query, *key, source};
  for (int64_t h = 0; h < (split ? heads : 1); ++h)
    score.heads.push_back(nextUp(nextUp(scale * query->at(h)) *
                                 key->at(split ? h / (heads / keyHeads) : 0)));
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

static OpRemark remarkOf(const ScoreBound &score, double scale) {
  OpRemark remark("ScoreBound", "");
  llvm::raw_string_ostream text(remark.text);
  text << "score bound " << readable(score.largest()) << " ("
       << stringifyBoundSource(score.source) << "): " << readable(scale)
       << " * " << normText("q", score.query) << " * "
       << normText("k", score.key);
  if (score.differs()) {
    text << "; by head: ";
    llvm::interleaveComma(score.heads, text,
                          [&](double h) { text << readable(h); });
  }
  remark.metric("ScoreBound", score.largest())
      .metric("QueryNorm", score.query.largest())
      .metric("KeyNorm", score.key.largest());
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
static SmallVector<Attribute> headBounds(AttentionOp op, BoundAttr bound,
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
static bool annotate(AttentionOp op, const ScoreBound &score) {
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
    SmallVector<AttentionOp> ops;
    SmallVector<Operation *> contractions, returns;
    getOperation()->walk([&](Operation *op) {
      if (auto attention = dyn_cast<AttentionOp>(op))
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
    for (AttentionOp op : ops)
      runOn(op, *proved, succeeded(assumed) ? &*assumed : nullptr);
    for (Operation *op : contractions)
      runOnContraction(op, succeeded(assumed) ? *assumed : *proved);
    for (Operation *op : returns)
      for (OpOperand &value : op->getOpOperands())
        reportResult(succeeded(assumed) ? *assumed : *proved, op, value);
  }

private:
  void runOn(AttentionOp op, const Bounds &proved, const Bounds *assumed) {
    auto score = scoreBound(proved, op, BoundSource::Proved);
    if (!score && assumed)
      score = scoreBound(*assumed, op, BoundSource::Declared);
    if (score) {
      OpRemark remark = remarkOf(*score, op.getScaleAttr().getValueAsDouble());
      if (!annotate(op, *score))
        remark.text += "; the smaller bound " +
                       readable(op.getBound()->getValue()) + " (" +
                       stringifyBoundSource(op.getBound()->getSource()).str() +
                       ") that the op has stays";
      return emitPassed(op, passName, remark);
    }
    const Bounds &last = assumed ? *assumed : proved;
    unsigned axis = unsigned(op.getQuery().getType().getRank() - 1);
    bool query = !rowNorms(last, op.getQuery(), axis, -1);
    Value unknown = query ? op.getQuery() : op.getKey();
    emitMissed(op, passName,
               OpRemark("NoScoreBound",
                        Twine("no bound of ") + (query ? "|q|" : "|k|") +
                            " is proved: " + last.whyUnbounded(unknown)));
  }

  void runOnContraction(Operation *op, const Bounds &bounds) {
    auto [a, b] = *contractionOf(op);
    if (isActivation(bounds, a.value) && isActivation(bounds, b.value))
      reportContraction(bounds, op, a, b);
  }
};
} // namespace
