// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "ContractionEmitter.h"
#include "../LowerToVector/AttentionEmitter.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// A task has at least so many blocks of rows, for which a panel of B is
/// fetched once.
static constexpr int64_t rowBlocksPerTask = 16;

/// Rows of a panel that are fetched ahead: each takes some 12 cycles.
static constexpr int64_t prefetchDistance = 8;

PanelLayout::PanelLayout(Contraction &c, const Blocking &blocking)
    : width(blocking.width()), depthStep(blocking.lanes) {
  AffineMap map = c.mapOf(c.vectors);
  for (unsigned loop : c.outer)
    if (map.isFunctionOfDim(loop))
      outer.push_back(loop);
  llvm::append_range(outer, c.outerReductions);
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

/// Its loops are those of C, in any order; it writes columns of C side by side.
static bool fitsTile(Epilogue &epilogue, Contraction &c) {
  linalg::GenericOp op = epilogue.op;
  AffineMap map = op.getMatchingIndexingMap(epilogue.input);
  if (!map.isPermutation() || op.getNumParallelLoops() != op.getNumLoops())
    return false;
  epilogue.loops.resize(op.getNumLoops());
  for (unsigned i = 0; i < map.getNumResults(); ++i)
    epilogue.loops[map.getDimPosition(i)] =
        c.mapOf(c.output()).getDimPosition(i);
  epilogue.lane = llvm::find(epilogue.loops, c.n) - epilogue.loops.begin();
  auto accessTo = [&](OpOperand &operand) {
    auto type = dyn_cast<ShapedType>(operand.get().getType());
    return type ? accessOf(type, op.getMatchingIndexingMap(&operand),
                           epilogue.lane)
                : Access::Uniform;
  };
  for (OpOperand *input : op.getDpsInputOperands())
    if (accessTo(*input) == Access::Strided)
      return false;
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  return out.isPermutation() &&
         accessTo(*op.getDpsInitOperand(0)) == Access::Contiguous;
}

std::optional<Epilogue> polyattn::attn::findEpilogue(Contraction &c) {
  Value result = c.op->getResult(0);
  if (!result.hasOneUse())
    return std::nullopt;
  auto op = dyn_cast<linalg::GenericOp>(*result.user_begin());
  if (!op || op->getBlock() != c.op->getBlock() ||
      !op.hasPureTensorSemantics() || op->getNumResults() != 1 ||
      op.isDpsInit(&*result.use_begin()) ||
      !op.getRegionOutputArgs().front().use_empty() ||
      !LaneBody::whyNot(*op.getBlock()).empty())
    return std::nullopt;
  for (Type type : op->getOperandTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type);
        tensor && tensor.getEncoding())
      return std::nullopt;
  Epilogue epilogue{op, &*result.use_begin(), {}, 0};
  if (!fitsTile(epilogue, c))
    return std::nullopt;
  return epilogue;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

ContractionEmitter::ContractionEmitter(Emitter &e,
                                       const TargetDescription &target,
                                       const Contraction &contraction,
                                       std::optional<Epilogue> epilogue)
    : e(e), c(contraction), epilogue(std::move(epilogue)),
      blocking(target), layout(c, blocking), route(chooseRoute()) {}

/// Making panels pays where many rows use them.
ContractionEmitter::Route ContractionEmitter::chooseRoute() {
  ElementsAttr constant;
  if (matchPattern(c.vectors->get(), m_Constant(&constant)) &&
      !constant.isSplat())
    return Route::Constant;
  int64_t rows = c.rows();
  if (ShapedType::isDynamic(rows) || rows > 2 * blocking.rows())
    return Route::Packed;
  if (c.isInnermost(c.vectors, c.n))
    return Route::Rows;
  // Lanes run along k in both operands.
  return c.isInnermost(c.scalars, c.k) ? Route::Dots : Route::Packed;
}

StringRef ContractionEmitter::getRoute() const {
  switch (route) {
  case Route::Constant:
    return "constant panels";
  case Route::Packed:
    return "panels made first";
  case Route::Rows:
    return "rows as they are";
  case Route::Dots:
    return "dot products";
  }
  llvm_unreachable("every route is listed");
}

Value ContractionEmitter::sizeOf(unsigned loop) {
  if (int64_t known = c.size(loop); ShapedType::isStatic(known))
    return e.index(known);
  for (OpOperand *operand : {c.scalars, c.vectors})
    for (auto [i, result] : llvm::enumerate(c.mapOf(operand).getResults()))
      if (result == getAffineDimExpr(loop, e.b.getContext()))
        return e.b.createOrFold<tensor::DimOp>(e.loc, operand->get(), i);
  llvm_unreachable("every loop is one of an operand's");
}

Value ContractionEmitter::toBuffer(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return tensor;
  return bufferization::ToBufferOp::create(
      e.b, e.loc, MemRefType::get(type.getShape(), type.getElementType()),
      tensor, /*read_only=*/true);
}

Value ContractionEmitter::allocate(RankedTensorType type, AffineMap map,
                                   ArrayRef<unsigned> loopOf) {
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(sizeOf(loopOf[map.getDimPosition(i)]));
  return memref::AllocOp::create(
      e.b, e.loc, MemRefType::get(type.getShape(), type.getElementType()),
      sizes, e.b.getI64IntegerAttr(cacheLineBytes));
}

SmallVector<Value> ContractionEmitter::indices(AffineMap map,
                                               ValueRange loops) {
  SmallVector<Value> at;
  for (unsigned i = 0; i < map.getNumResults(); ++i)
    at.push_back(loops[map.getDimPosition(i)]);
  return at;
}

/// A vector, of which only the first `active` elements exist.
Value ContractionEmitter::loadUpTo(Value memref, ValueRange at, Value active) {
  if (!active)
    return e.vload(memref, at);
  VectorType type =
      e.vectorType(cast<MemRefType>(memref.getType()).getElementType());
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  Value mask = vector::CreateMaskOp::create(
      e.b, e.loc, e.vectorType(e.b.getI1Type()), active);
  return e.widen(vector::MaskedLoadOp::create(e.b, e.loc, type, memref, at,
                                              mask, zero));
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

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
  panels = memref::AllocOp::create(e.b, e.loc,
                                   MemRefType::get(shape, e.f32()), dynamic,
                                   e.b.getI64IntegerAttr(cacheLineBytes));
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
        Value left = e.max(e.min(e.sub(sizeOf(c.n), loops[c.n]),
                                 e.index(e.lanes)),
                           e.index(0));
        Value x = loadUpTo(b, indices(c.mapOf(c.vectors), loops),
                           whole ? Value() : left);
        e.vstore(x, panels, panelIndex(loops, panel, k, offset));
      }
    });
  };
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

//===----------------------------------------------------------------------===//
// Register blocks
//===----------------------------------------------------------------------===//

/// Adds up `count` values over the reductions outside k.
ContractionEmitter::Values ContractionEmitter::overOuterReductions(
    MutableArrayRef<Value> loops, size_t depth, size_t count,
    function_ref<Values()> body) {
  if (depth == c.outerReductions.size())
    return body();
  unsigned loop = c.outerReductions[depth];
  Values zero(count, e.splat(0));
  return e.loop(e.index(0), sizeOf(loop), 1, zero,
                [&](Value i, ValueRange sums) {
                  loops[loop] = i;
                  Values terms =
                      overOuterReductions(loops, depth + 1, count, body);
                  for (auto [term, sum] : llvm::zip_equal(terms, sums))
                    term = e.addf(sum, term);
                  return terms;
                });
}

/// Panels are too long for the first cache. What is asked for may be beyond
/// their end.
void ContractionEmitter::prefetch(ValueRange at) {
  memref::PrefetchOp::create(e.b, e.loc, panels, at, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

/// Rows [row, row + rows) of C, times the columns.
ContractionEmitter::Values
ContractionEmitter::product(MutableArrayRef<Value> loops, Value panel,
                            const Columns &columns, int64_t rows, Value row) {
  Value first = e.mul(panel, layout.width);
  auto scalar = [&](Value k, int64_t r) {
    loops[c.k] = k;
    if (c.m)
      loops[*c.m] = e.add(row, r);
    return e.load(a, indices(c.mapOf(c.scalars), loops));
  };
  auto vector = [&](Value k, int64_t v) {
    loops[c.k] = k;
    if (route != Route::Rows) {
      Value column = e.index(v * e.lanes);
      prefetch(panelIndex(loops, panel, e.add(k, prefetchDistance), column));
      return e.vload(panels, panelIndex(loops, panel, k, column));
    }
    loops[c.n] = e.add(first, v * e.lanes);
    return loadUpTo(b, indices(c.mapOf(c.vectors), loops), columns.active(v));
  };
  return overOuterReductions(loops, 0, rows * columns.vectors, [&] {
    return emitProduct(e, sizeOf(c.k), rows, columns.vectors, scalar, vector);
  });
}

/// The same by sums over lanes: a vector of columns takes as many sums.
ContractionEmitter::Values
ContractionEmitter::dots(MutableArrayRef<Value> loops, const Columns &columns,
                         int64_t rows, Value row) {
  assert(rows == 1 && columns.vectors == 1 && "a tile of dot products");
  Value first = loops[c.n], last = e.sub(sizeOf(c.n), e.index(1));
  if (c.m)
    loops[*c.m] = row;
  auto step = [&](Value k, Value active, ValueRange sums) {
    loops[c.k] = k;
    Value x = loadUpTo(a, indices(c.mapOf(c.scalars), loops), active);
    Values next;
    for (int64_t i = 0; i < e.lanes; ++i) {
      loops[c.n] = e.min(e.add(first, i), last);
      Value y = loadUpTo(b, indices(c.mapOf(c.vectors), loops), active);
      next.push_back(e.fma(x, y, sums[i]));
    }
    return next;
  };
  Value depth = sizeOf(c.k), full = e.mul(e.div(depth, e.lanes), e.lanes);
  Values result = overOuterReductions(loops, 0, 1, [&] {
    Values zero(e.lanes, e.splat(0));
    Values sums = e.loop(
        e.index(0), full, e.lanes, zero,
        [&](Value k, ValueRange sums) { return step(k, {}, sums); });
    Value rest = e.sub(depth, full);
    if (getConstantIntValue(rest) != 0)
      sums = step(full, rest, sums);
    return Values{emitLaneSums(e, sums)};
  });
  loops[c.n] = first;
  return result;
}

/// Vectors of one row of C on their way to memory.
void ContractionEmitter::finishVectors(MutableArrayRef<Value> loops,
                                       ArrayRef<Value> xs,
                                       const Columns &columns, int64_t first) {
  Value start = loops[c.n];
  Type element = getElementTypeOrSelf(c.output()->get().getType());
  AffineMap map = c.mapOf(c.output());
  SmallVector<Value> own;
  unsigned lane = c.n;
  std::optional<LaneBody> body;
  auto ownLoops = [&] {
    if (!epilogue)
      return SmallVector<Value>(loops);
    own.clear();
    for (unsigned loop : epilogue->loops)
      own.push_back(loops[loop]);
    return own;
  };
  if (epilogue) {
    lane = epilogue->lane;
    Block &block = *epilogue->op.getBlock();
    body.emplace(e, block, lane);
    LaneMemory memory(e, lane);
    for (auto [i, operand] : llvm::enumerate(operands)) {
      bool isInput = i + 1 < operands.size();
      if (!isInput || operand.access != Access::Uniform ||
          i == epilogue->input->getOperandNumber())
        continue;
      bool isArray = isa<MemRefType>(operand.memref.getType());
      body->bind(block.getArgument(i),
                 isArray ? memory.read(operand, ownLoops(), {})
                         : operand.memref);
    }
    body->emitUniform(ownLoops());
  }
  for (auto [v, sum] : llvm::enumerate(xs)) {
    loops[c.n] = e.add(start, v * e.lanes);
    Lanes active{columns.active(first + v)};
    LaneMemory memory(e, lane);
    Value x = sum;
    if (init)
      x = e.addf(x, loadUpTo(init, indices(map, loops), active.active));
    x = e.narrow(x, element);
    SmallVector<Value> at = ownLoops();
    if (epilogue) {
      Block &block = *epilogue->op.getBlock();
      SmallVector<std::pair<Value, Value>> bound;
      for (auto [i, operand] : llvm::enumerate(operands)) {
        Value argument = block.getArgument(i);
        if (i == epilogue->input->getOperandNumber())
          bound.push_back({argument, x});
        else if (i + 1 < operands.size() &&
                 operand.access == Access::Contiguous)
          bound.push_back({argument, memory.read(operand, at, active)});
      }
      x = body->emitLanes(at, active, bound).front();
    }
    memory.write(x, operands.back(), at, active);
  }
  loops[c.n] = start;
}

/// What needs many instructions goes through a small buffer and a loop.
void ContractionEmitter::finishTile(MutableArrayRef<Value> loops,
                                    const Columns &columns, int64_t rows,
                                    Value row, Values sums) {
  auto setRow = [&](Value at) {
    if (c.m)
      loops[*c.m] = at;
  };
  if (!tile) {
    for (int64_t r = 0; r < rows; ++r) {
      setRow(e.add(row, r));
      finishVectors(loops,
                    ArrayRef(sums).slice(r * columns.vectors, columns.vectors),
                    columns, 0);
    }
    return;
  }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < columns.vectors; ++v)
      e.vstore(sums[r * columns.vectors + v], tile,
               {e.index(r), e.index(v * e.lanes)});
  Value start = loops[c.n];
  e.loop(e.index(0), e.index(rows), 1, [&](Value r) {
    setRow(e.add(row, r));
    for (int64_t v = 0; v < columns.vectors; ++v) {
      loops[c.n] = e.add(start, v * e.lanes);
      Value x = e.vload(tile, {r, e.index(v * e.lanes)});
      finishVectors(loops, x, columns, v);
    }
    loops[c.n] = start;
  });
}

void ContractionEmitter::emitTile(MutableArrayRef<Value> loops, Value panel,
                                  const Columns &columns, int64_t rows,
                                  Value row) {
  loops[c.n] = e.mul(panel, route == Route::Dots ? e.lanes : layout.width);
  Value first = loops[c.n];
  Values sums = route == Route::Dots
                    ? dots(loops, columns, rows, row)
                    : product(loops, panel, columns, rows, row);
  loops[c.n] = first;
  finishTile(loops, columns, rows, row, sums);
}

//===----------------------------------------------------------------------===//
// Tasks
//===----------------------------------------------------------------------===//

/// Rows [from, to) in blocks as high as registers allow. The last block moves
/// up to be as high as the others: some rows are computed twice.
void ContractionEmitter::emitRows(MutableArrayRef<Value> loops, Value panel,
                                  const Columns &columns, Value from,
                                  Value to) {
  int64_t height = route == Route::Dots ? 1
                                        : blocking.rowsFor(columns.vectors);
  int64_t rows = c.rows();
  if (ShapedType::isStatic(rows) && rows <= height)
    return emitTile(loops, panel, columns, rows, from);
  auto blocks = [&] {
    e.loop(from, to, height, [&](Value row) {
      emitTile(loops, panel, columns, height, e.min(row, e.sub(to, e.index(height))));
    });
  };
  if (ShapedType::isStatic(rows) || height == 1)
    return blocks();
  scf::IfOp::create(
      e.b, e.loc, e.lessEqual(e.index(height), e.sub(to, from)),
      [&](OpBuilder &, Location) {
        blocks();
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        e.loop(from, to, 1, [&](Value row) {
          emitTile(loops, panel, columns, 1, row);
        });
        scf::YieldOp::create(e.b, e.loc);
      });
}

/// `vectors` of which the last has `rest` columns (0: all).
ContractionEmitter::Columns ContractionEmitter::columnsOf(int64_t vectors,
                                                          int64_t rest) {
  return {vectors, [=](int64_t v) {
            return rest && v + 1 == vectors ? e.index(rest) : Value();
          }};
}

/// One panel's columns of the rows [from, to).
void ContractionEmitter::emitBlock(MutableArrayRef<Value> loops, Value panel,
                                   Value from, Value to) {
  int64_t width = route == Route::Dots ? e.lanes : layout.width;
  int64_t vectors = width / e.lanes, columns = c.size(c.n);
  auto whole = [&] {
    emitRows(loops, panel, columnsOf(vectors, 0), from, to);
  };
  auto part = [&] {
    int64_t rest = columns % width;
    if (ShapedType::isStatic(columns))
      return emitRows(loops, panel,
                      columnsOf((rest + e.lanes - 1) / e.lanes, rest % e.lanes),
                      from, to);
    Value first = e.mul(panel, width), left = e.sub(sizeOf(c.n), first);
    Columns all{vectors, [=](int64_t v) {
                  Value there = e.sub(left, e.index(v * e.lanes));
                  return e.max(e.min(there, e.index(e.lanes)), e.index(0));
                }};
    emitRows(loops, panel, all, from, to);
  };
  if (ShapedType::isStatic(columns) && columns % width == 0)
    return whole();
  if (ShapedType::isStatic(columns) && columns < width)
    return part();
  Value fits = e.lessEqual(e.mul(e.add(panel, 1), e.index(width)), sizeOf(c.n));
  scf::IfOp::create(
      e.b, e.loc, fits,
      [&](OpBuilder &, Location) {
        whole();
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        part();
        scf::YieldOp::create(e.b, e.loc);
      });
}

void ContractionEmitter::emitTasks() {
  Value rows = c.m ? sizeOf(*c.m) : e.index(1);
  Value flops = e.index(2);
  for (unsigned loop = 0; loop < c.op.getNumLoops(); ++loop)
    flops = e.mul(flops, sizeOf(loop));
  // Blocks are no smaller than this, so that each has a full register block.
  int64_t blockRows = rowBlocksPerTask * blocking.rowsFor(1);
  Value blocks = e.min(rows, e.max(e.div(rows, blockRows), e.index(1)));
  SmallVector<Value> sizes;
  for (unsigned loop : c.outer)
    sizes.push_back(sizeOf(loop));
  sizes.append({blocks, panelCount});
  e.parallel(sizes, flops, [&](ValueRange at) {
    SmallVector<Value> loops(c.op.getNumLoops());
    for (auto [i, loop] : llvm::enumerate(c.outer))
      loops[loop] = at[i];
    Value block = at[c.outer.size()];
    Value from = e.div(e.mul(block, rows), blocks);
    Value to = e.div(e.mul(e.add(block, 1), rows), blocks);
    if (epilogue || init)
      tile = e.buffer({blocking.rowsFor(1), layout.width});
    emitBlock(loops, at.back(), from, to);
  });
}

/// Does C start from 0?
static bool startsFromZero(Value init) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.getInputs().front(), m_AnyZeroFloat());
}

Value ContractionEmitter::emit() {
  if (route == Route::Constant) {
    if (Value packed = packConstant(e.b, c, layout))
      panels = toBuffer(packed);
    else
      route = Route::Packed;
  }
  a = toBuffer(c.scalars->get());
  if (route != Route::Constant)
    b = toBuffer(c.vectors->get());
  Value start = c.output()->get();
  if (!startsFromZero(start))
    init = toBuffer(start);
  RankedTensorType type;
  if (epilogue) {
    linalg::GenericOp op = epilogue->op;
    type = cast<RankedTensorType>(op.getResult(0).getType());
    output = allocate(type, op.getMatchingIndexingMap(op.getDpsInitOperand(0)),
                      epilogue->loops);
    for (OpOperand *input : op.getDpsInputOperands()) {
      Value memory = input == epilogue->input ? Value() : toBuffer(input->get());
      auto shaped = dyn_cast<ShapedType>(input->get().getType());
      AffineMap map = op.getMatchingIndexingMap(input);
      operands.push_back({memory, map,
                          shaped ? accessOf(shaped, map, epilogue->lane)
                                 : Access::Uniform});
    }
    operands.push_back({output,
                        op.getMatchingIndexingMap(op.getDpsInitOperand(0)),
                        Access::Contiguous});
  } else {
    type = cast<RankedTensorType>(start.getType());
    auto identity = llvm::to_vector(llvm::seq<unsigned>(c.op.getNumLoops()));
    output = allocate(type, c.mapOf(c.output()), identity);
    operands.push_back({output, c.mapOf(c.output()), Access::Contiguous});
  }
  panelCount = e.ceilDiv(sizeOf(c.n),
                         route == Route::Dots ? e.lanes : layout.width);
  if (route == Route::Packed)
    packPanels();
  emitTasks();
  return bufferization::ToTensorOp::create(e.b, e.loc, type, output,
                                           /*restrict=*/true,
                                           /*writable=*/true);
}
