// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-lower-contractions: which ops it takes.

#include "ContractionEmitter.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNLOWERCONTRACTIONS
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static remark::RemarkOpts remarkOptions(StringRef name) {
  return remark::RemarkOpts::name(name)
      .category("polyattn")
      .subCategory("lower-contractions");
}

/// Neighbouring reductions that follow each other in both operands are one.
static linalg::LinalgOp joinReductions(IRRewriter &b, linalg::LinalgOp op) {
  SmallVector<ReassociationIndices> groups;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (op.getNumDpsInputs() != 2)
    return op;
  // In a convolution they do not follow each other, whatever a map's order
  // says.
  if (!llvm::all_of(maps,
                    [](AffineMap map) { return map.isProjectedPermutation(); }))
    return op;
  auto kinds = op.getIteratorTypesArray();
  for (int64_t loop = 0; loop + 1 < int64_t(op.getNumLoops()); ++loop) {
    ReassociationIndices group = {loop};
    while (loop + 1 < int64_t(op.getNumLoops()) &&
           kinds[loop] == utils::IteratorType::reduction &&
           kinds[loop + 1] == utils::IteratorType::reduction) {
      group.push_back(loop + 1);
      if (!linalg::areDimSequencesPreserved(maps, {group})) {
        group.pop_back();
        break;
      }
      ++loop;
    }
    if (group.size() > 1)
      groups.push_back(group);
  }
  if (groups.empty())
    return op;
  b.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> joined =
      linalg::collapseOpIterationDims(op, groups, b);
  if (failed(joined))
    return op;
  b.replaceOp(op, joined->results);
  return joined->collapsedOp;
}

namespace {
struct LowerContractionsPass
    : polyattn::attn::impl::AttnLowerContractionsBase<LowerContractionsPass> {
  using AttnLowerContractionsBase::AttnLowerContractionsBase;

  void runOnOperation() override {
    FailureOr<TargetDescription> description =
        resolveTarget(getOperation(), target);
    if (failed(description))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (isContraction(op))
        ops.push_back(op);
    });
    IRRewriter b(&getContext());
    // What others add to waits for them.
    DenseMap<Operation *, linalg::LinalgOp> firstOf;
    for (linalg::LinalgOp op : ops) {
      linalg::LinalgOp first = firstOf.lookup(op);
      op = joinReductions(b, op);
      std::optional<Pair> pair = first ? std::nullopt : findAddend(op);
      if (pair)
        firstOf[pair->addend.op] = op;
      else
        lower(b, op, first, *description);
    }
  }

  /// Two contractions with one result.
  struct Pair {
    Contraction addend;
    SmallVector<std::optional<unsigned>> commonLoops;
  };

  /// The only user of the result, if that is where its sums start and both can
  /// be formed together.
  static std::optional<Pair> findAddend(linalg::LinalgOp op) {
    if (!op->getResult(0).hasOneUse())
      return std::nullopt;
    OpOperand &use = *op->getResult(0).use_begin();
    auto user = dyn_cast<linalg::LinalgOp>(use.getOwner());
    if (!user || user->getBlock() != op->getBlock() || !isContraction(user) ||
        !user.isDpsInit(&use))
      return std::nullopt;
    std::string reason;
    FailureOr<Contraction> c = describeContraction(op, reason),
                           addend = describeContraction(user, reason);
    if (failed(c) || failed(addend))
      return std::nullopt;
    auto common = findCommonLoops(*c, *addend);
    if (!common)
      return std::nullopt;
    return Pair{*addend, *common};
  }

  /// `op`, and with it `first`, which it adds to, if there is one.
  static void lower(IRRewriter &b, linalg::LinalgOp op, linalg::LinalgOp first,
                    const TargetDescription &target) {
    std::optional<Pair> pair;
    if (first)
      pair = findAddend(first);
    if (first && !pair) {
      // Joining reductions has set them apart.
      lower(b, first, nullptr, target);
      first = nullptr;
    }
    std::string reason;
    FailureOr<Contraction> c = describeContraction(first ? first : op, reason);
    if (failed(c)) {
      remark::missed(op.getLoc(), remarkOptions("NoBlocks"))
          << ("no register blocks for '" + op->getName().getStringRef().str() +
              "': " + reason);
      return;
    }
    Location loc = op.getLoc();
    std::optional<Epilogue> epilogue = findEpilogue(*c, op->getResult(0));
    Operation *last = epilogue ? epilogue->op : op;
    b.setInsertionPoint(last);
    Emitter e(b, loc, target);
    ContractionEmitter emitter(e, target, *c, epilogue);
    if (pair)
      emitter.add(target, pair->addend, pair->commonLoops);
    Value result = emitter.emit();
    remark::analysis(loc, remarkOptions("Blocks"))
        << ("register blocks: " + emitter.getRoute().str() +
            (pair ? ", a second product is added to it" : "") +
            (epilogue ? ", the op that follows is part of it" : ""));
    b.replaceOp(last, result);
    if (epilogue)
      b.eraseOp(op);
    if (first)
      b.eraseOp(first);
  }
};
} // namespace
