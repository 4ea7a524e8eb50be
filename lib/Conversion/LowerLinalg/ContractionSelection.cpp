// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Rows that choose one of several matrices: they are sorted by their choice, so
// that register blocks hold rows of one matrix. And a second contraction that
// is added to the first, in registers, or row by row where rows choose: rows of
// the first are in their own order then.

#include "ContractionEmitter.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// Rows by choice
//===----------------------------------------------------------------------===//

/// What a row chose, the number of matrices if that is none of them.
Value ContractionEmitter::bucketOf(Value row) {
  Value choice = arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(),
                                            indexAt(chosen, row));
  Value count = sizeOf(c.selection->loop);
  Value exists = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult,
                                       choice, count);
  return e.select(exists, choice, count);
}

/// Sorts by counting: `starts` holds counts two places further, then beginnings
/// one place further, which move to the next beginning as rows are placed.
void ContractionEmitter::sortRows() {
  Value rows = sizeOf(c.selection->row), count = sizeOf(c.selection->loop);
  auto indexMemory = [&](Value size) -> Value {
    auto type = MemRefType::get({ShapedType::kDynamic}, e.b.getIndexType());
    return memref::AllocOp::create(e.b, e.loc, type, ValueRange{size});
  };
  order = indexMemory(rows);
  starts = indexMemory(e.add(count, 3));
  e.loop(e.index(0), e.add(count, 3), 1,
         [&](Value i) { e.store(e.index(0), starts, i); });
  auto increase = [&](Value at, Value by) {
    e.store(e.add(indexAt(starts, at), by), starts, at);
  };
  e.loop(e.index(0), rows, 1,
         [&](Value row) { increase(e.add(bucketOf(row), 2), e.index(1)); });
  e.loop(e.index(1), e.add(count, 3), 1,
         [&](Value i) { increase(i, indexAt(starts, e.sub(i, e.index(1)))); });
  e.loop(e.index(0), rows, 1, [&](Value row) {
    Value next = e.add(bucketOf(row), 1);
    e.store(row, order, indexAt(starts, next));
    increase(next, e.index(1));
  });
}

/// Those positions in [from, to) that chose the same, choice by choice; all of
/// them where rows do not choose.
void ContractionEmitter::forRuns(MutableArrayRef<Value> loops, Value from,
                                 Value to,
                                 function_ref<void(Value, Value)> body) {
  if (!c.rowsChoose())
    return body(from, to);
  auto run = [&](Value choice) {
    Value first = e.max(from, indexAt(starts, choice));
    Value end = e.min(to, indexAt(starts, e.add(choice, 1)));
    e.when(e.less(first, end), [&] { body(first, end); });
  };
  Value count = sizeOf(c.selection->loop);
  e.loop(e.index(0), count, 1, [&](Value choice) {
    loops[c.selection->loop] = choice;
    run(choice);
  });
  loops[c.selection->loop] = e.index(0);
  choseNothing = true;
  run(count);
  choseNothing = false;
}

//===----------------------------------------------------------------------===//
// Two contractions in one
//===----------------------------------------------------------------------===//

std::optional<SmallVector<std::optional<unsigned>>>
polyattn::attn::findCommonLoops(Contraction &c, Contraction &addend) {
  AffineMap left = c.mapOf(c.output()), right = addend.mapOf(addend.output());
  SmallVector<std::optional<unsigned>> common(addend.op.getNumLoops());
  for (auto [l, r] : llvm::zip_equal(left.getResults(), right.getResults()))
    common[cast<AffineDimExpr>(r).getPosition()] =
        cast<AffineDimExpr>(l).getPosition();
  bool sameRows = c.m ? addend.m && common[*addend.m] == *c.m : !addend.m;
  bool fits = sameRows && !c.selection && addend.outerReductions.empty() &&
              (!addend.selection || addend.rowsChoose());
  // A narrower result would be rounded in between.
  Type element = getElementTypeOrSelf(c.output()->get().getType());
  if (!fits || !element.isF32())
    return std::nullopt;
  return common;
}

void ContractionEmitter::add(const TargetDescription &target,
                             const Contraction &contraction,
                             ArrayRef<std::optional<unsigned>> common) {
  addend = std::make_unique<ContractionEmitter>(e, target, contraction,
                                                std::nullopt);
  commonLoops.assign(common.begin(), common.end());
  // Lanes are columns in what is added to sums of columns.
  if (addend->route == Route::Dots)
    addend->route = Route::Packed;
  addsByRows = addend->c.rowsChoose() || route == Route::Dots;
}

SmallVector<Value> ContractionEmitter::loopsOfAddend(ArrayRef<Value> loops) {
  SmallVector<Value> others(commonLoops.size());
  for (auto [other, ours] : llvm::zip_equal(others, commonLoops))
    if (ours)
      other = loops[*ours];
  return others;
}

/// The sums of one row, from the current column on, and its addend.
ContractionEmitter::Values
ContractionEmitter::addToRow(ArrayRef<Value> loops, Values sums,
                             const Columns &columns) {
  SmallVector<Value> others = loopsOfAddend(loops);
  return addend->rowProduct(others, sums, columns);
}

ContractionEmitter::Values
ContractionEmitter::rowProduct(MutableArrayRef<Value> loops, Values sums,
                               const Columns &columns) {
  Value first = loops[c.n], depth = sizeOf(c.k);
  Value panel = e.div(first, layout.width),
        offset = e.rem(first, e.index(layout.width));
  if (c.selection) {
    Value choice = bucketOf(loops[*c.m]), count = sizeOf(c.selection->loop);
    Value exists = e.less(choice, count);
    loops[c.selection->loop] = e.select(exists, choice, e.index(0));
    depth = e.select(exists, depth, e.index(0));
  }
  return e.loop(e.index(0), depth, 1, sums, [&](Value k, ValueRange carried) {
    loops[c.k] = k;
    Value x = e.broadcast(e.load(a, indices(c.mapOf(c.scalars), loops)));
    Values next;
    for (auto [v, sum] : llvm::enumerate(carried)) {
      Value y;
      if (route == Route::Rows) {
        loops[c.n] = e.add(first, int64_t(v) * e.lanes);
        y = loadUpTo(b, indices(c.mapOf(c.vectors), loops), columns.active(v));
      } else {
        Value column = e.add(offset, int64_t(v) * e.lanes);
        y = e.vload(panels, panelIndex(loops, panel, k, column));
      }
      next.push_back(e.fma(x, y, sum));
    }
    loops[c.n] = first;
    return next;
  });
}
