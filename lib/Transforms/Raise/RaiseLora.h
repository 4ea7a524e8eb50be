// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_RAISELORA_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_RAISELORA_H

#include "mlir/IR/Operation.h"

namespace polyattn::attn {

/// Replaces linear layers with low-rank adapters that are spelled out in
/// linalg, in f32 or f64, by attn.lora_linear and attn.lora_merge, with a
/// remark for each, also for what comes near.
void raiseLora(mlir::Operation *scope);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_RAISELORA_H
