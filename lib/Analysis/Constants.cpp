// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Analysis/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;
using namespace polyattn::attn;

ArrayRef<char> polyattn::attn::rawElements(ElementsAttr attr) {
  int64_t bytes = attr.getShapedType().getElementTypeBitWidth() / 8;
  ArrayRef<char> data;
  if (auto dense = dyn_cast<DenseElementsAttr>(attr)) {
    if (!dense.isSplat())
      data = dense.getRawData();
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      data = blob->getData();
  }
  bool complete = int64_t(data.size()) == attr.getNumElements() * bytes;
  return complete ? data : ArrayRef<char>();
}

static double toDouble(APFloat number) {
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

/// Elements of a float type from their bits.
static std::vector<double> decode(ArrayRef<char> data, FloatType type,
                                  int64_t count) {
  unsigned width = type.getWidth();
  std::vector<double> elements;
  elements.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, data.data() + i * (width / 8), width / 8);
    elements.push_back(
        toDouble(APFloat(type.getFloatSemantics(), APInt(width, bits))));
  }
  return elements;
}

std::optional<std::vector<double>>
polyattn::attn::readElements(Attribute attr, ShapedType type) {
  auto elements = dyn_cast<ElementsAttr>(attr);
  auto real = dyn_cast<FloatType>(type.getElementType());
  if (!elements || !real || real.getWidth() % 8 || real.getWidth() > 64)
    return std::nullopt;
  int64_t count = type.getNumElements();
  if (auto dense = dyn_cast<DenseElementsAttr>(attr); dense && dense.isSplat())
    return std::vector<double>(count, toDouble(dense.getSplatValue<APFloat>()));
  ArrayRef<char> data = rawElements(elements);
  if (data.empty() && count)
    return std::nullopt;
  return decode(data, real, count);
}

Value polyattn::attn::emitConstant(OpBuilder &b, Location loc,
                                   RankedTensorType type,
                                   ArrayRef<double> elements, StringRef name) {
  auto real = cast<FloatType>(type.getElementType());
  unsigned bytes = real.getWidth() / 8;
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocate(elements.size() * bytes, /*align=*/64);
  char *target = blob.getMutableData().data();
  for (auto [i, element] : llvm::enumerate(elements)) {
    APFloat number(element);
    bool losesInfo;
    number.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    uint64_t bits = number.bitcastToAPInt().getZExtValue();
    std::memcpy(target + i * bytes, &bits, bytes);
  }
  return arith::ConstantOp::create(
      b, loc,
      cast<TypedAttr>(Attribute(
          DenseResourceElementsAttr::get(type, name, std::move(blob)))));
}
