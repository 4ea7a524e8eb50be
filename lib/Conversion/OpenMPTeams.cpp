// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-openmp-teams: when parallel loops take threads, and how they share work.

#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/IR/Matchers.h"
#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNOPENMPTEAMS
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;

/// The loop of a region that holds nothing but one loop over [0, n).
static omp::LoopNestOp onlyLoop(omp::ParallelOp parallel) {
  omp::LoopNestOp found;
  unsigned loops = 0;
  parallel.walk([&](omp::LoopNestOp nest) {
    found = nest;
    ++loops;
  });
  if (loops != 1 || found.getNumLoops() != 1 ||
      !matchPattern(found.getLoopLowerBounds()[0], m_Zero()) ||
      !matchPattern(found.getLoopSteps()[0], m_One()))
    return {};
  return found;
}

static void refine(omp::ParallelOp parallel) {
  omp::LoopNestOp nest = onlyLoop(parallel);
  if (!nest || parallel.getIfExpr())
    return;
  auto wsloop = dyn_cast<omp::WsloopOp>(nest->getParentOp());
  if (!wsloop || wsloop.getScheduleKind())
    return;
  OpBuilder b(parallel);
  Value count = nest.getLoopUpperBounds()[0];
  if (parallel.getRegion().isAncestor(count.getParentRegion()))
    return;
  Value one = arith::ConstantIndexOp::create(b, parallel.getLoc(), 1);
  Value several = arith::CmpIOp::create(b, parallel.getLoc(),
                                        arith::CmpIPredicate::sgt, count, one);
  parallel.getIfExprMutable().assign(several);
  wsloop.setScheduleKind(omp::ClauseScheduleKind::Dynamic);
}

namespace {
struct OpenMPTeamsPass
    : polyattn::attn::impl::AttnOpenMPTeamsBase<OpenMPTeamsPass> {
  using AttnOpenMPTeamsBase::AttnOpenMPTeamsBase;

  void runOnOperation() override { getOperation()->walk(refine); }
};
} // namespace
