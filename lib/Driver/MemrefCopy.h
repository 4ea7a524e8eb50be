// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What MLIR's lowering of memref.copy calls where a memref has gaps, such as
// the keys of some heads out of all.

#ifndef POLYATTN_LIB_DRIVER_MEMREFCOPY_H
#define POLYATTN_LIB_DRIVER_MEMREFCOPY_H

namespace polyattn::driver {

/// The address of a function `memrefCopy(int64_t elementBytes, from, to)`.
void *memrefCopyFunction();

} // namespace polyattn::driver

#endif // POLYATTN_LIB_DRIVER_MEMREFCOPY_H
