// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Transforms/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNAPPROXIMATE
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

namespace {
struct ApproximatePass : polyattn::attn::impl::AttnApproximateBase<ApproximatePass> {
  using AttnApproximateBase::AttnApproximateBase;
  void runOnOperation() override {}
};
} // namespace
