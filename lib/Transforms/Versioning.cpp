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

/// Replaces `op` by an scf.if with what `emitTaken` gives where `condition`
/// holds, and `op` itself where it does not.
static void emitVersions(ApproximableOpInterface op, Value condition,
                         function_ref<Value(OpBuilder &)> emitTaken) {
  Location loc = op.getLoc();
  OpBuilder builder(op);
  auto ifOp = scf::IfOp::create(builder, loc, op->getResultTypes(), condition,
                                /*withElseRegion=*/true);
  op->replaceAllUsesWith(ifOp.getResults());
  builder.setInsertionPointToEnd(ifOp.thenBlock());
  scf::YieldOp::create(builder, loc, emitTaken(builder));
  builder.setInsertionPointToEnd(ifOp.elseBlock());
  op->moveBefore(ifOp.elseBlock(), ifOp.elseBlock()->end());
  scf::YieldOp::create(builder, loc, op->getResults());
}

Versions polyattn::attn::versionOn(ApproximableOpInterface op,
                                   Value condition) {
  Operation *copy = nullptr;
  emitVersions(op, condition, [&](OpBuilder &builder) {
    copy = builder.clone(*op);
    return copy->getResult(0);
  });
  return {cast<ApproximableOpInterface>(copy), op};
}

Versions polyattn::attn::versionOn(ApproximableOpInterface op,
                                   ApproximableOpInterface taken,
                                   int64_t exactRows, Value condition) {
  emitVersions(op, condition, [&](OpBuilder &builder) -> Value {
    taken->moveBefore(builder.getInsertionBlock(), builder.getInsertionPoint());
    if (exactRows == 0)
      return taken->getResult(0);
    auto first =
        cast<ApproximableOpInterface>(op.emitRows(builder, 0, exactRows));
    first.setBound({}, {});
    int64_t rows =
        cast<RankedTensorType>(op->getResult(0).getType()).getRank() - 2;
    return emitJoined(builder, op, rows,
                      {first->getResult(0), taken->getResult(0)});
  });
  return {taken, op};
}

Value polyattn::attn::emitJoined(OpBuilder &builder, ApproximableOpInterface op,
                                 int64_t dim, ArrayRef<Value> pieces) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  // The sizes of the first piece, but for the dimension that is cut.
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, pieces.front());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      strides(type.getRank(), builder.getIndexAttr(1)), ends(1);
  AffineExpr sum = builder.getAffineDimExpr(0) + builder.getAffineDimExpr(1);
  OpFoldResult end = builder.getIndexAttr(0);
  for (Value piece : pieces) {
    OpFoldResult size = tensor::getMixedSize(builder, loc, piece, dim);
    end = affine::makeComposedFoldedAffineApply(builder, loc, sum, {end, size});
    ends.push_back(end);
  }
  sizes[dim] = end;
  Value whole =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  ends.front() = builder.getIndexAttr(0);
  for (auto [i, piece] : llvm::enumerate(pieces)) {
    offsets[dim] = ends[i];
    sizes[dim] = tensor::getMixedSize(builder, loc, piece, dim);
    whole = tensor::InsertSliceOp::create(builder, loc, piece, whole, offsets,
                                          sizes, strides);
  }
  if (whole.getType() != type)
    whole = tensor::CastOp::create(builder, loc, type, whole);
  return whole;
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
  if (ShapedType::isDynamic(op.getSizes().numQueries))
    conditions.push_back(
        emitAtLeast(builder, op.getLoc(), op.getNumQueriesDim(), length));
  for (const KeyAxis &axis : op.getKeyAxes())
    if (ShapedType::isDynamic(axis.numKeys))
      conditions.push_back(
          emitAtLeast(builder, op.getLoc(), axis.length, length));
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
