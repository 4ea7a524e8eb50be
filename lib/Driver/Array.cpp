// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Array.h"
#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace polyattn::driver;

// Numpy has no bf16: it stands for two bytes of no known type, as packages that
// add the type to numpy store it.
static constexpr DTypeInfo dtypes[] = {
    {DType::F16, "f16", "f2", 2},   {DType::BF16, "bf16", "V2", 2},
    {DType::F32, "f32", "f4", 4},   {DType::F64, "f64", "f8", 8},
    {DType::Bool, "bool", "b1", 1}, {DType::I8, "i8", "i1", 1},
    {DType::I16, "i16", "i2", 2},   {DType::I32, "i32", "i4", 4},
    {DType::I64, "i64", "i8", 8},   {DType::U8, "u8", "u1", 1},
    {DType::U16, "u16", "u2", 2},   {DType::U32, "u32", "u4", 4},
    {DType::U64, "u64", "u8", 8},
};

llvm::ArrayRef<DTypeInfo> polyattn::driver::allDTypes() { return dtypes; }

const DTypeInfo &polyattn::driver::info(DType type) {
  return *llvm::find_if(dtypes, [&](auto &d) { return d.type == type; });
}

std::string polyattn::driver::shapeText(llvm::ArrayRef<int64_t> shape,
                                        llvm::StringRef type) {
  std::string text;
  for (int64_t size : shape)
    text +=
        (size == mlir::ShapedType::kDynamic ? "?" : std::to_string(size)) + "x";
  return text + type.str();
}

std::optional<int64_t>
polyattn::driver::countElements(llvm::ArrayRef<int64_t> shape, unsigned bytes) {
  constexpr int64_t limit = int64_t(1) << 62;
  if (llvm::is_contained(shape, 0))
    return 0;
  int64_t count = 1;
  for (int64_t size : shape)
    if (size < 0 || llvm::MulOverflow(count, size, count) ||
        count > limit / bytes)
      return std::nullopt;
  return count;
}

int64_t ArrayView::numElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

// Aligned as cache lines are. An empty array still gets a block of its own.
static void *allocate(int64_t bytes) {
  void *block = nullptr;
  if (posix_memalign(&block, 64, bytes ? bytes : 1))
    llvm::report_bad_alloc_error("no memory for an array");
  return block;
}

Array::Array(DType type, llvm::ArrayRef<int64_t> shape)
    : elements{type, llvm::SmallVector<int64_t, 4>(shape), nullptr, true} {
  block.reset(allocate(elements.numBytes()));
  elements.data = block.get();
}

Array::Array(DType type, llvm::ArrayRef<int64_t> shape, void *block, void *data)
    : block(block),
      elements{type, llvm::SmallVector<int64_t, 4>(shape), data, true} {}

template <typename T>
static T elementAs(const ArrayView &array, int64_t index) {
  T element;
  std::memcpy(&element,
              static_cast<const char *>(array.data) + index * sizeof(T),
              sizeof(T));
  return element;
}

static std::string floatText(double number, int digits) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*g", digits, number);
  return text;
}

static double halfToDouble(const llvm::fltSemantics &semantics, uint16_t bits) {
  llvm::APFloat number(semantics, llvm::APInt(16, bits));
  return number.convertToDouble();
}

std::string polyattn::driver::elementText(const ArrayView &array,
                                          int64_t index) {
  switch (array.type) {
  case DType::F16:
    return floatText(halfToDouble(llvm::APFloat::IEEEhalf(),
                                  elementAs<uint16_t>(array, index)),
                     4);
  case DType::BF16:
    return floatText(halfToDouble(llvm::APFloat::BFloat(),
                                  elementAs<uint16_t>(array, index)),
                     4);
  case DType::F32:
    return floatText(elementAs<float>(array, index), 7);
  case DType::F64:
    return floatText(elementAs<double>(array, index), 10);
  case DType::Bool:
    return elementAs<uint8_t>(array, index) ? "true" : "false";
  case DType::I8:
    return std::to_string(elementAs<int8_t>(array, index));
  case DType::I16:
    return std::to_string(elementAs<int16_t>(array, index));
  case DType::I32:
    return std::to_string(elementAs<int32_t>(array, index));
  case DType::I64:
    return std::to_string(elementAs<int64_t>(array, index));
  case DType::U8:
    return std::to_string(elementAs<uint8_t>(array, index));
  case DType::U16:
    return std::to_string(elementAs<uint16_t>(array, index));
  case DType::U32:
    return std::to_string(elementAs<uint32_t>(array, index));
  case DType::U64:
    return std::to_string(elementAs<uint64_t>(array, index));
  }
  llvm_unreachable("every type is listed");
}
