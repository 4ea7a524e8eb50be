// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNLOWERTOREFERENCE
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

namespace {
struct LowerToReferencePass : polyattn::attn::impl::AttnLowerToReferenceBase<LowerToReferencePass> {
  using AttnLowerToReferenceBase::AttnLowerToReferenceBase;
  void runOnOperation() override {}
};
} // namespace
