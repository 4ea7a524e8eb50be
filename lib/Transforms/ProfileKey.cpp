// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "ProfileKey.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Names of the symbols around `op`, outermost first: modules may be nested.
static std::string path(Operation *op) {
  std::string text;
  for (Operation *at = op->getParentOp(); at; at = at->getParentOp())
    if (auto name =
            at->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName()))
      text = name.getValue().str() + (text.empty() ? "" : "/") + text;
  return text;
}

static std::string shapeText(Value tensor) {
  std::string text;
  for (int64_t size : cast<ShapedType>(tensor.getType()).getShape()) {
    text += text.empty() ? "" : "x";
    text += ShapedType::isDynamic(size) ? "?" : std::to_string(size);
  }
  return text;
}

static std::string sizeText(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

/// With these static lengths, does every query see every key?
static bool admitsAll(MaskAttrInterface mask, int64_t n, int64_t m) {
  if (mask.admitsAll())
    return true;
  if (ShapedType::isDynamic(n) || ShapedType::isDynamic(m) || n == 0)
    return false;
  return mask.getKeyRange(n - 1, n, m).begin <= 0 &&
         mask.getKeyRange(0, n, m).end >= m;
}

/// As in the IR, without spaces.
static std::string maskText(MaskAttrInterface mask, int64_t n, int64_t m) {
  if (admitsAll(mask, n, m))
    return "full";
  std::string text;
  llvm::raw_string_ostream os(text);
  os << mask;
  StringRef name = text;
  name.consume_front("#attn.");
  std::string packed = name.str();
  llvm::erase(packed, ' ');
  return packed;
}

static std::string describe(ApproximableOpInterface op) {
  AttentionSizes sizes = op.getSizes();
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "q" << shapeText(op.getNumQueriesDim().tensor);
  for (const KeyAxis &axis : op.getKeyAxes())
    os << ":k" << shapeText(axis.length.tensor);
  os << ":v" << sizeText(sizes.valueDim) << ":" << op.getElementType();
  for (const KeyAxis &axis : op.getKeyAxes())
    os << ":" << maskText(axis.mask, sizes.numQueries, axis.numKeys);
  os << ":" << llvm::format("%.17g", op.getScale().convertToDouble());
  return text;
}

std::vector<std::pair<std::string, ApproximableOpInterface>>
polyattn::attn::findProfiledOps(ModuleOp module) {
  std::vector<std::pair<std::string, ApproximableOpInterface>> result;
  llvm::StringMap<int64_t> counts;
  module.walk([&](ApproximableOpInterface op) {
    std::string function = path(op);
    int64_t number = counts[function]++;
    if (!op.getKernel().getPolynomial() && op.whyNoRecord().empty())
      result.emplace_back(
          function + "/" + std::to_string(number) + ":" + describe(op), op);
  });
  return result;
}
