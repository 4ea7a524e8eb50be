// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The reference lowerings of attn.state_update, attn.state_apply and
// attn.state_step: features from their table, sums as the formulas have them,
// steps token by token.

#include "Reference.h"
#include "ReferenceScores.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "polyattn/Approximation/Monomials.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

namespace {

/// A set of keys that goes into a state; weights may be null.
struct KeySet {
  Value key, value, weights;
};

/// Loops: the batch dimensions, a token, a row of the state, a feature.
struct StateReference : TensorLoops {
  StateReference(OpBuilder &b, Location loc, FloatType type,
                 RankedTensorType state, int64_t headDim)
      : TensorLoops{b, loc, type}, batch(firstDims(state.getRank() - 2)),
        token(batch.size()), column(token + 1), feature(token + 2),
        columns(state.getDimSize(state.getRank() - 2)),
        space(unsigned(headDim), *getStateDegree(state, headDim)) {}

  Value update(Value state, KeySet set);
  /// The columns of the result are those of values.
  template <typename OpT> Value apply(OpT op, Value query, ValueRange states);

private:
  Sizes sizesOf(Value tensor, ArrayRef<OpFoldResult> trailing) {
    Sizes sizes = tensor::getMixedSizes(b, loc, tensor);
    sizes.truncate(batch.size());
    sizes.append(trailing.begin(), trailing.end());
    return sizes;
  }
  OpFoldResult length(Value rows) {
    return tensor::getMixedSize(b, loc, rows, token);
  }
  /// Indices of the loops over batch and tokens, then `last`.
  SmallVector<Value> entry(OpBuilder &b, Value last) {
    SmallVector<Value> indices;
    for (unsigned dim : append(batch, {token}))
      indices.push_back(linalg::IndexOp::create(b, loc, dim));
    indices.push_back(last);
    return indices;
  }
  Value features(Value rows);
  Value withOnes(Value value);
  Value weighed(Value state, const std::vector<double> &coefficients,
                double scale);

  Dims batch;
  unsigned token, column, feature;
  int64_t columns;
  MonomialSpace space;
};

} // namespace

/// [B..., n, r]: the monomials of each row.
Value StateReference::features(Value rows) {
  int64_t rank = int64_t(space.rank()), degree = space.degree();
  auto type32 = RankedTensorType::get({rank, degree}, b.getI32Type());
  Value table = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type32, ArrayRef(space.factors())));
  Value ones = filled(sizesOf(rows, {length(rows), b.getIndexAttr(rank)}), 1);
  Dims out = append(batch, {token, column});
  return loops({}, {ones, out}, [&](OpBuilder &b, ValueRange args) -> Value {
    Value one = args[0], product = one;
    Value which = linalg::IndexOp::create(b, loc, column);
    for (int64_t t = 0; t < degree; ++t) {
      Value place = arith::ConstantIndexOp::create(b, loc, t);
      Value factor =
          tensor::ExtractOp::create(b, loc, table, ValueRange{which, place});
      factor = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), factor);
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      Value none =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, factor, zero);
      Value before = arith::SubIOp::create(
          b, loc, factor, arith::ConstantIndexOp::create(b, loc, 1));
      Value at = arith::SelectOp::create(b, loc, none, zero, before);
      Value x = tensor::ExtractOp::create(b, loc, rows, entry(b, at));
      x = arith::SelectOp::create(b, loc, none, one, convert(b, x, type));
      product = arith::MulFOp::create(b, loc, product, x);
    }
    return product;
  });
}

/// [B..., m, e + 1]: values and, for the sum of weights, ones.
Value StateReference::withOnes(Value value) {
  Value ones =
      filled(sizesOf(value, {length(value), b.getIndexAttr(columns)}), 1);
  Dims out = append(batch, {token, column});
  return loops({}, {ones, out}, [&](OpBuilder &b, ValueRange args) -> Value {
    Value c = linalg::IndexOp::create(b, loc, column);
    Value last = arith::ConstantIndexOp::create(b, loc, columns - 1);
    Value isOne =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, c, last);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value at = arith::SelectOp::create(b, loc, isOne, zero, c);
    Value x = tensor::ExtractOp::create(b, loc, value, entry(b, at));
    return arith::SelectOp::create(b, loc, isOne, args[0], convert(b, x, type));
  });
}

/// Keys of weight 0 are left out, whatever they hold.
Value StateReference::update(Value state, KeySet set) {
  SmallVector<Indexed> inputs{
      {features(set.key), append(batch, {token, feature})},
      {withOnes(set.value), append(batch, {token, column})}};
  if (set.weights) {
    Value weights = repeat(set.weights, sizesOf(set.key, {OpFoldResult()}));
    inputs.push_back({weights, append(batch, {token})});
  }
  Dims out = append(batch, {column, feature});
  Value zeros = filled(tensor::getMixedSizes(b, loc, state), 0);
  Value sums =
      loops(inputs, {zeros, out}, [&](OpBuilder &b, ValueRange args) -> Value {
        Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
        if (!set.weights)
          return arith::AddFOp::create(b, loc, args.back(), term);
        term = arith::MulFOp::create(b, loc, term, args[2]);
        Value counts = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                             args[2], real(b, 0));
        Value sum = arith::AddFOp::create(b, loc, args.back(), term);
        return arith::SelectOp::create(b, loc, counts, sum, args.back());
      });
  Dims all = firstDims(batch.size() + 2);
  return loops({{sums, all}}, {state, all},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 return arith::AddFOp::create(b, loc, args[0], args[1]);
               });
}

/// Every feature times its weight in the kernel.
Value StateReference::weighed(Value state,
                              const std::vector<double> &coefficients,
                              double scale) {
  SmallVector<Attribute> weights;
  for (double weight : space.weights(coefficients, scale))
    weights.push_back(b.getFloatAttr(type, weight));
  auto tableType = RankedTensorType::get({int64_t(weights.size())}, type);
  Value table = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(tableType, weights));
  Sizes sizes = tensor::getMixedSizes(b, loc, state);
  Dims all = firstDims(sizes.size());
  Value out = tensor::EmptyOp::create(b, loc, sizes, type);
  return loops({{state, all}, {table, {all.back()}}}, {out, all},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 return arith::MulFOp::create(b, loc, args[0], args[1]);
               });
}

template <typename OpT>
Value StateReference::apply(OpT op, Value query, ValueRange states) {
  Sizes heads(batch.size() + 2);
  if (!batch.empty())
    heads[batch.size() - 1] =
        tensor::getMixedSize(b, loc, query, batch.size() - 1);
  SmallVector<Indexed> inputs{
      {features(query), append(batch, {token, feature})}};
  for (auto [t, state] : llvm::enumerate(states)) {
    if (t == 0)
      state = weighed(state, op.getKernel().getPolynomial()->vec(),
                      op.getScale().convertToDouble());
    inputs.push_back({repeat(state, heads), append(batch, {column, feature})});
  }
  Value zeros =
      filled(sizesOf(query, {length(query), b.getIndexAttr(columns)}), 0);
  Value sums = loops(inputs, {zeros, append(batch, {token, column})},
                     [&](OpBuilder &b, ValueRange args) -> Value {
                       Value term = args[0];
                       for (Value factor : args.drop_front().drop_back())
                         term = arith::MulFOp::create(b, loc, term, factor);
                       return arith::AddFOp::create(b, loc, args.back(), term);
                     });
  Sizes sizes = tensor::getMixedSizes(b, loc, sums);
  Sizes offsets(sizes.size(), b.getIndexAttr(0)),
      strides(sizes.size(), b.getIndexAttr(1));
  sizes.back() = b.getIndexAttr(columns - 1);
  Value values =
      tensor::ExtractSliceOp::create(b, loc, sums, offsets, sizes, strides);
  FloatType element = elementType(query);
  if (op.getUnnormalised()) {
    Dims all = firstDims(sizes.size());
    Value out = tensor::EmptyOp::create(b, loc, sizes, element);
    return loops({{values, all}}, {out, all},
                 [&](OpBuilder &, ValueRange args) { return args[0]; });
  }
  offsets.back() = sizes.back();
  sizes.back() = b.getIndexAttr(1);
  auto full = cast<RankedTensorType>(sums.getType());
  auto rowType = RankedTensorType::get(full.getShape().drop_back(), type);
  Value totals = tensor::ExtractSliceOp::create(b, loc, rowType, sums, offsets,
                                                sizes, strides);
  return emitQuotients(*this, values, totals, element, /*nanRows=*/false);
}

/// Row `i` of dimension `dim`, as one row.
static Value sliceRow(OpBuilder &b, Location loc, Value tensor, int64_t dim,
                      Value i) {
  Sizes sizes = tensor::getMixedSizes(b, loc, tensor);
  Sizes offsets(sizes.size(), b.getIndexAttr(0)),
      strides(sizes.size(), b.getIndexAttr(1));
  offsets[dim] = i;
  sizes[dim] = b.getIndexAttr(1);
  return tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes,
                                        strides);
}

static int64_t headDimOf(Value rows) {
  return cast<RankedTensorType>(rows.getType()).getShape().back();
}

Value polyattn::attn::emitReference(OpBuilder &b, StateUpdateOp op,
                                    FloatType computeType) {
  return StateReference(b, op.getLoc(), computeType, op.getState().getType(),
                        headDimOf(op.getKey()))
      .update(op.getState(), {op.getKey(), op.getValue(), op.getKeyWeights()});
}

Value polyattn::attn::emitReference(OpBuilder &b, StateApplyOp op,
                                    FloatType computeType) {
  auto state = cast<RankedTensorType>(op.getStates()[0].getType());
  return StateReference(b, op.getLoc(), computeType, state,
                        headDimOf(op.getQuery()))
      .apply(op, op.getQuery(), op.getStates());
}

SmallVector<Value> polyattn::attn::emitReference(OpBuilder &b, StateStepOp op,
                                                 FloatType computeType) {
  Location loc = op.getLoc();
  StateReference reference(b, loc, computeType,
                           cast<RankedTensorType>(op.getStates()[0].getType()),
                           headDimOf(op.getQuery()));
  Sizes sizes = tensor::getMixedSizes(b, loc, op.getQuery());
  int64_t token = int64_t(sizes.size()) - 2;
  Value count = getValueOrCreateConstantIndexOp(b, loc, sizes[token]);
  sizes.back() = b.getIndexAttr(op.getOutput().getType().getShape().back());
  SmallVector<Value> carried = {
      tensor::EmptyOp::create(b, loc, sizes, elementType(op.getQuery()))};
  llvm::append_range(carried, op.getStates());
  Value zero = arith::ConstantIndexOp::create(b, loc, 0),
        one = arith::ConstantIndexOp::create(b, loc, 1);
  auto body = [&](OpBuilder &, Location, Value i, ValueRange carried) {
    SmallVector<Value> next = {Value()};
    for (auto [t, state] : llvm::enumerate(carried.drop_front())) {
      KeySet set{sliceRow(b, loc, op.getKeys()[t], token, i),
                 sliceRow(b, loc, op.getValues()[t], token, i), Value()};
      if (!op.getKeyWeights().empty())
        set.weights = sliceRow(b, loc, op.getKeyWeights()[t], token, i);
      next.push_back(reference.update(state, set));
    }
    Value row = reference.apply(op, sliceRow(b, loc, op.getQuery(), token, i),
                                ArrayRef(next).drop_front());
    Sizes offsets(sizes.size(), b.getIndexAttr(0)),
        strides(sizes.size(), b.getIndexAttr(1));
    offsets[token] = i;
    next[0] = tensor::InsertSliceOp::create(b, loc, row, carried[0], offsets,
                                            tensor::getMixedSizes(b, loc, row),
                                            strides);
    scf::YieldOp::create(b, loc, next);
  };
  auto loop = scf::ForOp::create(b, loc, zero, count, one, carried, body);
  return SmallVector<Value>(loop.getResults());
}
