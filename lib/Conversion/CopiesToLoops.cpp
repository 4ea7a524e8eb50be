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

namespace {
struct CopiesToLoopsPass
    : polyattn::attn::impl::AttnCopiesToLoopsBase<CopiesToLoopsPass> {
  using AttnCopiesToLoopsBase::AttnCopiesToLoopsBase;

  void runOnOperation() override {
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
