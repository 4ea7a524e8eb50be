// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Numpy's .npy files.

#ifndef POLYATTN_DRIVER_NPY_H
#define POLYATTN_DRIVER_NPY_H

#include "polyattn/Driver/Array.h"
#include "llvm/Support/Error.h"

namespace polyattn::driver {

/// Reads one array: format version 1 to 3, little-endian, row-major, of a type
/// in allDTypes(). The error names the file and what was expected of it.
llvm::Expected<Array> readNpy(llvm::StringRef path);

/// Writes `array` as format version 1.
llvm::Error writeNpy(llvm::StringRef path, const ArrayView &array);

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_NPY_H
