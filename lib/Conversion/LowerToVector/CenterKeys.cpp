// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Keys less their mean: sums of chunks of rows, their total, and a pass that
// takes the mean off.

#include "CenterKeys.h"
#include "AttentionEmitter.h"

using namespace mlir;
using namespace polyattn::attn;

/// Rows of one task.
static constexpr int64_t rowsPerChunk = 1024;

namespace {

class KeyCentring {
public:
  KeyCentring(Emitter &e, Value key, Value weights, Value output)
      : e(e), key(key), weights(weights), output(output),
        columns(cast<MemRefType>(key.getType()).getDimSize(2)),
        padded(roundUp(std::max<int64_t>(columns, 1), e.lanes)),
        heads(e.dim(key, 0)), rows(e.dim(key, 1)),
        chunks(e.ceilDiv(rows, rowsPerChunk)) {}

  void emit() {
    sums = table(e.mul(heads, chunks));
    means = table(heads);
    forChunks([&](Value head, Value chunk) { sumChunk(head, chunk); });
    e.loop(e.index(0), heads, 1, [&](Value head) { emitMean(head); });
    forChunks([&](Value head, Value chunk) { takeOff(head, chunk); });
  }

private:
  using Values = Emitter::Values;

  /// Of so many rows: columns, then the weight of all of them in every lane.
  Value table(Value count) {
    auto type =
        MemRefType::get({ShapedType::kDynamic, padded + e.lanes}, e.f32());
    return memref::AllocOp::create(e.b, e.loc, type, count,
                                   e.b.getI64IntegerAttr(cacheLineBytes));
  }
  void forChunks(function_ref<void(Value, Value)> body) {
    // Memory takes the time: as long as some 16 flops a number.
    Value work = e.mul(e.mul(heads, rows), 16 * padded);
    e.parallel({heads, chunks}, work,
               [&](ValueRange at) { body(at[0], at[1]); });
  }
  Value firstOf(Value chunk) { return e.mul(chunk, rowsPerChunk); }
  Value endOf(Value chunk) {
    return e.min(e.add(firstOf(chunk), rowsPerChunk), rows);
  }
  Value weightOf(Value head, Value row) {
    return weights ? e.broadcast(e.load(weights, {head, row})) : e.splat(1);
  }
  void sumChunk(Value head, Value chunk);
  void emitMean(Value head);
  void takeOff(Value head, Value chunk);

  Emitter &e;
  Value key, weights, output;
  int64_t columns, padded;
  Value heads, rows, chunks;
  /// Of chunks, and of heads.
  Value sums, means;
};

} // namespace

void KeyCentring::sumChunk(Value head, Value chunk) {
  Value cell = e.add(e.mul(head, chunks), chunk);
  auto sum = [&](Value column, function_ref<Value(Value, Value)> term) {
    Values zero(1, e.splat(0));
    Value total = e.loop(firstOf(chunk), endOf(chunk), 1, zero,
                         [&](Value row, ValueRange carried) {
                           return Values{term(row, carried[0])};
                         })[0];
    e.vstore(total, sums, {cell, column});
  };
  forColumns(e, columns, [&](Value column, int64_t count) {
    sum(column, [&](Value row, Value carried) {
      Value x = loadPart(e, key, {head, row, column}, count);
      return e.fma(x, weightOf(head, row), carried);
    });
  });
  sum(e.index(padded), [&](Value row, Value carried) {
    return e.addf(carried, weightOf(head, row));
  });
}

void KeyCentring::emitMean(Value head) {
  auto total = [&](Value column) {
    Values zero(1, e.splat(0));
    return e.loop(
        e.index(0), chunks, 1, zero, [&](Value chunk, ValueRange carried) {
          Value cell = e.add(e.mul(head, chunks), chunk);
          return Values{e.addf(carried[0], e.vload(sums, {cell, column}))};
        })[0];
  };
  Value weight = total(e.index(padded));
  Value some = e.compare(arith::CmpFPredicate::OGT, weight, e.splat(0));
  e.loop(e.index(0), e.index(padded), e.lanes, [&](Value column) {
    Value mean = arith::DivFOp::create(e.b, e.loc, total(column), weight);
    e.vstore(e.select(some, mean, e.splat(0)), means, {head, column});
  });
}

void KeyCentring::takeOff(Value head, Value chunk) {
  Type element = cast<MemRefType>(output.getType()).getElementType();
  e.loop(firstOf(chunk), endOf(chunk), 1, [&](Value row) {
    forColumns(e, columns, [&](Value column, int64_t count) {
      SmallVector<Value> at = {head, row, column};
      Value x =
          e.subf(loadPart(e, key, at, count), e.vload(means, {head, column}));
      storePart(e, e.narrow(x, element), output, at, count);
    });
  });
}

void polyattn::attn::emitCentredKeys(Emitter &e, Value key, Value weights,
                                     Value output) {
  KeyCentring(e, key, weights, output).emit();
}
