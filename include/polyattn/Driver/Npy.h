// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Numpy's .npy and .npz files.

#ifndef POLYATTN_DRIVER_NPY_H
#define POLYATTN_DRIVER_NPY_H

#include "polyattn/Driver/Array.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace polyattn::driver {

/// Reads one array: format version 1 to 3, little-endian, row-major, of a type
/// in allDTypes(). The error names the file and what was expected of it.
llvm::Expected<Array> readNpy(llvm::StringRef path);

/// The same from the contents of such a file, for whose errors `path` stands.
llvm::Expected<Array> parseNpy(llvm::StringRef path, llvm::StringRef contents);

/// An array of an .npz file; its name lacks the ".npy" of the archive's entry.
struct NamedArray {
  std::string name;
  Array array;
};

/// Reads every array of an archive that numpy.savez or savez_compressed wrote,
/// in the order of the archive, which is that of the call.
llvm::Expected<std::vector<NamedArray>> readNpz(llvm::StringRef path);

/// Writes `array` as format version 1.
llvm::Error writeNpy(llvm::StringRef path, const ArrayView &array);

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_NPY_H
