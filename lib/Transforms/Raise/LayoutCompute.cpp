// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Tensors that are computed from an expression by a linalg.generic.

#include "Layout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace polyattn::attn;

void Layout::collectLeaves(Expr *e, SmallVectorImpl<Expr *> &leaves) {
  if (e->kind == Expr::Kind::Access && !llvm::is_contained(leaves, e))
    leaves.push_back(e);
  for (Expr *operand : e->operands)
    collectLeaves(operand, leaves);
}

/// An index of the program from the loops over axes.
Value Layout::position(OpBuilder &b, const Index &unresolved,
                       ArrayRef<Axis> axes, Type type) {
  Index index = n.atoms.resolve(unresolved);
  Value sum = arith::ConstantIndexOp::create(b, loc, index.offset);
  for (const Digit &digit : index.digits) {
    auto *axis = llvm::find_if(axes, [&](const Axis &axis) {
      return llvm::is_contained(partsOf(axis), digit.atom);
    });
    if (axis == axes.end())
      return {};
    Axis parts = partsOf(*axis);
    auto *place = llvm::find(parts, digit.atom);
    Value value = linalg::IndexOp::create(b, loc, axis - axes.begin());
    auto by = [&](int64_t number) -> Value {
      return arith::ConstantIndexOp::create(b, loc, number);
    };
    int64_t inner = 1;
    for (Atom atom : ArrayRef(place + 1, parts.end()))
      inner *= n.atoms.extent(atom);
    value = b.createOrFold<arith::DivUIOp>(loc, value, by(inner));
    if (place != parts.begin())
      value = b.createOrFold<arith::RemUIOp>(loc, value,
                                             by(n.atoms.extent(digit.atom)));
    value = b.createOrFold<arith::MulIOp>(loc, value, by(digit.stride));
    sum = b.createOrFold<arith::AddIOp>(loc, sum, value);
  }
  if (type.isIndex())
    return sum;
  return b.createOrFold<arith::IndexCastOp>(loc, type, sum);
}

Value Layout::scalar(OpBuilder &b, Expr *e, ArrayRef<Axis> axes,
                     const llvm::SmallDenseMap<Expr *, Value> &leaves) {
  if (e->kind == Expr::Kind::Access)
    return leaves.lookup(e);
  if (e->kind == Expr::Kind::Constant)
    return arith::ConstantOp::create(b, loc, cast<TypedAttr>(e->constant));
  if (e->kind == Expr::Kind::Position)
    return position(b, e->indices[0], axes, e->type);
  if (e->kind != Expr::Kind::Apply)
    return {};
  OperationState state(loc, e->op->getName());
  for (Expr *operand : e->operands) {
    Value value = scalar(b, operand, axes, leaves);
    if (!value)
      return {};
    state.addOperands(value);
  }
  state.addTypes(e->type);
  state.addAttributes(e->op->getAttrs());
  return b.create(state)->getResult(0);
}

/// Can the expression be computed from loops over these axes?
bool Layout::canCompute(const Expr *e, ArrayRef<Axis> axes) {
  if (e->kind == Expr::Kind::Access)
    return true;
  if (e->kind == Expr::Kind::Constant)
    return isa<TypedAttr>(e->constant);
  if (e->kind == Expr::Kind::Position)
    return llvm::all_of(
        n.atoms.resolve(e->indices[0]).digits, [&](const Digit &digit) {
          return llvm::any_of(axes, [&](const Axis &axis) {
            return llvm::is_contained(partsOf(axis), digit.atom);
          });
        });
  return e->kind == Expr::Kind::Apply &&
         llvm::all_of(e->operands,
                      [&](Expr *operand) { return canCompute(operand, axes); });
}

Value Layout::compute(ArrayRef<Expr *> es, ArrayRef<Axis> axes, Type type,
                      Finish finish, bool repeatAll) {
  SmallVector<Expr *> leaves;
  SmallVector<bool> isThere(axes.size(), repeatAll);
  for (Expr *e : es) {
    if (!canCompute(e, axes))
      return {};
    collectLeaves(e, leaves);
    for (auto [d, axis] : llvm::enumerate(axes))
      isThere[d] = isThere[d] || reads(e, axis);
  }
  MLIRContext *context = b.getContext();
  SmallVector<AffineMap> maps;
  SmallVector<Value> inputs;
  for (Expr *leaf : leaves) {
    SmallVector<AffineExpr> results;
    Value tensor = leaf->tensor;
    if (!leaf->indices.empty()) {
      tensor = tensorOf(leaf, axes);
      if (!tensor)
        return {};
    }
    for (auto [d, axis] : llvm::enumerate(axes)) {
      bool mentions = reads(leaf, axis);
      if (!leaf->indices.empty())
        results.push_back(mentions ? getAffineDimExpr(d, context)
                                   : getAffineConstantExpr(0, context));
    }
    maps.push_back(AffineMap::get(axes.size(), 0, results, context));
    inputs.push_back(tensor);
  }
  SmallVector<OpFoldResult> sizes;
  for (auto [axis, there] : llvm::zip_equal(axes, isThere)) {
    sizes.push_back(there ? product(partsOf(axis))
                          : OpFoldResult(b.getIndexAttr(1)));
    if (!sizes.back())
      return {};
  }
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type);
  maps.push_back(b.getMultiDimIdentityMap(axes.size()));
  SmallVector<utils::IteratorType> loops(axes.size(),
                                         utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      b, loc, empty.getType(), inputs, empty, maps, loops,
      [&](OpBuilder &b, Location, ValueRange args) {
        llvm::SmallDenseMap<Expr *, Value> values;
        for (auto [leaf, arg] : llvm::zip(leaves, args))
          values[leaf] = arg;
        SmallVector<Value> scalars;
        for (Expr *e : es)
          scalars.push_back(scalar(b, e, axes, values));
        linalg::YieldOp::create(b, loc, finish(b, scalars));
      });
  return op.getResult(0);
}

Value Layout::convert(OpBuilder &b, Location loc, Value scalar, Type type) {
  unsigned from = scalar.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (scalar.getType() == type)
    return scalar;
  if (from < to)
    return arith::ExtFOp::create(b, loc, type, scalar);
  if (from > to)
    return arith::TruncFOp::create(b, loc, type, scalar);
  // bf16 and f16: neither holds the other.
  Value wide = arith::ExtFOp::create(b, loc, b.getF32Type(), scalar);
  return arith::TruncFOp::create(b, loc, type, wide);
}

Value Layout::convert(Value tensor, Type type) {
  auto from = cast<RankedTensorType>(tensor.getType());
  if (from.getElementType() == type)
    return tensor;
  Value empty = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, tensor), type);
  AffineMap map = b.getMultiDimIdentityMap(from.getRank());
  SmallVector<utils::IteratorType> loops(from.getRank(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, loc, empty.getType(), tensor, empty, ArrayRef{map, map}, loops,
             [&](OpBuilder &b, Location, ValueRange args) {
               linalg::YieldOp::create(b, loc, convert(b, loc, args[0], type));
             })
      .getResult(0);
}
