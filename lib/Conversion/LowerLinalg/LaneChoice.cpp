// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Which loop of a linalg op runs over lanes.

#include "LoopsToLanes.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

static std::optional<vector::CombiningKind> combiningKind(Operation *op) {
  using Kind = vector::CombiningKind;
  return llvm::TypeSwitch<Operation *, std::optional<Kind>>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return Kind::ADD; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return Kind::MUL; })
      .Case([](arith::MaximumFOp) { return Kind::MAXIMUMF; })
      .Case([](arith::MinimumFOp) { return Kind::MINIMUMF; })
      .Case([](arith::MaxNumFOp) { return Kind::MAXNUMF; })
      .Case([](arith::MinNumFOp) { return Kind::MINNUMF; })
      .Case([](arith::MaxSIOp) { return Kind::MAXSI; })
      .Case([](arith::MinSIOp) { return Kind::MINSI; })
      .Case([](arith::MaxUIOp) { return Kind::MAXUI; })
      .Case([](arith::MinUIOp) { return Kind::MINUI; })
      .Case([](arith::AndIOp) { return Kind::AND; })
      .Case([](arith::OrIOp) { return Kind::OR; })
      .Case([](arith::XOrIOp) { return Kind::XOR; })
      .Default([](Operation *) { return std::nullopt; });
}

Operation *polyattn::attn::combinerOf(linalg::LinalgOp op, unsigned i) {
  SmallVector<Operation *> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), i, combiners) ||
      combiners.size() != 1 || !combiningKind(combiners.front()) ||
      !arith::getNeutralElement(combiners.front()))
    return nullptr;
  // Nothing else may see the sum so far.
  return op.getRegionOutputArgs()[i].hasOneUse() ? combiners.front() : nullptr;
}

vector::CombiningKind polyattn::attn::combiningKindOf(Operation *combiner) {
  return *combiningKind(combiner);
}

bool polyattn::attn::isParallelLoop(linalg::LinalgOp op, unsigned loop) {
  return op.getIteratorTypesArray()[loop] == utils::IteratorType::parallel;
}

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

Access polyattn::attn::accessOf(linalg::LinalgOp op, OpOperand &operand,
                                unsigned lane) {
  auto type = dyn_cast<ShapedType>(operand.get().getType());
  return type ? attn::accessOf(type, op.getMatchingIndexingMap(&operand), lane)
              : Access::Uniform;
}

/// Can the loop run over lanes?
static bool canBeLanes(linalg::LinalgOp op, unsigned lane) {
  bool parallel = isParallelLoop(op, lane);
  for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable())) {
    bool uniform = accessOf(op, init, lane) == Access::Uniform;
    if (uniform == parallel || (!parallel && !combinerOf(op, i)))
      return false;
  }
  return true;
}

/// About how long an element takes to read and write, in vectors, and what is
/// lost where the loop is short.
static double costOfLanes(linalg::LinalgOp op, unsigned lane, int64_t lanes) {
  double cost = 1;
  for (OpOperand &operand : op->getOpOperands())
    if (accessOf(op, operand, lane) == Access::Strided)
      cost += lanes;
    else if (accessOf(op, operand, lane) == Access::Contiguous)
      cost += 1;
  int64_t size = op.getStaticLoopRanges()[lane];
  if (ShapedType::isStatic(size) && size > 0)
    cost *= double(roundUp(size, lanes)) / double(size);
  return cost;
}

static std::optional<unsigned> cheapestLanes(linalg::LinalgOp op,
                                             int64_t lanes) {
  std::optional<unsigned> best;
  double least = 0;
  for (unsigned lane = op.getNumLoops(); lane-- > 0;) {
    if (!canBeLanes(op, lane))
      continue;
    double cost = costOfLanes(op, lane, lanes);
    if (!best || cost < least) {
      best = lane;
      least = cost;
    }
  }
  return best;
}

static std::string whyNot(linalg::LinalgOp op, std::optional<unsigned> lane) {
  if (op.getNumLoops() == 0)
    return "it has no loop";
  if (!op.hasPureBufferSemantics())
    return "its operands are not memory";
  std::string reason = LaneBody::whyNot(*op.getBlock());
  if (reason.empty() && !lane)
    reason = "none of its loops can run over lanes: it reduces by an operation "
             "whose order matters";
  return reason;
}

FailureOr<unsigned> polyattn::attn::chooseLanes(linalg::LinalgOp op,
                                                int64_t lanes,
                                                std::string &reason) {
  std::optional<unsigned> lane = cheapestLanes(op, lanes);
  reason = whyNot(op, lane);
  if (!reason.empty())
    return failure();
  return *lane;
}
