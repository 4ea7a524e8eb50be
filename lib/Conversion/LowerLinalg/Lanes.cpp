// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Lanes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace polyattn::attn;

Access polyattn::attn::accessOf(ShapedType type, AffineMap map, unsigned lane) {
  if (!map.isFunctionOfDim(lane))
    return Access::Uniform;
  for (AffineExpr result : map.getResults().drop_back())
    if (result.isFunctionOfDim(lane))
      return Access::Strided;
  if (map.getResults().back() != getAffineDimExpr(lane, map.getContext()))
    return Access::Strided;
  // A vector of i1 is packed bits, an array of i1 has a byte for each.
  if (type.getElementType().isInteger(1))
    return Access::Strided;
  auto memref = dyn_cast<MemRefType>(type);
  return !memref || memref.isLastDimUnitStride() ? Access::Contiguous
                                                 : Access::Strided;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

SmallVector<Value> LaneMemory::indices(AffineMap map, ValueRange loops) {
  SmallVector<OpFoldResult> values(loops.begin(), loops.end());
  SmallVector<Value> at;
  for (AffineExpr result : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(result)) {
      at.push_back(loops[dim.getPosition()]);
      continue;
    }
    OpFoldResult index = affine::makeComposedFoldedAffineApply(
        e.b, e.loc, AffineMap::get(map.getNumDims(), 0, result), values);
    at.push_back(getValueOrCreateConstantIndexOp(e.b, e.loc, index));
  }
  return at;
}

Value LaneMemory::mask(Lanes lanes) {
  return vector::CreateMaskOp::create(e.b, e.loc, e.vectorType(e.b.getI1Type()),
                                      lanes.active);
}

Value LaneMemory::readEach(Value memref, Lanes lanes,
                           function_ref<SmallVector<Value>(Value)> indicesAt) {
  Value last = lanes.active ? e.sub(lanes.active, e.index(1)) : Value();
  SmallVector<Value> elements;
  for (int64_t l = 0; l < e.lanes; ++l) {
    Value at = e.index(l);
    elements.push_back(memref::LoadOp::create(
        e.b, e.loc, memref, indicesAt(last ? e.min(at, last) : at)));
  }
  return vector::FromElementsOp::create(
      e.b, e.loc, e.vectorType(elements.front().getType()), elements);
}

/// The loops' values `offset` lanes further.
static SmallVector<Value> advance(Emitter &e, ValueRange loops, unsigned lane,
                                  Value offset) {
  SmallVector<Value> at(loops);
  at[lane] = e.add(at[lane], offset);
  return at;
}

Value LaneMemory::read(const LaneOperand &operand, ValueRange loops,
                       Lanes lanes) {
  auto type = cast<MemRefType>(operand.memref.getType());
  if (operand.access == Access::Strided)
    return readEach(operand.memref, lanes, [&](Value offset) {
      return indices(operand.map, advance(e, loops, lane, offset));
    });
  SmallVector<Value> at = indices(operand.map, loops);
  if (operand.access == Access::Uniform)
    return memref::LoadOp::create(e.b, e.loc, operand.memref, at);
  VectorType vector = e.vectorType(type.getElementType());
  if (!lanes.active)
    return vector::LoadOp::create(e.b, e.loc, vector, operand.memref, at);
  Value zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(vector));
  return vector::MaskedLoadOp::create(e.b, e.loc, vector, operand.memref, at,
                                      mask(lanes), zero);
}

void LaneMemory::write(Value x, const LaneOperand &operand, ValueRange loops,
                       Lanes lanes) {
  if (operand.access == Access::Strided) {
    for (int64_t l = 0; l < e.lanes; ++l) {
      auto store = [&] {
        Value element = vector::ExtractOp::create(e.b, e.loc, x, l);
        e.store(element, operand.memref,
                indices(operand.map, advance(e, loops, lane, e.index(l))));
      };
      if (lanes.active)
        e.when(e.less(e.index(l), lanes.active), store);
      else
        store();
    }
    return;
  }
  SmallVector<Value> at = indices(operand.map, loops);
  if (operand.access == Access::Uniform)
    return e.store(x, operand.memref, at);
  if (!lanes.active)
    return e.vstore(x, operand.memref, at);
  vector::MaskedStoreOp::create(e.b, e.loc, operand.memref, at, mask(lanes), x);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// Lanes that take no part compute with zeros, which no such op may see.
static bool trapsOnZero(Operation &op) {
  if (!isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
           arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op))
    return false;
  std::optional<int64_t> divisor = getConstantIntValue(op.getOperand(1));
  return !divisor || *divisor == 0;
}

static bool isVectorElement(Type type) {
  return isa<IntegerType, IndexType, FloatType>(type);
}

std::string LaneBody::whyNot(Block &body) {
  for (BlockArgument argument : body.getArguments())
    if (!isVectorElement(argument.getType()))
      return "its elements are neither numbers nor indices";
  for (Operation &op : body.without_terminator()) {
    if (isa<linalg::IndexOp, arith::ConstantOp, memref::LoadOp, cf::AssertOp>(
            op))
      continue;
    if (op.getNumRegions())
      return ("'" + op.getName().getStringRef() + "' branches").str();
    if (trapsOnZero(op))
      return ("'" + op.getName().getStringRef() + "' traps where nothing is")
          .str();
    // LLVM has powers of vectors only by one number.
    if (isa<math::FPowIOp>(op) || !OpTrait::hasElementwiseMappableTraits(&op) ||
        op.getNumResults() != 1 || !isVectorElement(op.getResult(0).getType()))
      return ("'" + op.getName().getStringRef() + "' has no form on vectors")
          .str();
  }
  return {};
}

/// Of vectors that take about as long as a multiply-add, or as 20 of them; and
/// reading and writing takes some time, too.
int64_t LaneBody::flopsPerElement(Block &body) {
  int64_t vectors = 2 * body.getNumArguments();
  for (Operation &op : body.without_terminator())
    vectors += isa<math::MathDialect>(op.getDialect()) ? 20 : 1;
  return 4 * vectors;
}

Value LaneBody::asVector(Value x) {
  return isa<VectorType>(x.getType()) ? x : e.broadcast(x);
}

Value LaneBody::uniformOrLanes(Value x, IRMapping &lanesOf) {
  if (Value found = lanesOf.lookupOrNull(x))
    return found;
  // Values from outside the body are what they are.
  return mapping.lookupOrDefault(x);
}

bool LaneBody::dependsOnLane(Operation &op) const {
  if (auto index = dyn_cast<linalg::IndexOp>(op))
    return index.getDim() == lane;
  return llvm::any_of(op.getOperands(), [&](Value x) {
    return x.getParentBlock() == &body && !mapping.contains(x);
  });
}

void LaneBody::emitUniform(ValueRange loops) {
  for (Operation &op : body.without_terminator()) {
    if (dependsOnLane(op))
      continue;
    if (auto index = dyn_cast<linalg::IndexOp>(op))
      mapping.map(index.getResult(), loops[index.getDim()]);
    else
      e.b.clone(op, mapping);
  }
}

/// Consecutive elements are one vector; others are read one by one.
Value LaneBody::emitLoad(memref::LoadOp op, IRMapping &lanesOf, Lanes lanes) {
  LaneMemory memory(e, lane);
  SmallVector<Value> at;
  for (Value index : op.getIndices())
    at.push_back(uniformOrLanes(index, lanesOf));
  auto type = cast<MemRefType>(op.getMemref().getType());
  bool lastIsLane = false;
  if (auto index = op.getIndices().back().getDefiningOp<linalg::IndexOp>())
    lastIsLane = index.getDim() == lane;
  bool othersUniform = llvm::all_of(ArrayRef(at).drop_back(), [](Value x) {
    return !isa<VectorType>(x.getType());
  });
  if (lastIsLane && othersUniform && type.isLastDimUnitStride() &&
      !type.getElementType().isInteger(1)) {
    at.back() = vector::ExtractOp::create(e.b, e.loc, at.back(), 0);
    AffineMap identity =
        AffineMap::getMultiDimIdentityMap(at.size(), e.b.getContext());
    return LaneMemory(e, at.size() - 1)
        .read({op.getMemref(), identity, Access::Contiguous}, at, lanes);
  }
  return memory.readEach(op.getMemref(), lanes, [&](Value offset) {
    SmallVector<Value> indices;
    for (Value x : at)
      indices.push_back(
          isa<VectorType>(x.getType())
              ? vector::ExtractOp::create(e.b, e.loc, x, OpFoldResult(offset))
              : x);
    return indices;
  });
}

/// An assertion holds if it does in every lane that takes part.
static void emitAssert(Emitter &e, cf::AssertOp op, Value holds, Lanes lanes) {
  if (lanes.active) {
    Value mask = LaneMemory(e, 0).mask(lanes);
    Value ones = arith::ConstantOp::create(
        e.b, e.loc,
        DenseElementsAttr::get(cast<ShapedType>(mask.getType()), true));
    Value out = arith::XOrIOp::create(e.b, e.loc, mask, ones);
    holds = arith::OrIOp::create(e.b, e.loc, holds, out);
  }
  Value all = vector::ReductionOp::create(e.b, e.loc,
                                          vector::CombiningKind::AND, holds);
  cf::AssertOp::create(e.b, e.loc, all, op.getMsg());
}

void LaneBody::emitOp(Operation &op, IRMapping &lanesOf, ValueRange loops,
                      Lanes lanes) {
  if (isa<linalg::IndexOp>(op)) {
    Value step =
        vector::StepOp::create(e.b, e.loc, e.vectorType(e.b.getIndexType()));
    lanesOf.map(op.getResult(0), e.add(step, e.broadcast(loops[lane])));
    return;
  }
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    lanesOf.map(load.getResult(), emitLoad(load, lanesOf, lanes));
    return;
  }
  if (auto assertion = dyn_cast<cf::AssertOp>(op))
    return emitAssert(e, assertion, uniformOrLanes(op.getOperand(0), lanesOf),
                      lanes);
  SmallVector<Value> operands;
  for (Value x : op.getOperands())
    operands.push_back(asVector(uniformOrLanes(x, lanesOf)));
  Operation *copy = e.b.clone(op);
  copy->setOperands(operands);
  copy->getResult(0).setType(e.vectorType(op.getResult(0).getType()));
  lanesOf.map(op.getResult(0), copy->getResult(0));
}

SmallVector<Value>
LaneBody::emitLanes(ValueRange loops, Lanes lanes,
                    ArrayRef<std::pair<Value, Value>> bound) {
  IRMapping lanesOf;
  for (auto [argument, value] : bound)
    lanesOf.map(argument, value);
  for (Operation &op : body.without_terminator())
    if (dependsOnLane(op))
      emitOp(op, lanesOf, loops, lanes);
  SmallVector<Value> yielded;
  for (Value x : body.getTerminator()->getOperands())
    yielded.push_back(asVector(uniformOrLanes(x, lanesOf)));
  return yielded;
}
