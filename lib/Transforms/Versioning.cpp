// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Versioning.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace polyattn::attn;

//===----------------------------------------------------------------------===//
// Making versions
//===----------------------------------------------------------------------===//

Versions polyattn::attn::versionOn(ApproximableOpInterface op,
                                   Value condition) {
  Location loc = op.getLoc();
  OpBuilder builder(op);
  auto ifOp = scf::IfOp::create(builder, loc, op->getResultTypes(), condition,
                                /*withElseRegion=*/true);
  op->replaceAllUsesWith(ifOp.getResults());
  builder.setInsertionPointToEnd(ifOp.thenBlock());
  Operation *copy = builder.clone(*op);
  scf::YieldOp::create(builder, loc, copy->getResults());
  builder.setInsertionPointToEnd(ifOp.elseBlock());
  op->moveBefore(ifOp.elseBlock(), ifOp.elseBlock()->end());
  scf::YieldOp::create(builder, loc, op->getResults());
  return {cast<ApproximableOpInterface>(copy), op};
}

Value polyattn::attn::emitAll(OpBuilder &builder, Location loc,
                              ArrayRef<Value> conditions) {
  Value all = conditions.front();
  for (Value condition : conditions.drop_front())
    all = arith::AndIOp::create(builder, loc, all, condition);
  return all;
}

/// Lengths are never negative, so both signednesses agree.
static Value emitCompare(OpBuilder &builder, Location loc,
                         arith::CmpIPredicate predicate, TensorDim dim,
                         int64_t limit) {
  Value length = tensor::DimOp::create(builder, loc, dim.tensor, dim.dim);
  return arith::CmpIOp::create(
      builder, loc, predicate, length,
      arith::ConstantIndexOp::create(builder, loc, limit));
}

Value polyattn::attn::emitAtMost(OpBuilder &builder, Location loc,
                                 TensorDim dim, int64_t limit) {
  return emitCompare(builder, loc, arith::CmpIPredicate::ule, dim, limit);
}

Value polyattn::attn::emitAtLeast(OpBuilder &builder, Location loc,
                                  TensorDim dim, int64_t limit) {
  return emitCompare(builder, loc, arith::CmpIPredicate::uge, dim, limit);
}

SmallVector<Value> polyattn::attn::emitDynamicLengthsAtLeast(
    OpBuilder &builder, ApproximableOpInterface op, int64_t length) {
  SmallVector<Value> conditions;
  LengthDims dims = op.getLengthDims();
  AttentionSizes sizes = op.getSizes();
  if (ShapedType::isDynamic(sizes.numQueries))
    conditions.push_back(
        emitAtLeast(builder, op.getLoc(), dims.numQueries, length));
  if (ShapedType::isDynamic(sizes.numKeys))
    conditions.push_back(
        emitAtLeast(builder, op.getLoc(), dims.numKeys, length));
  return conditions;
}

//===----------------------------------------------------------------------===//
// Reading conditions
//===----------------------------------------------------------------------===//

SmallVector<Value> polyattn::attn::conditionsAround(Operation *op) {
  SmallVector<Value> pending, conditions;
  for (Region *region = op->getParentRegion(); region;
       region = region->getParentRegion())
    if (auto ifOp = dyn_cast<scf::IfOp>(region->getParentOp()))
      if (region == &ifOp.getThenRegion())
        pending.push_back(ifOp.getCondition());
  while (!pending.empty()) {
    Value condition = pending.pop_back_val();
    if (auto both = condition.getDefiningOp<arith::AndIOp>())
      pending.append({both.getLhs(), both.getRhs()});
    else
      conditions.push_back(condition);
  }
  return conditions;
}

/// Is `value` that dimension of the tensor? Other passes may have replaced the
/// tensor.dim by an equal value, hence the solver.
static bool isDim(Value value, TensorDim dim) {
  if (!value.getType().isIndex())
    return false;
  if (auto dimOp = value.getDefiningOp<tensor::DimOp>())
    if (dimOp.getSource() == dim.tensor && dimOp.getConstantIndex() == dim.dim)
      return true;
  using Variable = ValueBoundsConstraintSet::Variable;
  FailureOr<bool> equal = ValueBoundsConstraintSet::areEqual(
      Variable(value), Variable(dim.tensor, dim.dim));
  return succeeded(equal) && *equal;
}

/// x < y and x <= y, with the sides swapped if they are written y > x.
static bool isLess(arith::CmpIOp compare, Value &smaller, Value &larger,
                   bool &strict) {
  using Predicate = arith::CmpIPredicate;
  smaller = compare.getLhs();
  larger = compare.getRhs();
  Predicate predicate = compare.getPredicate();
  if (llvm::is_contained(
          {Predicate::ugt, Predicate::sgt, Predicate::uge, Predicate::sge},
          predicate))
    std::swap(smaller, larger);
  strict = llvm::is_contained(
      {Predicate::ult, Predicate::slt, Predicate::ugt, Predicate::sgt},
      predicate);
  return predicate != Predicate::eq && predicate != Predicate::ne;
}

bool polyattn::attn::impliesAtMost(Value condition, TensorDim dim,
                                   int64_t limit) {
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  Value smaller, larger;
  bool strict;
  if (!compare || !isLess(compare, smaller, larger, strict))
    return false;
  IntegerAttr constant;
  if (!matchPattern(larger, m_Constant(&constant)))
    return false;
  const APInt &value = constant.getValue();
  // A negative constant is a huge one to an unsigned comparison.
  if (value.isNegative())
    return false;
  int64_t most = value.getSExtValue() - (strict ? 1 : 0);
  return most <= limit && isDim(smaller, dim);
}
