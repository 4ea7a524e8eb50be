// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Transposed copies between rows in memory and lanes in tiles.

#include "AttentionEmitter.h"

using namespace mlir;
using namespace polyattn::attn;

/// 1 for the first `count` lanes.
static Value laneMask(Emitter &e, Value count) {
  return vector::CreateMaskOp::create(e.b, e.loc, e.vectorType(e.b.getI1Type()),
                                      count);
}

void polyattn::attn::forColumns(Emitter &e, int64_t columns,
                                function_ref<void(Value, int64_t)> body) {
  int64_t full = columns / e.lanes * e.lanes;
  if (full)
    e.loop(e.index(0), e.index(full), e.lanes,
           [&](Value c) { body(c, e.lanes); });
  if (full < columns)
    body(e.index(full), columns - full);
}

Value polyattn::attn::loadPart(Emitter &e, Value source, ValueRange at,
                               int64_t count) {
  if (count == e.lanes)
    return e.vload(source, at);
  Type element = cast<MemRefType>(source.getType()).getElementType();
  VectorType type = e.vectorType(element);
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  return e.widen(vector::MaskedLoadOp::create(
      e.b, e.loc, type, source, at, laneMask(e, e.index(count)), zero));
}

void polyattn::attn::storePart(Emitter &e, Value x, Value target, ValueRange at,
                               int64_t count) {
  if (count == e.lanes)
    return e.vstore(x, target, at);
  vector::MaskedStoreOp::create(e.b, e.loc, target, at,
                                laneMask(e, e.index(count)), x);
}

void polyattn::attn::packRows(Emitter &e, Value source, Value head, Value first,
                              Value limit, Value rows, int64_t columns,
                              Value target) {
  Value last = e.sub(limit, e.index(1));
  e.loop(e.index(0), rows, e.lanes, [&](Value row) {
    forColumns(e, columns, [&](Value column, int64_t count) {
      Emitter::Values block;
      for (int64_t i = 0; i < e.lanes; ++i) {
        Value from = e.min(e.add(first, e.add(row, i)), last);
        block.push_back(loadPart(e, source, {head, from, column}, count));
      }
      block = emitTranspose(e, block);
      for (int64_t i = 0; i < count; ++i)
        e.vstore(block[i], target, {e.add(column, 1 + i), row});
    });
  });
}

void AttentionEmitter::unpackLanes(Tile &t, Value source, int64_t columns,
                                   Value target) {
  Type element = op.getElementType();
  e.loop(e.index(0), e.index(queryTile), e.lanes, [&](Value i) {
    forColumns(e, columns, [&](Value column, int64_t count) {
      Values block;
      for (int64_t c = 0; c < e.lanes; ++c)
        block.push_back(e.vload(source, {e.add(column, c), i}));
      block = emitTranspose(e, block);
      // The scores are done with: their place holds the square meanwhile, so
      // that a loop can stop at the last query.
      for (int64_t r = 0; r < e.lanes; ++r)
        e.vstore(block[r], t.scores, {e.index(r), e.index(0)});
      Value first = e.add(t.first, i);
      Value rows = e.min(e.index(e.lanes), e.sub(t.end, first));
      e.loop(e.index(0), rows, 1, [&](Value r) {
        Value x = e.narrow(e.vload(t.scores, {r, e.index(0)}), element);
        storePart(e, x, target, {t.head, e.add(first, r), column}, count);
      });
    });
  });
}
