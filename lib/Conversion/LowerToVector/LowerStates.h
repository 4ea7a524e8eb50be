// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_LOWERSTATES_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_LOWERSTATES_H

#include "mlir/IR/PatternMatch.h"
#include "polyattn/Analysis/Target.h"

#include <string>

namespace polyattn::attn {

/// Why such an op is left to the reference lowering; empty if it is taken, or
/// another op.
std::string whyNoStreamCode(mlir::Operation *op);

/// Patterns that make vector code of attn.state_update, attn.state_apply and
/// attn.state_step.
void addStatePatterns(mlir::RewritePatternSet &patterns,
                      const TargetDescription &target);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_LOWERSTATES_H
