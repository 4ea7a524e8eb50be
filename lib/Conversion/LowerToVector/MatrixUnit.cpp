// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Direct evaluation of bf16 inputs on a matrix unit (AMX): the two products run
// on tiles of 16 rows and 32 columns of bf16, which add up in f32. Scores, row
// statistics and outputs keep their place and layout, so everything between the
// products is that of Weights.cpp. The unit takes its left operand in rows and
// its right one in pairs of rows ("VNNI"):
//   S[j][i] += K[j][a] Q[a][i]     K as it lies, Q paired once per tile
//   O[c][i] += V^T[c][j] P[j][i]   V transposed once per head, P paired when
//   made
// Weights are rounded to bf16, as every bf16 attention on such units does.

#include "AttentionEmitter.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Rows of a tile, and the depth of one tile product.
static constexpr int64_t side = 16, depth = 32;

using Values = Emitter::Values;

bool AttentionEmitter::usesMatrixUnit(AttentionOp op,
                                      const TargetDescription &target) {
  // Certificates count on f32 weights.
  return target.bf16Tiles && target.lanes() == side &&
         op.getElementType().isBF16() && !op.getCertificate();
}

/// Linux hands out the tile registers only to processes that ask for them.
static void emitRequest(Emitter &e) {
  Type i64 = e.b.getI64Type();
  auto number = [&](int64_t x) -> Value {
    return LLVM::ConstantOp::create(e.b, e.loc, i64, e.b.getI64IntegerAttr(x));
  };
  constexpr int64_t archPrctl = 158, requestPermission = 0x1023, tileData = 18;
  auto call = LLVM::InlineAsmOp::create(
      e.b, e.loc, i64,
      ValueRange{number(archPrctl), number(requestPermission),
                 number(tileData)},
      "syscall", "={ax},{ax},{di},{si},~{rcx},~{r11},~{memory}",
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
      ArrayAttr());
  Value granted = arith::CmpIOp::create(
      e.b, e.loc, arith::CmpIPredicate::eq, call.getResult(0),
      arith::ConstantIntOp::create(e.b, e.loc, i64, 0));
  cf::AssertOp::create(e.b, e.loc, granted,
                       "the operating system does not allow AMX; compile for "
                       "target avx512");
}

//===----------------------------------------------------------------------===//
// Keys and values in the unit's order
//===----------------------------------------------------------------------===//

Value AttentionEmitter::roundedKeys() { return e.roundUp(numKeys, keyBlock); }

/// Heads whose packed keys and values are held at once.
Value AttentionEmitter::packedHeads() {
  int64_t perKey = 2 * (roundUp(headDim, depth) + roundUp(valueDim, side));
  Value most = e.div(e.index(scratchBytes), e.mul(roundedKeys(), perKey));
  return e.max(e.min(most, keyHeads), e.index(1));
}

void AttentionEmitter::emitDirectOnMatrixUnit() {
  emitRequest(e);
  Value atOnce = packedHeads();
  auto allocate = [&](ArrayRef<int64_t> shape, ValueRange sizes) -> Value {
    return memref::AllocOp::create(e.b, e.loc,
                                   MemRefType::get(shape, e.b.getBF16Type()),
                                   sizes, e.b.getI64IntegerAttr(64));
  };
  int64_t dynamic = ShapedType::kDynamic;
  packed.keys =
      allocate({dynamic, dynamic, roundUp(headDim, depth) / depth, side, depth},
               {atOnce, e.div(roundedKeys(), side)});
  packed.values =
      allocate({dynamic, dynamic, roundUp(valueDim, side) / side, side, depth},
               {atOnce, e.div(roundedKeys(), depth)});
  forHeadGroups(atOnce, [&](Value firstHead, Value count) {
    Value blocks = e.div(roundedKeys(), keyBlock);
    // A copy: each element costs some instructions, not one.
    Value work = e.mul(e.mul(count, numKeys), 16 * (headDim + valueDim));
    e.parallel({count, blocks}, work, [&](ValueRange at) {
      packKeys(e.add(firstHead, at[0]), at[0], e.mul(at[1], keyBlock));
      packValueColumns(e.add(firstHead, at[0]), at[0], at[1]);
    });
    Value tiles = e.ceilDiv(numQueries, queryTile);
    Value rowHeads = e.mul(count, group);
    // The unit works some ten times as fast as vector code.
    Value flops = e.div(directFlops(numQueries, numKeys), 8);
    e.parallel({rowHeads, tiles}, flops, [&](ValueRange at) {
      Tile t =
          openTile(e.add(e.mul(firstHead, group), at[0]), tileOfTask(at[1]));
      t.slot = e.div(at[0], group);
      KeyRange<Value> keys = tileRange(t.first);
      // Whole blocks: keys before the first one are masked like all others.
      addKeys(t, e.mul(e.div(keys.begin, keyBlock), keyBlock), keys.end);
      closeTile(t);
    });
  });
}

/// A vector of bf16 pairs: columns [at, at + 32) of a row, zeros beyond
/// `limit`.
static Value loadPairs(Emitter &e, Value source, Value head, Value row,
                       int64_t at, int64_t limit) {
  VectorType type = VectorType::get({depth}, e.b.getBF16Type());
  Values place = {head, row, e.index(at)};
  if (at + depth <= limit)
    return vector::LoadOp::create(e.b, e.loc, type, source, place);
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  Value lanes = vector::CreateMaskOp::create(
      e.b, e.loc, VectorType::get({depth}, e.b.getI1Type()),
      e.index(limit - at));
  return vector::MaskedLoadOp::create(e.b, e.loc, type, source, place, lanes,
                                      zero);
}

/// packed.keys[slot][key / 16][a / 32][key % 16][a % 32] = the key's dimension
/// a; zeros beyond the last.
void AttentionEmitter::packKeys(Value head, Value slot, Value from) {
  VectorType type = VectorType::get({depth}, e.b.getBF16Type());
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  Value last = e.sub(numKeys, e.index(1));
  e.loop(from, e.add(from, keyBlock), 1, [&](Value key) {
    Value there = e.less(key, numKeys);
    for (int64_t a = 0; a < headDim; a += depth) {
      Value x = loadPairs(e, operands.key, head, e.min(key, last), a, headDim);
      e.vstore(e.select(there, x, zero), packed.keys,
               {slot, e.div(key, side), e.index(a / depth),
                e.rem(key, e.index(side)), e.index(0)});
    }
  });
}

/// packed.values[slot][key / 32][c / 16][c % 16][key % 32] =
/// value[head][key][c]; zeros beyond the last.
void AttentionEmitter::packValueColumns(Value head, Value slot, Value blockOf) {
  Value last = e.sub(numKeys, e.index(1));
  Value from = e.mul(blockOf, keyBlock);
  e.loop(e.index(0), e.index(keyBlock), side, [&](Value key) {
    forColumns(e, valueDim, [&](Value column, int64_t count) {
      Values block;
      for (int64_t j = 0; j < side; ++j) {
        Value row = e.add(from, e.add(key, j));
        Value x = loadPart(e, operands.value, {head, e.min(row, last), column},
                           count);
        block.push_back(e.select(e.less(row, numKeys), x, e.splat(0)));
      }
      block = emitTranspose(e, block);
      for (int64_t c = 0; c < side; ++c)
        e.vstore(e.narrow(block[c], e.b.getBF16Type()), packed.values,
                 {slot, e.div(e.add(from, key), depth), e.div(column, side),
                  e.index(c), e.rem(key, e.index(depth))});
    });
  });
}

/// pairs[a / 32][i / 16][a % 32 / 2][2 (i % 16) + a % 2] = query i's dimension
/// a.
void AttentionEmitter::packQueryPairs(Tile &t) {
  VectorType words = e.vectorType(e.b.getI32Type());
  VectorType halves = VectorType::get({depth}, e.b.getBF16Type());
  Value last = e.sub(numQueries, e.index(1));
  e.loop(e.index(0), e.index(queryTile), side, [&](Value i) {
    for (int64_t a = 0; a < headDim; a += depth) {
      Values block;
      for (int64_t r = 0; r < side; ++r) {
        Value row = e.min(e.add(t.first, e.add(i, r)), last);
        block.push_back(vector::BitCastOp::create(
            e.b, e.loc, words,
            loadPairs(e, operands.query, t.head, row, a, headDim)));
      }
      block = emitTranspose(e, block);
      for (int64_t p = 0; p < side; ++p)
        e.vstore(vector::BitCastOp::create(e.b, e.loc, halves, block[p]),
                 t.queryPairs,
                 {e.index(a / depth), e.div(i, side), e.index(p), e.index(0)});
    }
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
/// A block of 2 x 2 result tiles; its edge may be 1 tile high.
struct TileBlock {
  Emitter &e;
  int64_t high;
  Values sums;

  amx::TileType results() {
    return amx::TileType::get({side, side}, e.b.getF32Type());
  }
  amx::TileType factors() {
    return amx::TileType::get({side, depth}, e.b.getBF16Type());
  }
  Value load(Type type, Value memref, ValueRange at) {
    return amx::TileLoadOp::create(e.b, e.loc, type, memref, at);
  }
  /// A whole tile, which lies in one piece.
  Value factor(Value memref, Values at) {
    at.append(2, e.index(0));
    return load(factors(), memref, at);
  }
  void clear() {
    for (int64_t i = 0; i < 2 * high; ++i)
      sums.push_back(amx::TileZeroOp::create(e.b, e.loc, results()));
  }
  void multiply(ArrayRef<Value> left, ArrayRef<Value> right) {
    for (auto [r, a] : llvm::enumerate(left))
      for (auto [c, b] : llvm::enumerate(right)) {
        Value &sum = sums[2 * r + c];
        sum = amx::TileMulFOp::create(e.b, e.loc, results(), a, b, sum);
      }
  }
};
} // namespace

void AttentionEmitter::emitTileScores(Tile &t, Value from, Value count) {
  e.loop(e.index(0), count, 2 * side, [&](Value j) {
    e.loop(e.index(0), e.index(queryTile), 2 * side, [&](Value i) {
      TileBlock block{e, 2, {}};
      block.clear();
      for (int64_t a = 0; a < headDim; a += depth) {
        Values left, right;
        for (int64_t s = 0; s < 2; ++s) {
          left.push_back(block.factor(
              packed.keys,
              {t.slot, e.div(e.add(from, e.add(j, s * side)), side),
               e.index(a / depth)}));
          right.push_back(
              block.factor(t.queryPairs, {e.index(a / depth),
                                          e.div(e.add(i, s * side), side)}));
        }
        block.multiply(left, right);
      }
      for (int64_t s = 0; s < 4; ++s)
        amx::TileStoreOp::create(
            e.b, e.loc, t.scores,
            ValueRange{e.add(j, s / 2 * side), e.add(i, s % 2 * side)},
            block.sums[s]);
    });
  });
}

/// Two rows of weights, rounded to bf16 and paired. Adding half a unit to the
/// bits of sign and magnitude makes cutting off a rounding to nearest. A NaN
/// that arithmetic or bf16 inputs have made stays one.
void AttentionEmitter::storeWeightPair(Tile &t, Value j, Value i, Value even,
                                       Value odd) {
  VectorType words = e.vectorType(e.b.getI32Type());
  auto constant = [&](int64_t x) -> Value {
    return arith::ConstantOp::create(
        e.b, e.loc, DenseElementsAttr::get(words, APInt(32, x)));
  };
  auto rounded = [&](Value x) -> Value {
    Value bits = arith::BitcastOp::create(e.b, e.loc, words, x);
    return arith::AddIOp::create(e.b, e.loc, bits, constant(0x8000));
  };
  Value low = arith::ShRUIOp::create(e.b, e.loc, rounded(even), constant(16));
  Value high =
      arith::AndIOp::create(e.b, e.loc, rounded(odd), constant(0xffff0000));
  Value pair = arith::OrIOp::create(e.b, e.loc, low, high);
  e.vstore(vector::BitCastOp::create(
               e.b, e.loc, VectorType::get({depth}, e.b.getBF16Type()), pair),
           t.weightPairs,
           {e.div(j, depth), e.div(i, side), e.div(e.rem(j, e.index(depth)), 2),
            e.index(0)});
}

/// Rows from `count` on, up to the end of the block, get weight 0.
void AttentionEmitter::clearWeightPairs(Tile &t, Value count) {
  VectorType halves = VectorType::get({depth}, e.b.getBF16Type());
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(halves));
  e.loop(e.ceilDiv(count, 2), e.index(keyBlock / 2), 1, [&](Value pair) {
    e.loop(e.index(0), e.index(queryTile / side), 1, [&](Value i) {
      e.vstore(zero, t.weightPairs,
               {e.div(pair, side), i, e.rem(pair, e.index(side)), e.index(0)});
    });
  });
}

void AttentionEmitter::addTileValues(Tile &t, Value from) {
  auto addColumns = [&](Value c, Value i, int64_t high) {
    TileBlock block{e, high, {}};
    auto place = [&](int64_t s) {
      return Values{e.add(c, s / 2 * side), e.add(i, s % 2 * side)};
    };
    for (int64_t s = 0; s < 2 * high; ++s)
      block.sums.push_back(block.load(block.results(), t.outputs, place(s)));
    for (int64_t j = 0; j < keyBlock; j += depth) {
      Values left, right;
      for (int64_t s = 0; s < high; ++s)
        left.push_back(
            block.factor(packed.values, {t.slot, e.div(e.add(from, j), depth),
                                         e.div(e.add(c, s * side), side)}));
      for (int64_t s = 0; s < 2; ++s)
        right.push_back(
            block.factor(t.weightPairs, {e.index(j / depth),
                                         e.div(e.add(i, s * side), side)}));
      block.multiply(left, right);
    }
    for (int64_t s = 0; s < 2 * high; ++s)
      amx::TileStoreOp::create(e.b, e.loc, t.outputs, place(s), block.sums[s]);
  };
  int64_t rows = roundUp(valueDim, side), full = rows / (2 * side) * 2 * side;
  e.loop(e.index(0), e.index(queryTile), 2 * side, [&](Value i) {
    if (full)
      e.loop(e.index(0), e.index(full), 2 * side,
             [&](Value c) { addColumns(c, i, 2); });
    if (full < rows)
      addColumns(e.index(full), i, 1);
  });
}
