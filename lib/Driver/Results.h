// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The memory that compiled code returns its results in.

#ifndef POLYATTN_LIB_DRIVER_RESULTS_H
#define POLYATTN_LIB_DRIVER_RESULTS_H

#include "polyattn/Driver/Signature.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <vector>

namespace polyattn::driver {

/// One struct whose members are the results: scalars as they are, arrays as
/// descriptors, each at its natural alignment.
class ResultBuffer {
public:
  explicit ResultBuffer(llvm::ArrayRef<ValueSpec> specs);

  void *data() { return memory.data(); }

  /// The results as arrays. Blocks that the compiled code allocated change
  /// hands without a copy; what it merely returned a view of is copied.
  /// `isBorrowed` tells blocks that belong to somebody else.
  std::vector<Array>
  take(llvm::function_ref<bool(const void *)> isBorrowed) const;

private:
  llvm::ArrayRef<ValueSpec> specs;
  std::vector<size_t> offsets;
  std::vector<int64_t> memory;
};

} // namespace polyattn::driver

#endif // POLYATTN_LIB_DRIVER_RESULTS_H
