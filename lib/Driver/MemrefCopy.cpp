// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "MemrefCopy.h"

#include <cstdint>
#include <cstring>

namespace {
/// A memref of any rank as compiled code passes it.
struct Unranked {
  int64_t rank;
  /// Two pointers, the offset, sizes, strides.
  const int64_t *descriptor;

  char *data(int64_t elementBytes) const {
    return reinterpret_cast<char *>(descriptor[1]) +
           descriptor[2] * elementBytes;
  }
  const int64_t *sizes() const { return descriptor + 3; }
  const int64_t *strides() const { return descriptor + 3 + rank; }
};
} // namespace

/// Copies what the last `rank` dimensions span.
static void copy(int64_t bytes, int64_t rank, const int64_t *sizes,
                 const char *from, const int64_t *fromStrides, char *to,
                 const int64_t *toStrides) {
  if (rank == 0) {
    std::memcpy(to, from, bytes);
    return;
  }
  if (rank == 1 && *fromStrides == 1 && *toStrides == 1) {
    std::memcpy(to, from, *sizes * bytes);
    return;
  }
  for (int64_t i = 0; i < *sizes; ++i)
    copy(bytes, rank - 1, sizes + 1, from + i * *fromStrides * bytes,
         fromStrides + 1, to + i * *toStrides * bytes, toStrides + 1);
}

static void memrefCopy(int64_t elementBytes, const Unranked *from,
                       const Unranked *to) {
  copy(elementBytes, from->rank, from->sizes(), from->data(elementBytes),
       from->strides(), to->data(elementBytes), to->strides());
}

void *polyattn::driver::memrefCopyFunction() {
  return reinterpret_cast<void *>(memrefCopy);
}
