// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_LOWERATTENTION_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_LOWERATTENTION_H

#include "mlir/IR/PatternMatch.h"
#include "polyattn/Analysis/Target.h"
#include "polyattn/Dialect/Attn/Attn.h"

#include <string>

namespace polyattn::attn {

/// Why an attention, with one or several sets of keys, is left to the reference
/// lowering; empty if it is taken.
std::string whyNoAttentionCode(ApproximableOpInterface op);
/// The same of attn.normalizer and attn.attention_grad; empty for others.
std::string whyNoGradientCode(mlir::Operation *op);

/// Patterns that make vector code of attn.attention, attn.normalizer and
/// attn.attention_grad.
void addAttentionPatterns(mlir::RewritePatternSet &patterns,
                          const TargetDescription &target);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_LOWERATTENTION_H
