// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Dense row-major arrays: what compiled functions take and return.

#ifndef POLYATTN_DRIVER_ARRAY_H
#define POLYATTN_DRIVER_ARRAY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace polyattn::driver {

/// Element types. MLIR's integers have no sign: a function that takes i32 takes
/// arrays of I32 and of U32.
enum class DType {
  F16,
  BF16,
  F32,
  F64,
  Bool,
  I8,
  I16,
  I32,
  I64,
  U8,
  U16,
  U32,
  U64
};

/// What there is to know about an element type. One line each in Array.cpp.
struct DTypeInfo {
  DType type;
  /// The name in messages and of `random:` inputs: "f32", "bool", "u8".
  llvm::StringRef name;
  /// The type string of .npy files without its byte order: "f4", "b1".
  llvm::StringRef npy;
  unsigned bytes;
};
llvm::ArrayRef<DTypeInfo> allDTypes();
const DTypeInfo &info(DType type);

/// "2x3xf32"; a number of kDynamic prints as "?".
std::string shapeText(llvm::ArrayRef<int64_t> shape, llvm::StringRef type);

/// Product of the sizes, or nothing where it (times `bytes`) passes 2^62.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape,
                                     unsigned bytes);

/// Somebody else's elements.
struct ArrayView {
  DType type;
  llvm::SmallVector<int64_t, 4> shape;
  void *data;
  bool writable = false;

  int64_t numElements() const;
  int64_t numBytes() const { return numElements() * info(type).bytes; }
};

/// Elements that live in a malloc'ed block.
class Array {
public:
  /// Uninitialised elements. `shape` has passed countElements.
  Array(DType type, llvm::ArrayRef<int64_t> shape);
  /// Takes over `block`, to be freed by free(); the elements are at `data`.
  Array(DType type, llvm::ArrayRef<int64_t> shape, void *block, void *data);

  const ArrayView &view() const { return elements; }
  void *data() const { return elements.data; }

private:
  struct Free {
    void operator()(void *block) const { std::free(block); }
  };
  std::unique_ptr<void, Free> block;
  ArrayView elements;
};

/// One element, printed as a number.
std::string elementText(const ArrayView &array, int64_t index);

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_ARRAY_H
