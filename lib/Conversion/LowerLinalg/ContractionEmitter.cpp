// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "ContractionEmitter.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Register blocks of rows in a task, for which a panel of B is fetched once:
/// at most about so many, and no fewer, even if cores are left without a task.
static constexpr int64_t mostRowBlocks = 16, leastRowBlocks = 2;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

ContractionEmitter::ContractionEmitter(Emitter &e,
                                       const TargetDescription &target,
                                       const Contraction &contraction,
                                       std::optional<Epilogue> epilogue)
    : e(e), cores(target.cores), c(contraction), epilogue(std::move(epilogue)),
      blocking(target), layout(c, blocking), route(chooseRoute()) {}

/// Making panels pays where many rows use them.
ContractionEmitter::Route ContractionEmitter::chooseRoute() {
  ElementsAttr constant;
  if (matchPattern(c.vectors->get(), m_Constant(&constant)) &&
      !constant.isSplat())
    return Route::Constant;
  int64_t rows = c.rows();
  // Each of several matrices has a share of the rows.
  if (c.rowsChoose() && ShapedType::isStatic(rows) &&
      ShapedType::isStatic(c.size(c.selection->loop)))
    rows /= std::max<int64_t>(c.size(c.selection->loop), 1);
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
  for (OpOperand *operand : {c.scalars, c.vectors, c.output()})
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
  return e.widen(
      vector::MaskedLoadOp::create(e.b, e.loc, type, memref, at, mask, zero));
}

//===----------------------------------------------------------------------===//
// Register blocks
//===----------------------------------------------------------------------===//

/// Adds up `count` values over the reductions outside k.
ContractionEmitter::Values
ContractionEmitter::overOuterReductions(MutableArrayRef<Value> loops,
                                        size_t depth, size_t count,
                                        function_ref<Values()> body) {
  if (depth == c.outerReductions.size())
    return body();
  unsigned loop = c.outerReductions[depth];
  Values zero(count, e.splat(0));
  return e.loop(
      e.index(0), sizeOf(loop), 1, zero, [&](Value i, ValueRange sums) {
        loops[loop] = i;
        Values terms = overOuterReductions(loops, depth + 1, count, body);
        for (auto [term, sum] : llvm::zip_equal(terms, sums))
          term = e.addf(sum, term);
        return terms;
      });
}

/// Rows [row, row + rows) of C, times the columns.
ContractionEmitter::Values
ContractionEmitter::product(MutableArrayRef<Value> loops, Value panel,
                            const Columns &columns, int64_t rows, Value row,
                            ValueRange start) {
  Value first = e.mul(panel, layout.width), depth = sizeOf(c.k), begin;
  if (choseNothing)
    depth = e.index(0);
  // Sums over the rows of one choice.
  if (c.selection && !c.rowsChoose()) {
    Value choice = loops[c.selection->loop];
    begin = indexAt(starts, choice);
    depth = e.sub(indexAt(starts, e.add(choice, 1)), begin);
  }
  Values rowsAt;
  for (int64_t r = 0; c.m && r < rows; ++r)
    rowsAt.push_back(rowAt(e.add(row, r)));
  std::pair<Value, Value> last;
  auto setDepth = [&](Value k) {
    if (begin && last.first != k)
      last = {k, indexAt(order, e.add(begin, k))};
    loops[c.k] = begin ? last.second : k;
  };
  auto scalar = [&](Value k, int64_t r) {
    setDepth(k);
    if (c.m)
      loops[*c.m] = rowsAt[r];
    return e.load(a, indices(c.mapOf(c.scalars), loops));
  };
  auto vector = [&](Value k, int64_t v) {
    setDepth(k);
    if (route != Route::Rows) {
      Value column = e.index(v * e.lanes);
      prefetch(loops, panel, loops[c.k], column);
      return e.vload(panels, panelIndex(loops, panel, loops[c.k], column));
    }
    loops[c.n] = e.add(first, v * e.lanes);
    return loadUpTo(b, indices(c.mapOf(c.vectors), loops), columns.active(v));
  };
  return overOuterReductions(loops, 0, rows * columns.vectors, [&] {
    return emitProduct(e, depth, rows, columns.vectors, scalar, vector, start);
  });
}

/// The same by sums over lanes: a vector of columns takes as many sums.
ContractionEmitter::Values
ContractionEmitter::dots(MutableArrayRef<Value> loops, const Columns &columns,
                         int64_t rows, Value row) {
  assert(rows == 1 && columns.vectors == 1 && "a tile of dot products");
  Value first = loops[c.n], last = e.sub(sizeOf(c.n), e.index(1));
  if (c.m)
    loops[*c.m] = rowAt(row);
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
  Value depth = choseNothing ? e.index(0) : sizeOf(c.k);
  Value full = e.mul(e.div(depth, e.lanes), e.lanes);
  Values result = overOuterReductions(loops, 0, 1, [&] {
    Values zero(e.lanes, e.splat(0));
    Values sums =
        e.loop(e.index(0), full, e.lanes, zero,
               [&](Value k, ValueRange sums) { return step(k, {}, sums); });
    Value rest = e.sub(depth, full);
    if (getConstantIntValue(rest) != 0)
      sums = step(full, rest, sums);
    return Values{emitLaneSums(e, sums)};
  });
  loops[c.n] = first;
  return result;
}

void ContractionEmitter::emitTile(MutableArrayRef<Value> loops, Value panel,
                                  const Columns &columns, int64_t rows,
                                  Value row) {
  loops[c.n] = e.mul(panel, route == Route::Dots ? e.lanes : layout.width);
  Value first = loops[c.n];
  Values sums = route == Route::Dots
                    ? dots(loops, columns, rows, row)
                    : product(loops, panel, columns, rows, row);
  if (addend && !addsByRows) {
    SmallVector<Value> others = loopsOfAddend(loops);
    sums = addend->product(others, panel, columns, rows, row, sums);
  }
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
  int64_t height = route == Route::Dots ? 1 : blocking.rowsFor(columns.vectors);
  int64_t rows = c.rows();
  bool isKnown = ShapedType::isStatic(rows) && !c.rowsChoose();
  if (isKnown && rows <= height)
    return emitTile(loops, panel, columns, rows, from);
  auto blocks = [&] {
    e.loop(from, to, height, [&](Value row) {
      emitTile(loops, panel, columns, height,
               e.min(row, e.sub(to, e.index(height))));
    });
  };
  if (isKnown || height == 1)
    return blocks();
  scf::IfOp::create(
      e.b, e.loc, e.lessEqual(e.index(height), e.sub(to, from)),
      [&](OpBuilder &, Location) {
        blocks();
        scf::YieldOp::create(e.b, e.loc);
      },
      [&](OpBuilder &, Location) {
        e.loop(from, to, 1,
               [&](Value row) { emitTile(loops, panel, columns, 1, row); });
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
  auto whole = [&] { emitRows(loops, panel, columnsOf(vectors, 0), from, to); };
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
    if (!c.selection || loop != c.selection->loop)
      flops = e.mul(flops, sizeOf(loop));
  // Blocks are no smaller than this, so that each has a full register block.
  int64_t height = blocking.rowsFor(1);
  SmallVector<Value> sizes;
  Value others = panelCount;
  for (unsigned loop : c.outer) {
    sizes.push_back(sizeOf(loop));
    others = e.mul(others, sizes.back());
  }
  Value wanted =
      e.div(e.index(tasksPerCore * cores), e.max(others, e.index(1)));
  Value blocks = e.max(e.div(rows, mostRowBlocks * height),
                       e.min(e.div(rows, leastRowBlocks * height), wanted));
  blocks = e.min(rows, e.max(blocks, e.index(1)));
  sizes.append({blocks, panelCount});
  e.parallel(sizes, flops, [&](ValueRange at) {
    SmallVector<Value> loops(c.op.getNumLoops());
    for (auto [i, loop] : llvm::enumerate(c.outer))
      loops[loop] = at[i];
    Value block = at[c.outer.size()];
    Value from = e.div(e.mul(block, rows), blocks);
    Value to = e.div(e.mul(e.add(block, 1), rows), blocks);
    if (epilogue || init || addsByRows)
      tile = e.buffer({blocking.rowsFor(1), layout.width});
    forRuns(loops, from, to, [&](Value first, Value end) {
      emitBlock(loops, at.back(), first, end);
    });
  });
}

/// Does C start from 0?
static bool startsFromZero(Value init) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.getInputs().front(), m_AnyZeroFloat());
}

/// Operands as memory, and what is made of them first.
void ContractionEmitter::prepare(bool sorts) {
  if (route == Route::Constant) {
    if (Value packed = packConstant(e.b, c, layout))
      panels = toBuffer(packed);
    else
      route = Route::Packed;
  }
  a = toBuffer(c.scalars->get());
  if (route != Route::Constant)
    b = toBuffer(c.vectors->get());
  if (c.selection) {
    chosen = toBuffer(c.selection->operand->get());
    if (sorts)
      sortRows();
  }
  panelCount =
      e.ceilDiv(sizeOf(c.n), route == Route::Dots ? e.lanes : layout.width);
  if (route == Route::Packed)
    packPanels();
}

/// Memory for the result, whose type is returned, and the operands of what
/// writes to it.
RankedTensorType ContractionEmitter::prepareOutput() {
  if (!epilogue) {
    auto type = cast<RankedTensorType>(c.output()->get().getType());
    auto identity = llvm::to_vector(llvm::seq<unsigned>(c.op.getNumLoops()));
    output = allocate(type, c.mapOf(c.output()), identity);
    operands.push_back({output, c.mapOf(c.output()), Access::Contiguous});
    return type;
  }
  linalg::GenericOp op = epilogue->op;
  AffineMap outputMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  output = allocate(type, outputMap, epilogue->loops);
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value memory = input == epilogue->input ? Value() : toBuffer(input->get());
    auto shaped = dyn_cast<ShapedType>(input->get().getType());
    AffineMap map = op.getMatchingIndexingMap(input);
    operands.push_back(
        {memory, map,
         shaped ? accessOf(shaped, map, epilogue->lane) : Access::Uniform});
  }
  operands.push_back({output, outputMap, Access::Contiguous});
  return type;
}

Value ContractionEmitter::emit() {
  RankedTensorType type = prepareOutput();
  prepare(/*sorts=*/true);
  if (addend)
    addend->prepare(/*sorts=*/false);
  Value start = c.output()->get();
  if (!startsFromZero(start))
    init = toBuffer(start);
  emitTasks();
  return bufferization::ToTensorOp::create(e.b, e.loc, type, output,
                                           /*restrict=*/true,
                                           /*writable=*/true);
}
