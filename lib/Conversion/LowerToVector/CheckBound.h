// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_CHECKBOUND_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_CHECKBOUND_H

#include "Emitter.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// Emits the i1 of `op` for query and key memrefs [heads, length, d].
mlir::Value emitBoundCheck(Emitter &e, CheckBoundOp op, mlir::Value query,
                           mlir::Value key);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_CHECKBOUND_H
