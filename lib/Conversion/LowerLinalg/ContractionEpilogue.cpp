// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What follows a contraction element by element, and how a tile of C reaches
// memory.

#include "ContractionEmitter.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

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

std::optional<Epilogue> polyattn::attn::findEpilogue(Contraction &c,
                                                     Value result) {
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
      loops[*c.m] = rowAt(at);
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
    Values xs;
    for (int64_t v = 0; v < columns.vectors; ++v)
      xs.push_back(e.vload(tile, {r, e.index(v * e.lanes)}));
    if (addsByRows)
      xs = addToRow(loops, xs, columns);
    for (int64_t v = 0; v < columns.vectors; ++v) {
      loops[c.n] = e.add(start, v * e.lanes);
      finishVectors(loops, xs[v], columns, v);
    }
    loops[c.n] = start;
  });
}
