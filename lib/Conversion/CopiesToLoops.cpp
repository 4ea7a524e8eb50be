// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-copies-to-loops: copies that no memcpy can do.

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNCOPIESTOLOOPS
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;

/// What convert-to-llvm makes a memcpy of.
static bool isContiguous(Value memory) {
  auto type = dyn_cast<MemRefType>(memory.getType());
  return type && (type.getLayout().isIdentity() ||
                  memref::isStaticShapeAndContiguousRowMajor(type));
}

/// Convert-to-llvm takes an index times a stride for unsigned: with a negative
/// one, loads would come from anywhere.
static LogicalResult verifyStrides(memref::SubViewOp view) {
  if (llvm::none_of(view.getStaticStrides(), [](int64_t stride) {
        return !ShapedType::isDynamic(stride) && stride < 0;
      }))
    return success();
  return view.emitError(
      "a slice with a negative stride cannot be compiled: reverse the tensor "
      "with a linalg.generic that reads it by an index that falls");
}

namespace {
struct CopiesToLoopsPass
    : polyattn::attn::impl::AttnCopiesToLoopsBase<CopiesToLoopsPass> {
  using AttnCopiesToLoopsBase::AttnCopiesToLoopsBase;

  void runOnOperation() override {
    WalkResult views = getOperation()->walk(
        [](memref::SubViewOp view) { return WalkResult(verifyStrides(view)); });
    if (views.wasInterrupted())
      return signalPassFailure();
    getOperation()->walk([](memref::CopyOp copy) {
      if (isContiguous(copy.getSource()) && isContiguous(copy.getTarget()))
        return;
      // Of memory without a known rank only the library knows the loops.
      if (!isa<MemRefType>(copy.getSource().getType()) ||
          !isa<MemRefType>(copy.getTarget().getType()))
        return;
      OpBuilder b(copy);
      linalg::makeMemRefCopyOp(b, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      copy.erase();
    });
  }
};
} // namespace
