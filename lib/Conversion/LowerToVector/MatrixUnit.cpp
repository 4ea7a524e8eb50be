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

/// Tiles of queries that take turns: 256 queries for which keys are fetched
/// once.
static constexpr int64_t mostTilesInTurn = 8;

/// Parts in which one turn's products and weights alternate. Fewer overlap
/// less; more switch between the units too often, which costs cycles each time.
static constexpr int64_t partsOfTurn = 8;

using Values = Emitter::Values;

bool AttentionEmitter::usesMatrixUnit(ApproximableOpInterface op,
                                      const TargetDescription &target) {
  // Certificates count on f32 weights.
  return target.bf16Tiles && target.lanes() == side &&
         op.getElementType().isBF16() && !op.getCertificate() &&
         op.getKeyAxes().size() == 1;
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
  Value keys = e.max(roundedKeys(), e.index(keyBlock));
  Value most = e.div(e.index(scratchBytes), e.mul(keys, perKey));
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
    // As many as make keys worth fetching, but some tasks for every core.
    Value perTask = e.div(e.mul(rowHeads, tiles), 4 * cores);
    perTask = e.min(e.max(perTask, e.index(2)), e.index(mostTilesInTurn));
    Value tasks = e.div(e.add(tiles, e.sub(perTask, e.index(1))), perTask);
    // The unit works some ten times as fast as vector code.
    Value flops = e.div(directFlops(numQueries, numKeys), 8);
    e.parallel({rowHeads, tasks}, flops, [&](ValueRange at) {
      Tile group = allocateTile(mostTilesInTurn);
      group.head = e.add(e.mul(firstHead, this->group), at[0]);
      group.keyHead = e.div(group.head, this->group);
      group.slot = e.div(at[0], this->group);
      Value first = e.mul(lateFirst(at[1], tasks), perTask);
      group.first = e.mul(first, queryTile);
      group.end = numQueries;
      emitTileGroup(group, e.min(perTask, e.sub(tiles, first)));
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

/// A block of up to 2 x 2 result tiles, `high` tiles high, made in steps that
/// other work can stand between.
class AttentionEmitter::TileProduct {
public:
  /// Which tile of a factor: in which step, and the how-manieth.
  using Place = std::function<Values(int64_t step, int64_t which)>;

  /// Result tiles lie in `results` from [row, 0] on.
  TileProduct(Emitter &e, Value results, Value row, int64_t high, bool adds,
              int64_t steps)
      : steps(steps), e(e), results(results), row(row), high(high), adds(adds) {
  }

  const int64_t steps;
  Value leftFactor, rightFactor;
  Place left, right;

  void emitStep(int64_t step) {
    for (int64_t i = 0; step == 0 && i < 2 * high; ++i)
      sums.push_back(adds ? load(resultType(), results, resultPlace(i))
                          : amx::TileZeroOp::create(e.b, e.loc, resultType()));
    Values a, b;
    for (int64_t i = 0; i < high; ++i)
      a.push_back(factor(leftFactor, left(step, i)));
    for (int64_t i = 0; i < 2; ++i)
      b.push_back(factor(rightFactor, right(step, i)));
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = amx::TileMulFOp::create(e.b, e.loc, resultType(), a[i / 2],
                                    b[i % 2], sum);
    for (int64_t i = 0; step == steps - 1 && i < 2 * high; ++i)
      amx::TileStoreOp::create(e.b, e.loc, results, resultPlace(i), sums[i]);
  }
  void emit() {
    for (int64_t step = 0; step < steps; ++step)
      emitStep(step);
  }

private:
  Emitter &e;
  Value results, row;
  int64_t high;
  bool adds;
  Values sums;

  amx::TileType resultType() {
    return amx::TileType::get({side, side}, e.b.getF32Type());
  }
  Values resultPlace(int64_t i) {
    return {e.add(row, i / 2 * side), e.index(i % 2 * side)};
  }
  Value load(Type type, Value memref, ValueRange at) {
    return amx::TileLoadOp::create(e.b, e.loc, type, memref, at);
  }
  /// A whole tile, which lies in one piece.
  Value factor(Value memref, Values at) {
    at.append(2, e.index(0));
    return load(amx::TileType::get({side, depth}, e.b.getBF16Type()), memref,
                at);
  }
};

/// Scores of 32 keys, from row j of the block at key `from` on.
AttentionEmitter::TileProduct
AttentionEmitter::scoreProduct(Tile &t, Value from, Value j) {
  TileProduct product(e, t.scores, j, /*high=*/2, /*adds=*/false,
                      roundUp(headDim, depth) / depth);
  product.leftFactor = packed.keys;
  product.rightFactor = t.queryPairs;
  Value tile = e.div(e.add(from, j), side);
  product.left = [this, slot = t.slot, tile](int64_t step, int64_t i) {
    return Values{slot, e.add(tile, i), e.index(step)};
  };
  product.right = [this](int64_t step, int64_t i) {
    return Values{e.index(step), e.index(i)};
  };
  return product;
}

/// What the block of keys at `from` adds to value columns from `column` on.
AttentionEmitter::TileProduct AttentionEmitter::valueProduct(Tile &t,
                                                             Value from,
                                                             Value column,
                                                             int64_t high) {
  TileProduct product(e, t.outputs, column, high, /*adds=*/true,
                      keyBlock / depth);
  product.leftFactor = packed.values;
  product.rightFactor = t.weightPairs;
  Value block = e.div(from, depth), tile = e.div(column, side);
  product.left = [this, slot = t.slot, block, tile](int64_t step, int64_t i) {
    return Values{slot, e.add(block, step), e.add(tile, i)};
  };
  product.right = [this](int64_t step, int64_t i) {
    return Values{e.index(step), e.index(i)};
  };
  return product;
}

void AttentionEmitter::emitTileScores(Tile &t, Value from, Value count) {
  e.loop(e.index(0), count, 2 * side,
         [&](Value j) { scoreProduct(t, from, j).emit(); });
}

void AttentionEmitter::addTileValues(Tile &t, Value from) {
  int64_t rows = roundUp(valueDim, side), full = rows / (2 * side) * 2 * side;
  if (full)
    e.loop(e.index(0), e.index(full), 2 * side,
           [&](Value c) { valueProduct(t, from, c, 2).emit(); });
  if (full < rows)
    valueProduct(t, from, e.index(full), 1).emit();
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

//===----------------------------------------------------------------------===//
// Several tiles of queries in turn, so that packed keys and values come close
// once for all of them, and so that vectors have work while the unit
// multiplies.
//===----------------------------------------------------------------------===//

/// Code of a turn has no loops over products: for long vectors it would be too
/// much, and for them products take all the time anyway.
bool AttentionEmitter::takesTurns() const { return headDim + valueDim <= 512; }

/// One of the tiles of a group. Scores and weights last for two turns.
AttentionEmitter::Tile AttentionEmitter::tileOfGroup(const Tile &group,
                                                     Value which, Value turn) {
  Tile t = group;
  t.first = e.add(group.first, e.mul(which, queryTile));
  for (Value *buffer : t.lasting())
    if (*buffer)
      *buffer = e.part(*buffer, which);
  for (Value *buffer : t.passing())
    if (*buffer)
      *buffer = e.part(*buffer, e.rem(turn, e.index(2)));
  return t;
}

/// The blocks of keys that all queries of the group see, and see whole.
KeyRange<Value> AttentionEmitter::wholeBlocks(Tile &group, Value tiles) {
  Value last = e.min(e.add(group.first, e.mul(tiles, queryTile)), numQueries);
  Value begin = e.roundUp(keyRange(e.sub(last, e.index(1))).begin, keyBlock);
  Value end = e.mul(e.div(keyRange(group.first).end, keyBlock), keyBlock);
  // One tile alone has nobody to take turns with.
  if (!takesTurns())
    return {begin, begin};
  Value several = e.less(e.index(1), tiles);
  return {begin, e.select(several, e.max(begin, end), begin)};
}

void AttentionEmitter::emitTileGroup(Tile &group, Value tiles) {
  e.loop(e.index(0), tiles, 1, [&](Value which) {
    Tile t = tileOfGroup(group, which, e.index(0));
    fillTile(t);
  });
  KeyRange<Value> whole = wholeBlocks(group, tiles);
  if (takesTurns())
    e.when(e.less(whole.begin, whole.end),
           [&] { addInTurn(group, tiles, whole); });
  Value done = e.sub(whole.end, whole.begin);
  e.loop(e.index(0), tiles, 1, [&](Value which) {
    Tile t = tileOfGroup(group, which, e.index(0));
    KeyRange<Value> keys = tileRange(t.first, t.end);
    // Keys before the first one are masked like all others.
    Value begin = e.mul(e.div(keys.begin, keyBlock), keyBlock);
    e.loop(begin, e.sub(keys.end, done), keyBlock, [&](Value at) {
      Value key = e.select(e.less(at, whole.begin), at, e.add(at, done));
      addKeyBlock(t, key, e.min(e.index(keyBlock), e.sub(keys.end, key)));
    });
    closeTile(t);
  });
}

/// Block by block the tiles take turns: one gets weights, while the one before
/// it adds values and the one after it gets scores.
void AttentionEmitter::addInTurn(Tile &group, Value tiles,
                                 KeyRange<Value> keys) {
  struct Turn {
    Tile tile;
    Value from;
  };
  auto turnOf = [&](Value turn) {
    return Turn{tileOfGroup(group, e.rem(turn, tiles), turn),
                e.add(keys.begin, e.mul(e.div(turn, tiles), keyBlock))};
  };
  Value all = e.index(keyBlock);
  Value end = e.mul(e.div(e.sub(keys.end, keys.begin), keyBlock), tiles);
  Value last = e.sub(end, e.index(1));
  e.loop(e.index(0), e.index(2), 1, [&](Value turn) {
    Turn first = turnOf(turn);
    emitTileScores(first.tile, first.from, all);
  });
  Turn first = turnOf(e.index(0));
  weighBeside(first.tile, first.from, {});
  e.loop(e.index(1), last, 1, [&](Value turn) {
    Turn before = turnOf(e.sub(turn, e.index(1))), now = turnOf(turn),
         next = turnOf(e.add(turn, 1));
    SmallVector<TileProduct> products;
    for (int64_t c = 0; c < valueDim; c += 2 * side)
      products.push_back(valueProduct(before.tile, before.from, e.index(c),
                                      valueDim - c > side ? 2 : 1));
    for (int64_t j = 0; j < keyBlock; j += 2 * side)
      products.push_back(scoreProduct(next.tile, next.from, e.index(j)));
    weighBeside(now.tile, now.from, products);
  });
  Turn final = turnOf(last);
  weighBeside(final.tile, final.from, {});
  e.loop(e.sub(last, e.index(1)), end, 1, [&](Value turn) {
    Turn rest = turnOf(turn);
    addTileValues(rest.tile, rest.from);
  });
}

/// Scores of a whole block to weights, with the steps of `products` in between.
void AttentionEmitter::weighBeside(Tile &t, Value from,
                                   MutableArrayRef<TileProduct> products) {
  SmallVector<std::pair<TileProduct *, int64_t>> steps;
  for (TileProduct &product : products)
    for (int64_t step = 0; step < product.steps; ++step)
      steps.emplace_back(&product, step);
  int64_t parts = steps.empty() ? 1 : partsOfTurn;
  size_t emitted = 0;
  auto emitSteps = [&](int64_t part) {
    for (; emitted < steps.size() * part / parts; ++emitted)
      steps[emitted].first->emitStep(steps[emitted].second);
  };
  emitSteps(1);
  Value all = e.index(keyBlock);
  if (operands.bias)
    addBias(t, from, all);
  if (t.shifts) {
    removePadding(t, from, all);
    raiseShifts(t, all);
  }
  Values at;
  for (int64_t i = 0; i < queryTile; i += e.lanes)
    at.push_back(e.index(i));
  Strip strip = openStrip(t, at, /*masked=*/false);
  int64_t rows = keyBlock / parts;
  for (int64_t part = 0; part < parts; ++part) {
    emitSteps(part + 1);
    weighRows(t, strip, from, e.index(part * rows), e.index((part + 1) * rows));
  }
  closeStrip(t, strip);
}
