// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_CENTERKEYS_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_CENTERKEYS_H

#include "Emitter.h"

namespace polyattn::attn {

/// output = key less the mean of each head's rows; memrefs [heads, m, d].
/// `weights`, if not null, is a memref [heads, m].
void emitCentredKeys(Emitter &e, mlir::Value key, mlir::Value weights,
                     mlir::Value output);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_CENTERKEYS_H
