// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Results.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace polyattn::driver;

static size_t sizeInStruct(const ValueSpec &spec) {
  return spec.isScalar() ? info(spec.type).bytes
                         : 8 * (3 + 2 * spec.shape.size());
}

ResultBuffer::ResultBuffer(llvm::ArrayRef<ValueSpec> specs) : specs(specs) {
  size_t size = 0;
  for (const ValueSpec &spec : specs) {
    size = llvm::alignTo(size, spec.isScalar() ? info(spec.type).bytes : 8);
    offsets.push_back(size);
    size += sizeInStruct(spec);
  }
  memory.resize(llvm::divideCeil(size, 8) + 1);
}

namespace {
/// A descriptor as compiled code fills it in.
struct Descriptor {
  void *block;
  char *begin; // The first element.
  llvm::ArrayRef<int64_t> shape, strides;

  Descriptor(const int64_t *words, const ValueSpec &spec) {
    size_t rank = spec.shape.size();
    block = reinterpret_cast<void *>(words[0]);
    begin =
        reinterpret_cast<char *>(words[1]) + words[2] * info(spec.type).bytes;
    shape = {words + 3, rank};
    strides = {words + 3 + rank, rank};
  }
  bool isContiguous() const;
  Array copy(DType type) const;

private:
  void copyDimension(size_t dim, const char *from, char *&to,
                     unsigned bytes) const;
};
} // namespace

bool Descriptor::isContiguous() const {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected)
      return llvm::is_contained(shape, 0);
    expected *= shape[i];
  }
  return true;
}

void Descriptor::copyDimension(size_t dim, const char *from, char *&to,
                               unsigned bytes) const {
  if (dim == shape.size()) {
    std::memcpy(to, from, bytes);
    to += bytes;
    return;
  }
  for (int64_t i = 0; i < shape[dim]; ++i)
    copyDimension(dim + 1, from + i * strides[dim] * bytes, to, bytes);
}

Array Descriptor::copy(DType type) const {
  Array array(type, shape);
  char *to = static_cast<char *>(array.data());
  if (isContiguous())
    std::memcpy(to, begin, array.view().numBytes());
  else
    copyDimension(0, begin, to, info(type).bytes);
  return array;
}

std::vector<Array>
ResultBuffer::take(llvm::function_ref<bool(const void *)> isBorrowed) const {
  std::vector<Array> results;
  llvm::SmallPtrSet<void *, 4> taken, leftOver;
  // Two results may share a block: the first takes it, the others copy.
  for (auto [spec, offset] : llvm::zip_equal(specs, offsets)) {
    const char *member = reinterpret_cast<const char *>(memory.data()) + offset;
    if (spec.isScalar()) {
      Array scalar(spec.type, {});
      std::memcpy(scalar.data(), member, info(spec.type).bytes);
      results.push_back(std::move(scalar));
      continue;
    }
    Descriptor result(reinterpret_cast<const int64_t *>(member), spec);
    bool owned = !isBorrowed(result.block);
    if (owned && result.isContiguous() && taken.insert(result.block).second) {
      results.emplace_back(spec.type, result.shape, result.block, result.begin);
      continue;
    }
    results.push_back(result.copy(spec.type));
    if (owned)
      leftOver.insert(result.block);
  }
  for (void *block : leftOver)
    if (!taken.contains(block))
      std::free(block);
  return results;
}
