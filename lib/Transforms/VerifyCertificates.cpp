// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Transforms/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNVERIFYCERTIFICATES
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

namespace {
struct VerifyCertificatesPass : polyattn::attn::impl::AttnVerifyCertificatesBase<VerifyCertificatesPass> {
  using AttnVerifyCertificatesBase::AttnVerifyCertificatesBase;
  void runOnOperation() override {}
};
} // namespace
