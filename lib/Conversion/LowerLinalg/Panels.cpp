// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Panels of B that are made at run time.

#include "ContractionEmitter.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Rows of a panel that are fetched ahead: each takes some 12 cycles.
static constexpr int64_t prefetchDistance = 8;

PanelLayout::PanelLayout(Contraction &c, const Blocking &blocking)
    : width(blocking.width()), depthStep(blocking.lanes) {
  AffineMap map = c.mapOf(c.vectors);
  for (unsigned loop : c.outer)
    if (map.isFunctionOfDim(loop))
      outer.push_back(loop);
  llvm::append_range(outer, c.outerReductions);
  if (c.rowsChoose())
    outer.push_back(c.selection->loop);
}

SmallVector<Value> ContractionEmitter::panelIndex(ValueRange loops, Value panel,
                                                  Value k, Value column) {
  SmallVector<Value> at;
  for (unsigned loop : layout.outer)
    at.push_back(loops[loop]);
  at.append({panel, k, column});
  return at;
}

/// Makes panels of all of B.
void ContractionEmitter::packPanels() {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic, sizes;
  auto append = [&](Value size) {
    std::optional<int64_t> known = getConstantIntValue(size);
    shape.push_back(known.value_or(ShapedType::kDynamic));
    if (!known)
      dynamic.push_back(size);
  };
  Value elements = e.mul(sizeOf(c.n), sizeOf(c.k));
  for (unsigned loop : layout.outer) {
    sizes.push_back(sizeOf(loop));
    elements = e.mul(elements, sizes.back());
    append(sizes.back());
  }
  append(panelCount);
  append(e.roundUp(sizeOf(c.k), layout.depthStep));
  shape.push_back(layout.width);
  panels =
      memref::AllocOp::create(e.b, e.loc, MemRefType::get(shape, e.f32()),
                              dynamic, e.b.getI64IntegerAttr(cacheLineBytes));
  sizes.push_back(panelCount);
  // An element takes about as long as some 16 flops.
  e.parallel(sizes, e.mul(elements, 16), [&](ValueRange at) {
    SmallVector<Value> loops(c.op.getNumLoops());
    for (auto [i, loop] : llvm::enumerate(layout.outer))
      loops[loop] = at[i];
    packPanel(loops, at.back());
  });
}

void ContractionEmitter::packPanel(MutableArrayRef<Value> loops, Value panel) {
  Value first = e.mul(panel, layout.width);
  if (c.isInnermost(c.vectors, c.n))
    return packColumns(loops, panel, first);
  packRows(loops, panel, first);
}

/// Columns of B lie side by side: rows of vectors are copied.
void ContractionEmitter::packColumns(MutableArrayRef<Value> loops, Value panel,
                                     Value first) {
  auto copyRows = [&](bool whole) {
    e.loop(e.index(0), sizeOf(c.k), 1, [&](Value k) {
      loops[c.k] = k;
      for (int64_t v = 0; v < blocking.vectors; ++v) {
        Value offset = e.index(v * e.lanes);
        loops[c.n] = e.add(first, offset);
        Value left =
            e.max(e.min(e.sub(sizeOf(c.n), loops[c.n]), e.index(e.lanes)),
                  e.index(0));
        Value x = loadUpTo(b, indices(c.mapOf(c.vectors), loops),
                           whole ? Value() : left);
        e.vstore(x, panels, panelIndex(loops, panel, k, offset));
      }
    });
  };
  if (ShapedType::isStatic(c.size(c.n)) && c.size(c.n) % layout.width == 0)
    return copyRows(true);
  Value whole = e.lessEqual(e.add(first, layout.width), sizeOf(c.n));
  scf::IfOp::create(
      e.b, e.loc, whole,
      [&](OpBuilder &, Location) {
        copyRows(true);
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        copyRows(false);
        scf::YieldOp::create(e.b, e.loc);
      });
}

/// k lies side by side: squares are transposed. Columns that do not exist
/// repeat the last one; nobody reads what becomes of them.
void ContractionEmitter::packRows(MutableArrayRef<Value> loops, Value panel,
                                  Value first) {
  Value depth = sizeOf(c.k), full = e.mul(e.div(depth, e.lanes), e.lanes);
  Value last = e.sub(sizeOf(c.n), e.index(1));
  auto transpose = [&](Value k, Value active) {
    e.loop(e.index(0), e.index(layout.width), e.lanes, [&](Value column) {
      Values square;
      for (int64_t i = 0; i < e.lanes; ++i) {
        loops[c.n] = e.min(e.add(first, e.add(column, i)), last);
        loops[c.k] = k;
        square.push_back(
            loadUpTo(b, indices(c.mapOf(c.vectors), loops), active));
      }
      square = emitTranspose(e, square);
      for (int64_t i = 0; i < e.lanes; ++i)
        e.vstore(square[i], panels,
                 panelIndex(loops, panel, e.add(k, i), column));
    });
  };
  e.loop(e.index(0), full, e.lanes, [&](Value k) { transpose(k, {}); });
  Value rest = e.sub(depth, full);
  if (getConstantIntValue(rest) != 0)
    e.when(e.less(e.index(0), rest), [&] { transpose(full, rest); });
}

/// Panels are too long for the first cache. What is asked for may be beyond
/// their end.
void ContractionEmitter::prefetch(ValueRange loops, Value panel, Value k,
                                  Value column) {
  SmallVector<Value> at =
      panelIndex(loops, panel, e.add(k, prefetchDistance), column);
  memref::PrefetchOp::create(e.b, e.loc, panels, at, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}
