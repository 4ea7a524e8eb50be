// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "AttentionBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

bool AttentionBuilder::failAt(Location loc, const Twine &text) {
  if (!miss)
    miss = {loc, text.str()};
  return false;
}

bool AttentionBuilder::fail(const Twine &text) { return failAt(loc, text); }

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

bool AttentionBuilder::checkTypes() {
  type = nullptr;
  auto widen = [&](Type candidate) {
    auto other = dyn_cast<FloatType>(candidate);
    if (!other)
      return false;
    if (type && type != other && type.getWidth() == other.getWidth())
      type = Float32Type::get(b.getContext());
    else if (!type || other.getWidth() > type.getWidth())
      type = other;
    return true;
  };
  bool known =
      llvm::all_of(operandExprs(), [&](Expr *e) { return widen(e->type); });
  for (const BiasTerm &term : match.biases)
    known &= widen(n.throughViews(term.e)->type);
  if (!known || !(type.isF32() || type.isF16() || type.isBF16()))
    return fail("elements are neither f32, f16 nor bf16");
  if (options.reassociate)
    return true;
  if (match.sets.size() > 1)
    return fail("attn.tensor_attention multiplies in an order of its own, and "
                "reassociate=false forbids that");
  if (!match.dividesLate)
    return fail("weights are divided by their sum before the second product, "
                "and reassociate=false forbids to move that");
  if (!match.scalesScores || !match.factors.empty())
    return fail("queries or keys are scaled before their product, and "
                "reassociate=false forbids to move that");
  return true;
}

/// Rounding in between that the op does not do is only left out where it is no
/// coarser than the op's own type.
bool AttentionBuilder::checkRounding() {
  for (Type rounded : n.roundedTo)
    if (cast<FloatType>(rounded).getFPMantissaWidth() <
        type.getFPMantissaWidth())
      return fail(
          "scores or weights are rounded to a narrower type than that of "
          "queries, keys and values");
  return true;
}

static bool isUnused(Operation *op) {
  return op->getNumResults() && op->use_empty() && isMemoryEffectFree(op);
}

/// What stands between the products is not computed any more, so nobody else
/// may want it.
bool AttentionBuilder::checkUsers() {
  SmallVector<Operation *> work{match.firstProduct};
  llvm::SmallPtrSet<Operation *, 32> seen{match.firstProduct};
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    for (Operation *inner : op->getUsers()) {
      // The body of a structured op may read a whole tensor. A use in another
      // block has no ancestor here.
      Operation *user = op->getBlock()->findAncestorOpInBlock(*inner);
      if (!user)
        user = inner;
      if (user == root || isUnused(user) || isa<tensor::DimOp>(user) ||
          !seen.insert(user).second)
        continue;
      if (!n.opened.contains(user))
        return failAt(user->getLoc(), "scores or weights are also used by " +
                                          user->getName().getStringRef() +
                                          " and so have to be computed anyway");
      work.push_back(user);
    }
  }
  // Nor may what becomes an operand come from the scores.
  SmallVector<Expr *> leaves;
  for (Expr *e : operandExprs())
    layout.collectLeaves(e, leaves);
  for (const MaskTerm &term : match.masks)
    layout.collectLeaves(term.condition, leaves);
  for (const BiasTerm &term : match.biases)
    layout.collectLeaves(term.e, leaves);
  for (const Factor &factor : match.factors)
    layout.collectLeaves(factor.e, leaves);
  for (Expr *leaf : leaves)
    if (seen.contains(leaf->tensor.getDefiningOp()))
      return failAt(leaf->loc, "scores are also used for a mask, a bias or a "
                               "factor and so have to be computed anyway");
  return true;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value AttentionBuilder::operand(Expr *e, ArrayRef<Axis> axes) {
  if (e->kind == Expr::Kind::Access && !e->indices.empty())
    if (Value tensor = layout.tensorOf(e, axes, /*repeatAll=*/true))
      return layout.convert(tensor, type);
  return layout.compute(
      e, axes, type,
      [&](OpBuilder &b, ValueRange values) {
        return Layout::convert(b, loc, values[0], type);
      },
      /*repeatAll=*/true);
}

/// number * e * factors, in f32.
static Value emitTerm(OpBuilder &b, Location loc, double number,
                      ArrayRef<Factor> factors, ValueRange values) {
  Type real = b.getF32Type();
  Value result = Layout::convert(b, loc, values[0], real);
  for (auto [factor, value] : llvm::zip_equal(factors, values.drop_front())) {
    Value by = Layout::convert(b, loc, value, real);
    if (factor.isInverse)
      result = arith::DivFOp::create(b, loc, result, by);
    else
      result = arith::MulFOp::create(b, loc, result, by);
  }
  if (number == 1)
    return result;
  Value by = arith::ConstantOp::create(b, loc, b.getFloatAttr(real, number));
  return arith::MulFOp::create(b, loc, result, by);
}

Value AttentionBuilder::queryOperand() {
  SmallVector<Axis> axes = queryAxes();
  axes.push_back(row);
  axes.push_back(dims);
  if (match.factors.empty())
    return operand(match.query, axes);
  SmallVector<Expr *> es{match.query};
  for (const Factor &factor : match.factors)
    es.push_back(factor.e);
  return layout.compute(
      es, axes, type,
      [&](OpBuilder &b, ValueRange values) {
        Value scaled = emitTerm(b, loc, 1, match.factors, values);
        return Layout::convert(b, loc, scaled, type);
      },
      /*repeatAll=*/true);
}

static Value emitAdmits(OpBuilder &b, Location loc, ArrayRef<MaskTerm> masks,
                        ValueRange conditions) {
  Value admits;
  for (auto [term, condition] : llvm::zip(masks, conditions)) {
    Value one = condition;
    if (!term.admits) {
      Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
      one = arith::XOrIOp::create(b, loc, condition, yes);
    }
    admits = admits ? Value(arith::AndIOp::create(b, loc, admits, one)) : one;
  }
  return admits;
}

/// Keys that some mask hides weigh 0. Masks that cannot be brought into the
/// shape of weights are left for the bias.
Value AttentionBuilder::weightsOperand(size_t set) {
  auto isWeight = [&](const MaskTerm &term) { return isKeyWeight(term, set); };
  SmallVector<MaskTerm> masks;
  llvm::copy_if(match.masks, std::back_inserter(masks), isWeight);
  if (masks.empty())
    return {};
  SmallVector<Expr *> es;
  for (const MaskTerm &term : masks)
    es.push_back(term.condition);
  Value weights = layout.compute(
      es, weightAxes(set), type, [&](OpBuilder &b, ValueRange values) -> Value {
        auto number = [&](double x) -> Value {
          return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, x));
        };
        return arith::SelectOp::create(
            b, loc, emitAdmits(b, loc, masks, values), number(1), number(0));
      });
  if (weights)
    llvm::erase_if(match.masks, isWeight);
  return weights;
}

/// The sum of all biases, and a hugely negative number where a mask hides keys.
Value AttentionBuilder::biasOperand() {
  if (match.biases.empty() && match.masks.empty())
    return {};
  SmallVector<Axis> axes = biasAxes();
  if (match.masks.empty() && match.biases.size() == 1 &&
      match.biases[0].number == 1 && match.biases[0].factors.empty())
    for (Expr *view : viewsOf(match.biases[0].e))
      if (view->kind == Expr::Kind::Access && !view->indices.empty())
        if (Value tensor = layout.tensorOf(view, axes))
          return layout.convert(tensor, type);
  SmallVector<Expr *> es;
  for (const MaskTerm &term : match.masks)
    es.push_back(term.condition);
  for (const BiasTerm &term : match.biases) {
    es.push_back(term.e);
    for (const Factor &factor : term.factors)
      es.push_back(factor.e);
  }
  auto finish = [&](OpBuilder &b, ValueRange values) -> Value {
    Value sum;
    size_t at = match.masks.size();
    for (const BiasTerm &term : match.biases) {
      size_t count = 1 + term.factors.size();
      Value one =
          emitTerm(b, loc, term.number, term.factors, values.slice(at, count));
      sum = sum ? Value(arith::AddFOp::create(b, loc, sum, one)) : one;
      at += count;
    }
    auto number = [&](double x) -> Value {
      return arith::ConstantOp::create(b, loc,
                                       b.getFloatAttr(b.getF32Type(), x));
    };
    if (!sum)
      sum = number(0);
    for (auto [k, term] : llvm::enumerate(match.masks)) {
      // Such that scores vanish beside it: every key of a row without keys
      // then weighs the same, as in the program.
      double fill =
          std::isinf(term.fill) || match.guardsFills ? -INFINITY : -3.0e38;
      Value admits = emitAdmits(b, loc, term, values[k]);
      sum = arith::SelectOp::create(b, loc, admits, sum, number(fill));
    }
    return Layout::convert(b, loc, sum, type);
  };
  return layout.compute(es, axes, type, finish);
}

/// The result of the op, in the shape of what it replaces.
Value AttentionBuilder::inRootShape(Value output) {
  Indices indices;
  for (const Axis &axis : outputAxes()) {
    Index index;
    int64_t stride = 1;
    for (Atom atom : llvm::reverse(axis)) {
      index.digits.push_back({atom, stride});
      stride *= n.atoms.extent(atom);
    }
    indices.push_back(index);
  }
  Expr *access = n.access(output, indices, loc);
  layout.addSizes(access);
  SmallVector<Axis> target;
  for (Atom atom : match.outputAtoms)
    target.push_back({atom});
  Value result = layout.tensorOf(access, target, /*repeatAll=*/true);
  if (!result)
    return {};
  auto wanted = cast<RankedTensorType>(root->getResult(0).getType());
  result = layout.convert(result, wanted.getElementType());
  if (result.getType() != wanted)
    result = tensor::CastOp::create(b, loc, wanted, result);
  return result;
}

/// Rows whose scores are all -inf are NaN without a guard; they may be so also
/// by what queries and keys hold.
UnitAttr AttentionBuilder::nanRows() {
  return match.isGuarded ? UnitAttr() : b.getUnitAttr();
}

/// One set of keys.
bool AttentionBuilder::buildSingle(Value query, Value key, Value value) {
  Value weights = weightsOperand(0);
  bool wantsBias = !match.biases.empty() || !match.masks.empty();
  Value bias = biasOperand();
  if (wantsBias && !bias)
    return fail("the layout of a bias is no reshape and transpose of a tensor");
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(query.getType()).getShape());
  shape.back() = cast<RankedTensorType>(value.getType()).getShape().back();
  op = AttentionOp::create(
      b, loc, RankedTensorType::get(shape, type), query, key, value, bias,
      weights, b.getF64FloatAttr(match.scale),
      ExpKernelAttr::get(b.getContext()), masks[0], BoundAttr(), ArrayAttr(),
      CertificateAttr(), EvaluationAttr(), nanRows());
  return true;
}

Value AttentionBuilder::build() {
  if (!classify())
    return {};
  bool isSingle = match.sets.size() == 1;
  masks.assign(match.sets.size(), FullMaskAttr::get(b.getContext()));
  if (isSingle)
    resolveMasks();
  else if (!resolveSetMasks())
    return {};
  if (!checkTypes() || !checkFills() || !checkRounding() || !checkUsers() ||
      !checkUnderflow())
    return {};
  if (!(std::fabs(match.scale) < 1e30) || match.scale == 0)
    return fail("the scale is 0, or no ordinary number"), Value();
  for (Expr *e : operandExprs())
    layout.addSizes(e);
  Value query = queryOperand();
  SmallVector<Value> keyOperands, valueOperands;
  for (auto [set, axis] : llvm::zip_equal(match.sets, keys)) {
    SmallVector<Axis> axes = keyAxes();
    axes.push_back(axis);
    axes.push_back(dims);
    keyOperands.push_back(operand(set.key, axes));
    axes.back() = columns;
    valueOperands.push_back(operand(set.value, axes));
  }
  if (!query || llvm::is_contained(keyOperands, Value()) ||
      llvm::is_contained(valueOperands, Value()))
    return fail("the layout of queries, keys or values is no reshape and "
                "transpose of a tensor"),
           Value();
  bool isBuilt = isSingle ? buildSingle(query, keyOperands[0], valueOperands[0])
                          : buildTensor(query, keyOperands, valueOperands);
  if (!isBuilt)
    return {};
  Value result = inRootShape(op->getResult(0));
  if (!result)
    fail("the layout of the output is no reshape and transpose of a tensor");
  return result;
}
