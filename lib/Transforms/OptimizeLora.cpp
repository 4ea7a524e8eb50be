// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-optimize-lora: one matrix or two, by cost.

#include "OpRemarks.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "polyattn/Analysis/Constants.h"
#include "polyattn/Analysis/Target.h"
#include "polyattn/Transforms/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNOPTIMIZELORA
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral passName = "attn-optimize-lora";

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

/// Bytes that one core moves between memory and registers in a cycle.
static constexpr double bytesPerCycle = 4;
/// Thin products reach this part of the speed of large ones: few of their
/// columns are in use at a time.
static constexpr double thinEfficiency = 0.5;
/// What a prediction must win by, so that an error of the model does not turn a
/// gain into a loss.
static constexpr double margin = 1.2;

namespace {
/// A weight and its adapter.
struct Shape {
  int64_t in, out, rank;
  unsigned bytes;

  template <typename OpT> static Shape of(OpT op) {
    LoraLayout layout{op.getTransposed()};
    RankedTensorType weight = op.getWeight().getType();
    return {weight.getDimSize(layout.in()), weight.getDimSize(layout.out()),
            op.getA().getType().getDimSize(layout.out()),
            weight.getElementTypeBitWidth() / 8};
  }
  bool isStatic() const {
    return ShapedType::isStatic(in) && ShapedType::isStatic(out) &&
           ShapedType::isStatic(rank);
  }
  double multiplyAdds() const { return double(in) * out * rank; }
  /// Cycles of one core.
  double mergeCycles(const TargetDescription &target) const {
    return 2 * multiplyAdds() / target.flopsPerCycle() +
           2.0 * in * out * bytes / bytesPerCycle;
  }
  /// Of the adapter alone, for so many rows; the weight costs the same merged
  /// or not.
  double apartCycles(double rows, const TargetDescription &target) const {
    double flops = 2 * rows * rank * (double(in) + out);
    return flops / (thinEfficiency * target.flopsPerCycle());
  }
};
} // namespace

/// Rows of x, if they are known.
static std::optional<double> rowsOf(LoraLinearOp op) {
  double rows = 1;
  for (int64_t size : op.getX().getType().getShape().drop_back()) {
    if (ShapedType::isDynamic(size))
      return std::nullopt;
    rows *= double(size);
  }
  return rows;
}

/// The outermost loop that changes none of the values, or `op` if there is
/// none, and how often its body runs for it.
static std::pair<Operation *, double> outOfLoops(Operation *op,
                                                 ArrayRef<Value> values) {
  Operation *place = op;
  double times = 1;
  for (Operation *parent = op->getParentOp(); parent;
       parent = parent->getParentOp()) {
    auto loop = dyn_cast<LoopLikeOpInterface>(parent);
    if (!loop) {
      // A branch is no reason to do more than it does.
      if (!isa<scf::IfOp>(parent))
        break;
      continue;
    }
    if (!llvm::all_of(values, [&](Value value) {
          return loop.isDefinedOutsideOfLoop(value);
        }))
      break;
    place = loop;
    if (auto trips = loop.getStaticTripCount())
      times *= double(trips->getZExtValue());
  }
  return {place, times};
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// The elements of W + scale A B, in double precision, if all are constants.
template <typename OpT>
static std::optional<std::vector<double>> mergedElements(OpT op) {
  const Value matrices[] = {op.getWeight(), op.getA(), op.getB()};
  std::vector<double> elements[3];
  for (auto [value, read] : llvm::zip_equal(matrices, elements)) {
    Attribute constant;
    if (!matchPattern(value, m_Constant(&constant)))
      return std::nullopt;
    auto known = readElements(constant, cast<ShapedType>(value.getType()));
    if (!known)
      return std::nullopt;
    read = std::move(*known);
  }
  Shape shape = Shape::of(op);
  bool transposed = op.getTransposed();
  int64_t rows = transposed ? shape.out : shape.in,
          columns = transposed ? shape.in : shape.out, rank = shape.rank;
  const std::vector<double> &left = elements[transposed ? 2 : 1],
                            &right = elements[transposed ? 1 : 2];
  double scale = op.getScale().convertToDouble();
  std::vector<double> &sums = elements[0], row(columns);
  for (int64_t i = 0; i < rows; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    for (int64_t k = 0; k < rank; ++k)
      for (int64_t j = 0; j < columns; ++j)
        row[j] += left[i * rank + k] * right[k * columns + j];
    for (int64_t j = 0; j < columns; ++j)
      sums[i * columns + j] += scale * row[j];
  }
  return std::move(sums);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct OptimizeLoraPass
    : polyattn::attn::impl::AttnOptimizeLoraBase<OptimizeLoraPass> {
  using AttnOptimizeLoraBase::AttnOptimizeLoraBase;

  void runOnOperation() override;

private:
  /// Layers that have weight and adapter in common.
  using Layers = SmallVector<LoraLinearOp>;

  void visitMerge(LoraMergeOp op);
  bool takeApart(LoraMergeOp op);
  void visitLayers(Layers &layers);
  void mergeAtRunTime(Layers &layers);
  Value foldedMerge(Operation *op, OpRemark &remark);
  bool wouldRound(Operation *op, RankedTensorType weight);

  TargetDescription description;
};
} // namespace

static bool isPlain(LoraLinearOp op) {
  return addsNothing(op.getA(), op.getB(), op.getScale().convertToDouble(),
                     op.getTransposed());
}

static std::string describe(const Shape &shape) {
  auto size = [](int64_t size) {
    return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
  };
  return "adapter of rank " + size(shape.rank) + " on " + size(shape.in) +
         " x " + size(shape.out);
}

/// From now on the layer is x `weight`; canonicalisation tidies up.
static void makePlain(LoraLinearOp op, Value weight) {
  op.getWeightMutable().assign(weight);
  op.setScale(APFloat(0.0));
}

bool OptimizeLoraPass::wouldRound(Operation *op, RankedTensorType weight) {
  return weight.getElementTypeBitWidth() < 32 && !mergeNarrow;
}

/// The constant that merging gives, if it is one and that does not take too
/// long.
Value OptimizeLoraPass::foldedMerge(Operation *op, OpRemark &remark) {
  auto folded = [&](auto lora) -> Value {
    Shape shape = Shape::of(lora);
    for (Value value : {lora.getWeight(), lora.getA(), lora.getB()})
      if (!matchPattern(value, m_Constant()))
        return {};
    if (shape.multiplyAdds() > foldLimit) {
      remark = OpRemark(
          "FoldLimit",
          describe(shape) +
              " not merged by the compiler: " + readable(shape.multiplyAdds()) +
              " multiply-adds exceed fold-limit, " + readable(foldLimit));
      return {};
    }
    std::optional<std::vector<double>> elements = mergedElements(lora);
    if (!elements)
      return {};
    OpBuilder b(op);
    remark =
        OpRemark("Folded", describe(shape) + " merged into its weight: all are "
                                             "constants");
    return emitConstant(b, op->getLoc(), lora.getWeight().getType(), *elements,
                        "merged");
  };
  if (auto merge = dyn_cast<LoraMergeOp>(op))
    return folded(merge);
  return folded(cast<LoraLinearOp>(op));
}

/// x (W + scale A B) as x W + scale (x A) B, where that costs less.
bool OptimizeLoraPass::takeApart(LoraMergeOp op) {
  Shape shape = Shape::of(op);
  if (!shape.isStatic() || op->use_empty())
    return false;
  double apart = 0;
  for (OpOperand &use : op->getUses()) {
    auto layer = dyn_cast<LoraLinearOp>(use.getOwner());
    if (!layer || layer.getAdapters() || !isPlain(layer) ||
        use.get() != layer.getWeight() ||
        layer.getTransposed() != op.getTransposed())
      return false;
    std::optional<double> rows = rowsOf(layer);
    if (!rows)
      return false;
    // As often as the layer runs for each time that this runs.
    double times = 1;
    for (Operation *parent = layer->getParentOp();
         parent && !parent->isAncestor(op); parent = parent->getParentOp()) {
      auto loop = dyn_cast<LoopLikeOpInterface>(parent);
      if (!loop)
        continue;
      auto trips = loop.getStaticTripCount();
      if (!trips)
        return false;
      times *= double(trips->getZExtValue());
    }
    apart += shape.apartCycles(times * *rows, description);
  }
  double merged = shape.mergeCycles(description);
  if (apart * margin > merged)
    return false;
  emitPassed(op, passName,
             OpRemark("TakenApart", describe(shape) +
                                        " comes apart from its weight: "
                                        "predicted " +
                                        readable(apart) + " cycles apart, " +
                                        readable(merged) + " merged")
                 .metric("ApartCycles", apart)
                 .metric("MergedCycles", merged));
  for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
    auto layer = cast<LoraLinearOp>(user);
    layer.getWeightMutable().assign(op.getWeight());
    layer.getAMutable().assign(op.getA());
    layer.getBMutable().assign(op.getB());
    layer.setScale(op.getScale());
  }
  op->erase();
  return true;
}

void OptimizeLoraPass::visitMerge(LoraMergeOp op) {
  OpRemark remark;
  if (Value constant = foldedMerge(op, remark)) {
    emitPassed(op, passName, remark);
    op.replaceAllUsesWith(constant);
    op->erase();
    return;
  }
  if (!remark.text.empty())
    emitMissed(op, passName, remark);
  if (takeApart(op))
    return;
  auto [place, times] = outOfLoops(op, {op.getWeight(), op.getA(), op.getB()});
  if (place == op)
    return;
  op->moveBefore(place);
  emitPassed(op, passName,
             OpRemark("Hoisted", describe(Shape::of(op)) +
                                     " is merged before the loop, which "
                                     "changes nothing of it"));
}

/// A merge that several layers use, in front of the first one or of the loops
/// around it.
void OptimizeLoraPass::mergeAtRunTime(Layers &layers) {
  LoraLinearOp first = layers.front();
  Shape shape = Shape::of(first);
  auto missed = [&](StringRef name, const Twine &why) {
    emitMissed(first, passName,
               OpRemark(name, describe(shape) + " stays apart: " + why));
  };
  if (!shape.isStatic())
    return missed("UnknownSizes", "its sizes are not known");
  double total = 0;
  SmallVector<Value> matrices{first.getWeight(), first.getA(), first.getB()};
  for (LoraLinearOp layer : layers) {
    std::optional<double> rows = rowsOf(layer);
    if (!rows)
      return missed("UnknownSizes", "the number of rows is not known");
    total += *rows * outOfLoops(layer, matrices).second;
  }
  double apart = shape.apartCycles(total, description),
         merged = shape.mergeCycles(description);
  std::string costs = readable(total) + " rows in " +
                      std::to_string(layers.size()) + " uses, predicted " +
                      readable(apart) + " cycles apart, " + readable(merged) +
                      " merged";
  if (apart < margin * merged) {
    double least =
        std::ceil(margin * merged / shape.apartCycles(1, description));
    return missed("Apart", costs + "; merging pays from " + readable(least) +
                               " rows on");
  }
  Operation *place = outOfLoops(first, matrices).first;
  OpBuilder b(place);
  Value weight = LoraMergeOp::create(
      b, first.getLoc(), first.getWeight(), first.getA(), first.getB(),
      first.getScaleAttr(), first.getTransposedAttr());
  emitPassed(first, passName,
             OpRemark("Merged", describe(shape) + " is merged into its weight" +
                                    (place == first ? "" : " before the loop") +
                                    ": " + costs)
                 .metric("ApartCycles", apart)
                 .metric("MergedCycles", merged));
  for (LoraLinearOp layer : layers)
    makePlain(layer, weight);
}

void OptimizeLoraPass::visitLayers(Layers &layers) {
  LoraLinearOp first = layers.front();
  Shape shape = Shape::of(first);
  if (wouldRound(first, first.getWeight().getType())) {
    emitMissed(first, passName,
               OpRemark("Narrow", describe(shape) +
                                      " stays apart: merged, it would be "
                                      "rounded to the weight's type; "
                                      "merge-narrow allows for that"));
    return;
  }
  OpRemark remark;
  if (Value constant = foldedMerge(first, remark)) {
    emitPassed(first, passName, remark);
    for (LoraLinearOp layer : layers)
      makePlain(layer, constant);
    return;
  }
  if (!remark.text.empty())
    emitMissed(first, passName, remark);
  mergeAtRunTime(layers);
}

void OptimizeLoraPass::runOnOperation() {
  FailureOr<TargetDescription> resolved = resolveTarget(getOperation(), target);
  if (failed(resolved))
    return signalPassFailure();
  description = *resolved;
  SmallVector<LoraMergeOp> merges;
  getOperation()->walk([&](LoraMergeOp op) { merges.push_back(op); });
  for (LoraMergeOp op : merges)
    visitMerge(op);
  // Layers of one block, or of blocks inside of the first one's, so that what
  // is put in front of the first one is there for all of them.
  SmallVector<Layers> groups;
  getOperation()->walk([&](LoraLinearOp op) {
    if (op.getAdapters() || isPlain(op))
      return;
    for (Layers &group : groups) {
      LoraLinearOp other = group.front();
      if (other.getWeight() == op.getWeight() && other.getA() == op.getA() &&
          other.getB() == op.getB() && other.getScale() == op.getScale() &&
          other.getTransposed() == op.getTransposed() &&
          other->getBlock()->findAncestorOpInBlock(*op)) {
        group.push_back(op);
        return;
      }
    }
    groups.push_back({op});
  });
  for (Layers &group : groups)
    visitLayers(group);
}
