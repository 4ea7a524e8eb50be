// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNLOWERTOVECTOR
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

namespace {
struct LowerToVectorPass : polyattn::attn::impl::AttnLowerToVectorBase<LowerToVectorPass> {
  using AttnLowerToVectorBase::AttnLowerToVectorBase;
  void runOnOperation() override {}
};
} // namespace
