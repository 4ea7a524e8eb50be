// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn.state_update, attn.state_apply, attn.state_step: verification and type
// inference.

#include "OpSupport.h"
#include "polyattn/Approximation/ExpPolynomial.h"
#include "polyattn/Approximation/Monomials.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

std::optional<unsigned> polyattn::attn::getStateDegree(RankedTensorType state,
                                                       int64_t headDim) {
  int64_t rank = state.getShape().back();
  if (ShapedType::isDynamic(rank) || headDim < 1)
    return std::nullopt;
  for (unsigned degree = 1; degree <= MaxDegree; ++degree) {
    uint64_t count = monomialCount(uint64_t(headDim), degree);
    if (count >= uint64_t(rank))
      return count == uint64_t(rank) ? std::optional(degree) : std::nullopt;
  }
  return std::nullopt;
}

/// What tells of a rank that is none.
static std::string possibleRanks(int64_t headDim) {
  std::string text;
  for (unsigned degree = 1; degree <= 4; ++degree)
    text += (degree > 1 ? ", " : "") +
            llvm::utostr(monomialCount(uint64_t(headDim), degree));
  return "degree 1, 2, 3, 4 have " + text;
}

/// A state's last dimensions are known, and fit the head dimension and batch
/// dimensions of `rows`, [B..., h, n, d].
static LogicalResult verifyState(Operation *op, RankedTensorType state,
                                 RankedTensorType rows) {
  if (rows.getRank() < 2 || state.getRank() != rows.getRank())
    return op->emitOpError("a state has rank ")
           << state.getRank() << " but query or key has rank " << rows.getRank()
           << "; both need the same batch dimensions";
  int64_t headDim = rows.getShape().back(), rank = state.getShape().back();
  int64_t columns = state.getDimSize(state.getRank() - 2);
  if (ShapedType::isDynamic(rank) || ShapedType::isDynamic(columns))
    return op->emitOpError("a state must have static last dimensions [e + 1, "
                           "r], found ")
           << state;
  if (ShapedType::isDynamic(headDim))
    return op->emitOpError("needs a static head dimension, found ") << rows;
  if (columns < 2)
    return op->emitOpError("a state has a row for each value column and one "
                           "for the sum of weights, at least 2; found ")
           << columns;
  std::optional<unsigned> degree = getStateDegree(state, headDim);
  if (!degree)
    return op->emitOpError("a state of ")
           << rank << " features fits no degree at head dimension " << headDim
           << ": " << possibleRanks(headDim);
  if (uint64_t(rank) > MonomialSpace::MaxTableEntries / *degree)
    return op->emitOpError("a state of ")
           << rank << " features of degree " << *degree
           << " is too large; there may be "
           << MonomialSpace::MaxTableEntries / *degree;
  if (rows.getElementType().isF64() && !state.getElementType().isF64())
    return op->emitOpError("f64 inputs need a state of f64, found ")
           << state.getElementType();
  return success();
}

/// A set of keys with its state: the same batch dimensions, a row of the state
/// for each column of the values.
static LogicalResult verifySet(Operation *op, RankedTensorType state,
                               RankedTensorType key, RankedTensorType value,
                               Value weights) {
  if (failed(verifyState(op, state, key)) ||
      failed(verifyValue(op, key, value)) ||
      failed(verifyKeyWeights(op, weights, key)))
    return failure();
  for (int64_t i = 0; i + 2 < key.getRank(); ++i)
    if (!mayEqual(state.getDimSize(i), key.getDimSize(i)))
      return op->emitOpError("batch dimension ")
             << i << " of a state is " << state.getDimSize(i)
             << " but of key is " << key.getDimSize(i);
  int64_t columns = state.getDimSize(state.getRank() - 2) - 1;
  if (ShapedType::isDynamic(value.getShape().back()))
    return op->emitOpError("needs a static number of value columns, found ")
           << value;
  if (value.getShape().back() != columns)
    return op->emitOpError("a state for ")
           << columns << " value columns meets values of "
           << value.getShape().back();
  return success();
}

LogicalResult StateUpdateOp::verify() {
  return verifySet(*this, getState().getType(), getKey().getType(),
                   getValue().getType(), getKeyWeights());
}

/// What queries ask of the states that they read.
template <typename OpT> static LogicalResult verifyReading(OpT op) {
  OperandRange states = op.getStates();
  RankedTensorType query = op.getQuery().getType();
  if (states.empty() || states.size() > largestOrder)
    return op.emitOpError("reads ")
           << states.size() << " states; it needs 1 to " << largestOrder;
  RankedTensorType first = typeOf(states[0]);
  for (Value state : states)
    if (state.getType() != first)
      return op.emitOpError("reads states of different types ")
             << first << " and " << state.getType();
  if (failed(verifyState(op, first, query)) ||
      failed(verifyHeads(op, query, first)) ||
      failed(verifyScale(op, op.getScale())))
    return failure();
  auto coefficients = op.getKernel().getPolynomial();
  unsigned degree = *getStateDegree(first, query.getShape().back());
  if (!coefficients)
    return op.emitOpError("needs a polynomial kernel, such as poly<[1.0, 1.0, "
                          "0.5]>: a state knows of no other");
  if (coefficients->size() > degree + 1)
    return op.emitOpError("kernel has degree ")
           << coefficients->size() - 1 << " but the states have monomials of "
           << "degree at most " << degree;
  return success();
}

LogicalResult StateApplyOp::verify() { return verifyReading(*this); }

LogicalResult StateStepOp::verify() {
  if (failed(verifyReading(*this)))
    return failure();
  size_t order = getStates().size();
  auto countsAre = [&](size_t count, StringRef what) -> LogicalResult {
    if (count == order)
      return success();
    return emitOpError("has ")
           << order << " states but " << count << " sets of " << what;
  };
  if (failed(countsAre(getKeys().size(), "keys")) ||
      failed(countsAre(getValues().size(), "values")) ||
      (!getKeyWeights().empty() &&
       failed(countsAre(getKeyWeights().size(), "key_weights"))))
    return failure();
  RankedTensorType query = getQuery().getType();
  for (size_t t = 0; t < order; ++t) {
    RankedTensorType key = typeOf(getKeys()[t]);
    Value weights = getKeyWeights().empty() ? Value() : getKeyWeights()[t];
    if (failed(verifyQueryKey(*this, query, key)) ||
        failed(verifySet(*this, typeOf(getStates()[t]), key,
                         typeOf(getValues()[t]), weights)))
      return failure();
    int64_t dim = query.getRank() - 2;
    if (!mayEqual(query.getDimSize(dim), key.getDimSize(dim)))
      return emitOpError("has ")
             << query.getDimSize(dim) << " queries but " << key.getDimSize(dim)
             << " keys; a step brings one key of each set with each query";
  }
  return success();
}

/// As many columns as the states are for.
template <typename OpT>
static LogicalResult inferOutput(std::optional<Location> loc,
                                 typename OpT::Adaptor adaptor,
                                 SmallVectorImpl<Type> &inferred) {
  auto query = dyn_cast<RankedTensorType>(adaptor.getQuery().getType());
  auto state =
      adaptor.getStates().empty()
          ? RankedTensorType()
          : dyn_cast<RankedTensorType>(adaptor.getStates()[0].getType());
  if (!query || !state || query.getRank() < 2 ||
      state.getRank() != query.getRank())
    return emitOptionalError(loc, "'", OpT::getOperationName(),
                             "' op needs a query [B..., h, n, d] and states "
                             "[B..., h, e + 1, r] of the same rank");
  SmallVector<int64_t> shape(query.getShape());
  int64_t columns = state.getDimSize(state.getRank() - 2);
  shape.back() = ShapedType::isDynamic(columns)
                     ? columns
                     : std::max<int64_t>(0, columns - 1);
  inferred.push_back(RankedTensorType::get(shape, query.getElementType()));
  return success();
}

LogicalResult StateApplyOp::inferReturnTypes(MLIRContext *,
                                             std::optional<Location> loc,
                                             StateApplyOp::Adaptor adaptor,
                                             SmallVectorImpl<Type> &inferred) {
  return inferOutput<StateApplyOp>(loc, adaptor, inferred);
}

LogicalResult StateStepOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            StateStepOp::Adaptor adaptor,
                                            SmallVectorImpl<Type> &inferred) {
  if (failed(inferOutput<StateStepOp>(loc, adaptor, inferred)))
    return failure();
  llvm::append_range(inferred, adaptor.getStates().getTypes());
  return success();
}
