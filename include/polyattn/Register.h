// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// One call that makes everything of polyattn known to MLIR, for tools, the
// plugin and other compilers.

#ifndef POLYATTN_REGISTER_H
#define POLYATTN_REGISTER_H

#include "polyattn/Conversion/Passes.h"
#include "polyattn/Transforms/Passes.h"

namespace polyattn {

inline void registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<attn::AttnDialect>();
}

inline void registerPasses() {
  attn::registerPolyAttnTransformsPasses();
  attn::registerPolyAttnConversionPasses();
  attn::registerAttnPipelines();
}

} // namespace polyattn

#endif // POLYATTN_REGISTER_H
