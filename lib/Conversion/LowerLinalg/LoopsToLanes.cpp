// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Loops of vector code. The loop over lanes is innermost; other parallel loops
// are shared among threads.

#include "LoopsToLanes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

/// Sums that run side by side, so that one need not wait for the other.
static constexpr int64_t chains = 4;

namespace {

class LoopsEmitter {
public:
  LoopsEmitter(Emitter &e, const TargetDescription &target, linalg::LinalgOp op,
               unsigned lane)
      : e(e), target(target), op(op), lane(lane), memory(e, lane),
        body(*op.getBlock()) {
    for (OpOperand &operand : op->getOpOperands())
      operands.push_back({operand.get(), op.getMatchingIndexingMap(&operand),
                          attn::accessOf(op, operand, lane)});
    for (unsigned i = 0; i < op.getNumDpsInits(); ++i)
      combiners.push_back(isParallelLoop(op, lane) ? nullptr
                                                   : combinerOf(op, i));
  }

  void emit();

private:
  using Values = Emitter::Values;

  Value sizeOf(unsigned loop);
  bool isOutput(unsigned operand) { return operand >= op.getNumDpsInputs(); }
  bool isRead(unsigned operand) {
    return !body.getArgument(operand).use_empty();
  }
  void emitRows(ArrayRef<unsigned> parallel, Value flops);
  void emitRow(MutableArrayRef<Value> loops, Value from, Value to);
  Values reduceOuter(MutableArrayRef<Value> loops, size_t depth, Value from,
                     Value to, Values carried);
  Values emitLaneLoop(MutableArrayRef<Value> loops, Value from, Value to,
                      Values carried);
  Values emitVector(LaneBody &part, MutableArrayRef<Value> loops, Value at,
                    Lanes lanes, ValueRange carried);
  void bindUniform(LaneBody &part, ValueRange loops);
  Values neutral();
  Value combine(unsigned i, Value x, Value y);
  void finish(Values carried, ValueRange loops);

  Emitter &e;
  const TargetDescription &target;
  linalg::LinalgOp op;
  unsigned lane;
  LaneMemory memory;
  Block &body;
  SmallVector<LaneOperand> operands;
  SmallVector<Operation *> combiners;
  SmallVector<unsigned> reductions;
};

} // namespace

/// The size of the first operand dimension that the loop alone indexes.
Value LoopsEmitter::sizeOf(unsigned loop) {
  int64_t known = op.getStaticLoopRanges()[loop];
  if (ShapedType::isStatic(known))
    return e.index(known);
  for (LaneOperand &operand : operands)
    for (auto [i, result] : llvm::enumerate(operand.map.getResults()))
      if (result == getAffineDimExpr(loop, e.b.getContext()))
        return e.dim(operand.memref, i);
  llvm_unreachable("linalg ops have a shape for every loop");
}

/// Is there any need to ask whether lanes have something to do before reading
/// what all of them share?
static bool readsInBody(Block &body) {
  return llvm::any_of(body,
                      [](Operation &op) { return !isMemoryEffectFree(&op); });
}

void LoopsEmitter::bindUniform(LaneBody &part, ValueRange loops) {
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (isOutput(i) || operand.access != Access::Uniform || !isRead(i))
      continue;
    bool isArray = isa<MemRefType>(operand.memref.getType());
    part.bind(body.getArgument(i),
              isArray ? memory.read(operand, loops, {}) : operand.memref);
  }
  part.emitUniform(loops);
}

/// One vector of elements; returns the reductions' next values.
LoopsEmitter::Values LoopsEmitter::emitVector(LaneBody &part,
                                              MutableArrayRef<Value> loops,
                                              Value at, Lanes lanes,
                                              ValueRange carried) {
  loops[lane] = at;
  SmallVector<std::pair<Value, Value>> bound;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    Value argument = body.getArgument(i);
    if (isOutput(i) && !carried.empty())
      bound.push_back({argument, carried[i - op.getNumDpsInputs()]});
    else if (isRead(i) && operand.access != Access::Uniform)
      bound.push_back({argument, memory.read(operand, loops, lanes)});
  }
  Values results = part.emitLanes(loops, lanes, bound);
  if (carried.empty()) {
    for (auto [i, x] : llvm::enumerate(results))
      memory.write(x, operands[op.getNumDpsInputs() + i], loops, lanes);
    return {};
  }
  if (lanes.active)
    for (auto [next, last] : llvm::zip_equal(results, carried))
      next = e.select(memory.mask(lanes), next, last);
  return results;
}

LoopsEmitter::Values LoopsEmitter::neutral() {
  Values values;
  for (Operation *combiner : combiners) {
    TypedAttr one = *arith::getNeutralElement(combiner);
    VectorType type = e.vectorType(one.getType());
    values.push_back(arith::ConstantOp::create(
        e.b, e.loc, DenseElementsAttr::get(type, Attribute(one))));
  }
  return values;
}

/// The combiner on scalars or vectors.
Value LoopsEmitter::combine(unsigned i, Value x, Value y) {
  Operation *copy = e.b.clone(*combiners[i]);
  copy->setOperands({x, y});
  copy->getResult(0).setType(x.getType());
  return copy->getResult(0);
}

/// Elements [from, to) of a row. Reductions take `chains` vectors at a time
/// where there are so many.
LoopsEmitter::Values LoopsEmitter::emitLaneLoop(MutableArrayRef<Value> loops,
                                                Value from, Value to,
                                                Values carried) {
  LaneBody part(e, body, lane);
  bindUniform(part, loops);
  Value size = e.sub(to, from);
  Value full = e.add(from, e.mul(e.div(size, e.lanes), e.lanes));
  Value start = from;
  if (!carried.empty()) {
    int64_t step = chains * e.lanes;
    Value whole = e.add(from, e.mul(e.div(size, step), step));
    Values init = carried;
    for (int64_t c = 1; c < chains; ++c)
      llvm::append_range(init, neutral());
    Values sums =
        e.loop(from, whole, step, init, [&](Value at, ValueRange sums) {
          Values next;
          for (int64_t c = 0; c < chains; ++c)
            llvm::append_range(
                next,
                emitVector(part, loops, e.add(at, c * e.lanes), {},
                           sums.slice(c * carried.size(), carried.size())));
          return next;
        });
    for (size_t i = 0; i < carried.size(); ++i) {
      carried[i] = sums[i];
      for (int64_t c = 1; c < chains; ++c)
        carried[i] = combine(i, carried[i], sums[c * carried.size() + i]);
    }
    start = whole;
  }
  carried =
      e.loop(start, full, e.lanes, carried, [&](Value at, ValueRange sums) {
        return emitVector(part, loops, at, {}, sums);
      });
  Value rest = e.sub(to, full);
  std::optional<int64_t> known = getConstantIntValue(rest);
  if (known && *known == 0)
    return carried;
  if (known)
    return emitVector(part, loops, full, {rest}, carried);
  auto ifOp = scf::IfOp::create(e.b, e.loc, TypeRange(ValueRange(carried)),
                                e.less(e.index(0), rest),
                                /*withElseRegion=*/!carried.empty());
  {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(ifOp.thenBlock());
    Values results = emitVector(part, loops, full, {rest}, carried);
    if (!carried.empty()) {
      scf::YieldOp::create(e.b, e.loc, results);
      e.b.setInsertionPointToStart(ifOp.elseBlock());
      scf::YieldOp::create(e.b, e.loc, carried);
    }
  }
  return Values(ifOp.getResults());
}

/// Loops over the reductions outside the lanes, then the lanes.
LoopsEmitter::Values LoopsEmitter::reduceOuter(MutableArrayRef<Value> loops,
                                               size_t depth, Value from,
                                               Value to, Values carried) {
  if (depth == reductions.size())
    return emitLaneLoop(loops, from, to, carried);
  unsigned loop = reductions[depth];
  return e.loop(e.index(0), sizeOf(loop), 1, carried,
                [&](Value i, ValueRange sums) {
                  loops[loop] = i;
                  return reduceOuter(loops, depth + 1, from, to, Values(sums));
                });
}

/// Adds the sums over lanes to what the results were before.
void LoopsEmitter::finish(Values carried, ValueRange loops) {
  for (auto [i, sum] : llvm::enumerate(carried)) {
    LaneOperand &output = operands[op.getNumDpsInputs() + i];
    Value total =
        vector::ReductionOp::create(e.b, e.loc, combiningKindOf(combiners[i]),
                                    sum, arith::FastMathFlags::reassoc);
    Value before = memory.read(output, loops, {});
    memory.write(combine(i, total, before), output, loops, {});
  }
}

void LoopsEmitter::emitRow(MutableArrayRef<Value> loops, Value from, Value to) {
  loops[lane] = from;
  auto emitAll = [&] {
    bool reduces = !isParallelLoop(op, lane);
    Values sums =
        reduceOuter(loops, 0, from, to, reduces ? neutral() : Values());
    finish(sums, loops);
  };
  // Nothing may be read for lanes that have nothing to do.
  std::optional<int64_t> known = getConstantIntValue(e.sub(to, from));
  bool sure = (known && *known > 0) || !readsInBody(body);
  sure ? emitAll() : e.when(e.less(from, to), emitAll);
}

/// Shares rows, or the lanes of the only row, among threads.
void LoopsEmitter::emitRows(ArrayRef<unsigned> parallel, Value flops) {
  Value rows = e.index(1), width = sizeOf(lane), zero = e.index(0);
  SmallVector<Value> sizes;
  for (unsigned loop : parallel) {
    sizes.push_back(sizeOf(loop));
    rows = e.mul(rows, sizes.back());
  }
  bool splitLanes = parallel.empty() && isParallelLoop(op, lane);
  Value items = splitLanes ? e.ceilDiv(width, e.lanes) : rows;
  Value tasks = e.min(items, e.index(tasksPerCore * target.cores));
  auto runTask = [&](Value task) {
    SmallVector<Value> loops(op.getNumLoops(), zero);
    // No task is longer than another by more than one item.
    Value first = e.div(e.mul(task, items), tasks);
    Value last = e.div(e.mul(e.add(task, 1), items), tasks);
    if (splitLanes)
      return emitRow(loops, e.mul(first, e.lanes),
                     e.min(e.mul(last, e.lanes), width));
    e.loop(first, last, 1, [&](Value row) {
      for (size_t i = parallel.size(); i-- > 0;) {
        loops[parallel[i]] = i ? e.rem(row, sizes[i]) : row;
        if (i)
          row = e.div(row, sizes[i]);
      }
      emitRow(loops, zero, width);
    });
  };
  e.parallel({tasks}, flops, [&](ValueRange at) { runTask(at[0]); });
}

void LoopsEmitter::emit() {
  SmallVector<unsigned> parallel;
  Value flops = e.index(LaneBody::flopsPerElement(body));
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    flops = e.mul(flops, sizeOf(loop));
    if (loop != lane)
      (isParallelLoop(op, loop) ? parallel : reductions).push_back(loop);
  }
  emitRows(parallel, flops);
}

void polyattn::attn::emitLoops(Emitter &e, const TargetDescription &target,
                               linalg::LinalgOp op, unsigned lane) {
  LoopsEmitter(e, target, op, lane).emit();
}
