// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-fuse-elementwise: upstream's fusion of linalg ops, with a choice of what
// to fuse that suits vector code which reads an array in one go and
// contractions that stay recognisable.

#include "Contraction.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNFUSEELEMENTWISE
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

/// Does the op only move elements?
static bool isCopy(linalg::GenericOp op) {
  Block &body = *op.getBody();
  return op.getNumDpsInputs() == 1 && op.getNumDpsInits() == 1 &&
         llvm::hasSingleElement(body) &&
         body.getTerminator()->getOperand(0) == body.getArgument(0) &&
         op.getIndexingMapsArray().front().isPermutation();
}

/// Operations that take many times as long as a product.
static bool isCostly(linalg::GenericOp op) {
  return llvm::any_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return isa<math::MathDialect>(inner.getDialect()) ||
           isa<arith::DivFOp, tensor::ExtractOp>(inner) ||
           inner.getNumRegions() != 0;
  });
}

static int64_t elementBits(Value tensor) {
  Type element = getElementTypeOrSelf(tensor.getType());
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
}

/// Is computing the result again, wherever it is used, no dearer than reading
/// it?
static bool isCheapToRepeat(linalg::GenericOp op) {
  int64_t arrays = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (op.getMatchingIndexingMap(input).getNumResults() < op.getNumLoops())
      continue;
    ++arrays;
    if (elementBits(input->get()) > elementBits(op.getResult(0)))
      return false;
    // An epilogue of a contraction is worth more.
    auto source = input->get().getDefiningOp<linalg::LinalgOp>();
    if (source && isContraction(source))
      return false;
  }
  return arrays <= 1 && !isCostly(op);
}

/// Would the consumer compute elements of the producer many times over? Not
/// what its innermost loop leaves unchanged.
static bool repeatsCostly(linalg::GenericOp producer, OpOperand *operand) {
  auto consumer = cast<linalg::LinalgOp>(operand->getOwner());
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  if (map.getNumResults() == map.getNumDims() || !isCostly(producer))
    return false;
  return map.isFunctionOfDim(map.getNumDims() - 1);
}

static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  if (!producer || !consumer || producer->getNumResults() != 1)
    return false;
  if (isContraction(consumer))
    return isCopy(producer);
  if (repeatsCostly(producer, operand))
    return false;
  return llvm::all_of(producer->getUsers(),
                      [&](Operation *user) { return user == consumer; }) ||
         isCopy(producer) || isCheapToRepeat(producer);
}

/// Reshapes stay outside of what is fused into their consumers otherwise.
static bool shouldFoldReshape(OpOperand *operand) {
  return !isa<linalg::LinalgOp>(operand->getOwner()) ||
         !isContraction(cast<linalg::LinalgOp>(operand->getOwner()));
}

/// Fusion knows linalg.generic only. Fills stay: they say that sums start from
/// nothing.
static void generalize(Operation *root) {
  SmallVector<linalg::LinalgOp> ops;
  root->walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::FillOp>(op) &&
        op.hasPureTensorSemantics())
      ops.push_back(op);
  });
  IRRewriter b(root->getContext());
  for (linalg::LinalgOp op : ops) {
    b.setInsertionPoint(op);
    // What has no general form stays as it is.
    (void)linalg::generalizeNamedOp(b, op);
  }
}

/// Many more rewrites than fusion takes.
static int64_t rewriteLimit(Operation *root) {
  int64_t ops = 0;
  root->walk([&](Operation *) { ++ops; });
  return 1000 + 10 * ops;
}

namespace {
struct FuseElementwisePass
    : polyattn::attn::impl::AttnFuseElementwiseBase<FuseElementwisePass> {
  using AttnFuseElementwiseBase::AttnFuseElementwiseBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    generalize(getOperation());
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns,
                                                       shouldFoldReshape);
    linalg::populateInlineConstantOperandsPatterns(patterns);
    // x^2 is x * x.
    populateMathAlgebraicSimplificationPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    context->getLoadedDialect<linalg::LinalgDialect>()
        ->getCanonicalizationPatterns(patterns);
    // Upstream's patterns undo each other in some programs. What has become of
    // the program by then is as good.
    GreedyRewriteConfig config;
    config.setMaxNumRewrites(rewriteLimit(getOperation()));
    (void)applyPatternsGreedily(getOperation(), std::move(patterns), config);
  }
};
} // namespace
