// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_CHECKBOUND_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_CHECKBOUND_H

#include "Emitter.h"
#include "polyattn/Dialect/Attn/Attn.h"

namespace polyattn::attn {

/// The i1 of what `op` says of norms, for memrefs [heads, length, d] of query
/// and each set of keys.
mlir::Value emitBoundCheck(Emitter &e, CheckBoundOp op, mlir::Value query,
                           mlir::ValueRange keys);

/// The i1 of what `op` says of second moments and means, for inputs whose norms
/// keep within its bound. `weights`, if not null, is a memref [key heads, m].
mlir::Value emitMomentCheck(Emitter &e, const TargetDescription &target,
                            CheckBoundOp op, mlir::Value query, mlir::Value key,
                            mlir::Value weights);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_CHECKBOUND_H
