// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-linalg-to-vector: which ops it takes, and functions of vectors.

#include "LoopsToLanes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNLINALGTOVECTOR
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static remark::RemarkOpts remarkOptions(StringRef name) {
  return remark::RemarkOpts::name(name)
      .category("polyattn")
      .subCategory("linalg-to-vector");
}

/// Upstream's approximations are within a few units in the last place on f32
/// vectors; others become calls for each lane.
static bool isApproximated(StringRef name) {
  return llvm::is_contained({"exp", "expm1", "erf", "tanh", "log", "log1p"},
                            name.drop_front(name.starts_with("math.") ? 5 : 0));
}

/// Powers by a constant become products, which vectors have.
static LogicalResult simplifyMath(Operation *root) {
  SmallVector<Operation *> powers;
  root->walk([&](math::FPowIOp op) { powers.push_back(op); });
  RewritePatternSet patterns(root->getContext());
  populateMathAlgebraicSimplificationPatterns(patterns);
  return applyOpPatternsGreedily(powers, std::move(patterns));
}

static LogicalResult approximateMath(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    if (isa<math::MathDialect>(op->getDialect()) &&
        llvm::any_of(op->getResultTypes(), llvm::IsaPred<VectorType>))
      ops.push_back(op);
  });
  RewritePatternSet patterns(root->getContext());
  populateMathF32ExpansionPatterns(patterns, isApproximated);
  populateMathPolynomialApproximationPatterns(patterns, isApproximated);
  GreedyRewriteConfig config;
  config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
  return applyOpPatternsGreedily(ops, std::move(patterns), config);
}

namespace {
struct LinalgToVectorPass
    : polyattn::attn::impl::AttnLinalgToVectorBase<LinalgToVectorPass> {
  using AttnLinalgToVectorBase::AttnLinalgToVectorBase;

  void runOnOperation() override {
    FailureOr<TargetDescription> description =
        resolveTarget(getOperation(), target);
    if (failed(description))
      return signalPassFailure();
    if (failed(simplifyMath(getOperation())))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      lower(op, *description);
    if (failed(approximateMath(getOperation())))
      signalPassFailure();
  }

  static void lower(linalg::LinalgOp op, const TargetDescription &target) {
    IRRewriter b(op->getContext());
    b.setInsertionPoint(op);
    Emitter e(b, op.getLoc(), target);
    std::string reason;
    FailureOr<unsigned> lane = chooseLanes(op, e.lanes, reason);
    if (failed(lane)) {
      remark::missed(op.getLoc(), remarkOptions("ScalarLoops"))
          << ("scalar loops for '" + op->getName().getStringRef().str() +
              "': " + reason);
      return;
    }
    // What a model is full of is no news.
    remark::analysis(op.getLoc(), remarkOptions("VectorLoops"))
        << ("loop " + std::to_string(*lane) + " of '" +
            op->getName().getStringRef().str() + "' runs over lanes");
    emitLoops(e, target, op, *lane);
    b.eraseOp(op);
  }
};
} // namespace
