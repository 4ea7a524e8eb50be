// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The sums of streams: keys that enter rows of states, queries that read them.

#include "AttentionEmitter.h"
#include "StateStream.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

void StreamEmitter::clearOutputs(Block &block) {
  e.loop(e.index(0), e.mul(block.count, group), 1, [&](Value row) {
    e.loop(e.index(0), e.index(columns), 1, [&](Value c) {
      e.vstore(zero(), block.outputs, {row, c, e.index(0)});
    });
  });
}

void StreamEmitter::forStrips(function_ref<void(const Strip &)> body) {
  int64_t rank = int64_t(space.rank()), width = stripVectors * e.lanes;
  int64_t full = rank / width * width, rest = rank - full;
  e.loop(e.index(0), e.index(full), width,
         [&](Value first) { body({first, stripVectors, e.lanes}); });
  if (rest == 0)
    return;
  int64_t vectors = (rest + e.lanes - 1) / e.lanes;
  body({e.index(full), vectors, rest - (vectors - 1) * e.lanes});
}

/// Rows are far from each other in memory: nothing but the program knows what
/// comes next.
void StreamEmitter::askForNext(Block &block, const Strip &strip,
                               const Rows &rows) {
  auto ask = [&](const Place &place, int64_t v, bool toWrite) {
    Values next = {place.head, place.row,
                   e.add(strip.first, (strip.vectors + v) * e.lanes)};
    memref::PrefetchOp::create(e.b, e.loc, place.memory, next, toWrite,
                               /*localityHint=*/3, /*isDataCache=*/true);
  };
  for (size_t t = 0; t < sets.size(); ++t)
    for (int64_t r = 0; r < rows.count; ++r) {
      Place from = placeOf(block, t, rows, r, /*toWrite=*/false);
      Place to = placeOf(block, t, rows, r, /*toWrite=*/true);
      for (int64_t v = 0; v < strip.vectors; ++v) {
        ask(from, v, /*toWrite=*/false);
        if (to.memory && to.memory != from.memory)
          ask(to, v, /*toWrite=*/true);
      }
    }
}

/// A few rows of a strip of every state stay in registers while the block's
/// tokens pass by.
void StreamEmitter::addRows(Block &block, const Strip &strip, const Rows &rows,
                            bool reads) {
  Values sums;
  for (size_t t = 0; t < sets.size(); ++t)
    for (int64_t r = 0; r < rows.count; ++r)
      for (int64_t v = 0; v < strip.vectors; ++v)
        sums.push_back(
            loadState(placeOf(block, t, rows, r, /*toWrite=*/false), strip, v));
  bool writes = !block.keyFeatures.empty();
  askForNext(block, strip, rows);
  sums = e.loop(
      e.index(0), block.count, 1, sums, [&](Value i, ValueRange carried) {
        Values next(carried);
        if (writes)
          next = addKeys(block, strip, i, rows.first, rows.count, carried);
        if (reads)
          readRows(block, strip, i, rows.first, rows.count, next);
        return next;
      });
  if (!writes)
    return;
  size_t at = 0;
  for (size_t t = 0; t < sets.size(); ++t)
    for (int64_t r = 0; r < rows.count; ++r)
      for (int64_t v = 0; v < strip.vectors; ++v)
        storeState(sums[at++], placeOf(block, t, rows, r, /*toWrite=*/true),
                   strip, v);
}

/// The key of token i enters every state.
StreamEmitter::Values StreamEmitter::addKeys(Block &block, const Strip &strip,
                                             Value i, Value row, int64_t rows,
                                             ValueRange sums) {
  Values next;
  for (auto [keys, values] : llvm::zip_equal(block.keyFeatures, block.values)) {
    Values features;
    for (int64_t v = 0; v < strip.vectors; ++v)
      features.push_back(loadFeatures(keys, i, strip, v));
    for (int64_t r = 0; r < rows; ++r) {
      Value x = memref::LoadOp::create(e.b, e.loc, values,
                                       ValueRange{i, e.add(row, r)});
      x = vector::BroadcastOp::create(e.b, e.loc, wideType(), x);
      for (int64_t v = 0; v < strip.vectors; ++v)
        next.push_back(e.fma(x, features[v], sums[next.size()]));
    }
  }
  return next;
}

/// The queries of token i read the product of the states.
void StreamEmitter::readRows(Block &block, const Strip &strip, Value i,
                             Value row, int64_t rows, ValueRange sums) {
  Values products(sums.take_front(rows * strip.vectors));
  for (size_t t = 1; t < sets.size(); ++t)
    for (auto [x, y] : llvm::zip_equal(
             products, sums.slice(t * products.size(), products.size())))
      x = e.mulf(x, y);
  e.loop(e.index(0), group, 1, [&](Value g) {
    Value reader = e.add(e.mul(i, group), g);
    Values features;
    for (int64_t v = 0; v < strip.vectors; ++v)
      features.push_back(loadFeatures(block.queryFeatures, reader, strip, v));
    for (int64_t r = 0; r < rows; ++r) {
      Values at = {reader, e.add(row, r), e.index(0)};
      Value sum =
          vector::LoadOp::create(e.b, e.loc, wideType(), block.outputs, at);
      for (int64_t v = 0; v < strip.vectors; ++v)
        sum = e.fma(features[v], products[r * strip.vectors + v], sum);
      e.vstore(sum, block.outputs, at);
    }
  });
}

/// Vectors of the columns of the block's share.
void StreamEmitter::forColumnsOf(Block &block,
                                 function_ref<void(Value, int64_t)> body) {
  if (parts == 1)
    return forColumns(e, columns - 1, body);
  e.loop(e.index(0), block.columns, e.lanes,
         [&](Value c) { body(e.add(block.firstColumn, c), e.lanes); });
}

/// Adds up lanes, divides, and writes the outputs.
void StreamEmitter::closeBlock(Block &block, const Readers &readers) {
  auto lanesOf = [&](Value row, Value c) -> Value {
    return vector::LoadOp::create(e.b, e.loc, wideType(), block.outputs,
                                  ValueRange{row, c, e.index(0)});
  };
  Type outputType = cast<MemRefType>(readers.output.getType()).getElementType();
  VectorType narrowType = e.vectorType(outputType);
  auto isZero = [&](Value x) {
    return e.compare(arith::CmpFPredicate::OEQ, x, zero());
  };
  auto closeRow = [&](Value i, Value g) {
    Value row = e.add(e.mul(i, group), g);
    Value head = e.add(e.mul(block.head, group), g);
    Value total = vector::ReductionOp::create(
        e.b, e.loc, vector::CombiningKind::ADD,
        lanesOf(row, e.index(columns - 1)), arith::FastMathFlags::reassoc);
    total = vector::BroadcastOp::create(e.b, e.loc, wideType(), total);
    forColumnsOf(block, [&](Value c, int64_t count) {
      Values vectors;
      for (int64_t k = 0; k < e.lanes; ++k)
        vectors.push_back(k < count ? lanesOf(row, e.add(c, k)) : zero());
      Value sum = emitLaneSums(e, vectors);
      if (!readers.unnormalised) {
        Value nothing =
            arith::AndIOp::create(e.b, e.loc, isZero(sum), isZero(total));
        Value quotient = arith::DivFOp::create(e.b, e.loc, sum, total);
        sum = e.select(nothing, zero(), quotient);
      }
      if (element.getWidth() > outputType.getIntOrFloatBitWidth())
        sum = arith::TruncFOp::create(e.b, e.loc, narrowType, sum);
      storePart(e, sum, readers.output, {head, e.add(block.first, i), c},
                count);
    });
  };
  e.loop(e.index(0), block.count, 1, [&](Value i) {
    e.loop(e.index(0), group, 1, [&](Value g) { closeRow(i, g); });
  });
}
