// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Weights of a model are put into panels while it is compiled.

#include "ContractionEmitter.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "polyattn/Analysis/Constants.h"

#include <cstring>

using namespace mlir;
using namespace polyattn::attn;

namespace {
/// One loop of the copy: its length, and the step in source and target.
struct CopyLoop {
  int64_t size, from, to;
};
} // namespace

/// Copies elements one by one.
template <typename Element>
static void copyLoops(ArrayRef<CopyLoop> loops, const Element *from,
                      Element *to) {
  CopyLoop loop = loops.front();
  if (loops.size() > 1) {
    for (int64_t i = 0; i < loop.size; ++i)
      copyLoops(loops.drop_front(), from + i * loop.from, to + i * loop.to);
    return;
  }
  for (int64_t i = 0; i < loop.size; ++i)
    to[i * loop.to] = from[i * loop.from];
}

/// The panels of one constant.
template <typename Element>
static void copyPanels(SmallVector<CopyLoop> loops, CopyLoop depth,
                       CopyLoop columns, int64_t width, int64_t panelSize,
                       const char *from, char *to) {
  for (int64_t first = 0; first < columns.size; first += width) {
    SmallVector<CopyLoop> all(loops);
    all.push_back(depth);
    all.push_back({std::min(width, columns.size - first), columns.from, 1});
    copyLoops<Element>(
        all, reinterpret_cast<const Element *>(from) + first * columns.from,
        reinterpret_cast<Element *>(to) + first / width * panelSize);
  }
}

Value polyattn::attn::packConstant(OpBuilder &b, Contraction &c,
                                   const PanelLayout &layout) {
  ElementsAttr constant;
  if (!matchPattern(c.vectors->get(), m_Constant(&constant)))
    return {};
  ArrayRef<char> data = rawElements(constant);
  auto type = cast<RankedTensorType>(c.vectors->get().getType());
  if (data.empty())
    return {};

  // How far apart neighbours along each loop are in B.
  SmallVector<int64_t> steps(c.op.getNumLoops(), 0);
  int64_t step = 1;
  for (int64_t i = type.getRank(); i-- > 0;) {
    steps[c.mapOf(c.vectors).getDimPosition(i)] = step;
    step *= type.getDimSize(i);
  }
  int64_t depth = roundUp(c.size(c.k), layout.depthStep), width = layout.width;
  int64_t columns = c.size(c.n), panels = (columns + width - 1) / width;
  SmallVector<int64_t> shape;
  for (unsigned loop : layout.outer)
    shape.push_back(c.size(loop));
  shape.append({panels, depth, width});

  int64_t bytes = type.getElementTypeBitWidth() / 8;
  auto packedType = RankedTensorType::get(shape, type.getElementType());
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(
      packedType.getNumElements() * bytes, cacheLineBytes);
  char *target = blob.getMutableData().data();
  std::memset(target, 0, blob.getData().size());

  SmallVector<CopyLoop> loops;
  int64_t apart = panels * depth * width;
  for (unsigned loop : llvm::reverse(layout.outer)) {
    loops.insert(loops.begin(), {c.size(loop), steps[loop], apart});
    apart *= c.size(loop);
  }
  CopyLoop depthLoop{c.size(c.k), steps[c.k], width};
  CopyLoop columnLoop{columns, steps[c.n], 1};
  auto copy = bytes == 4 ? copyPanels<uint32_t> : copyPanels<uint16_t>;
  copy(loops, depthLoop, columnLoop, width, depth * width, data.data(), target);
  return arith::ConstantOp::create(
      b, c.op.getLoc(),
      cast<TypedAttr>(Attribute(DenseResourceElementsAttr::get(
          packedType, "panels", std::move(blob)))));
}
