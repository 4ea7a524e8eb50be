// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "ShapeChecks.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "polyattn/Conversion/Passes.h"

using namespace mlir;
using namespace polyattn::attn;

namespace {

/// Checks on dimensions of named tensors.
struct Checker {
  OpBuilder &b;
  Location loc;

  struct Tensor {
    Value value;
    StringRef name;
  };

  Value dim(Tensor t, int64_t i) {
    return b.createOrFold<tensor::DimOp>(loc, t.value, i);
  }
  static int64_t size(Tensor t, int64_t i) {
    return cast<RankedTensorType>(t.value.getType()).getDimSize(i);
  }
  static std::string describe(Tensor t, int64_t i) {
    return ("dimension " + Twine(i) + " of " + t.name).str();
  }
  static bool known(Tensor l, int64_t i, Tensor r, int64_t j) {
    return !ShapedType::isDynamic(size(l, i)) &&
           !ShapedType::isDynamic(size(r, j));
  }
  void require(Value condition, const Twine &message) {
    cf::AssertOp::create(b, loc, condition, ("attn: " + message).str());
  }
  Value is(arith::CmpIPredicate p, Value l, Value r) {
    return arith::CmpIOp::create(b, loc, p, l, r);
  }
  Value constant(int64_t c) {
    return arith::ConstantIndexOp::create(b, loc, c);
  }

  void equal(Tensor l, int64_t i, Tensor r, int64_t j) {
    if (!known(l, i, r, j))
      require(is(arith::CmpIPredicate::eq, dim(l, i), dim(r, j)),
              describe(l, i) + " must equal " + describe(r, j));
  }

  /// Equal, or 1 and repeated.
  void broadcasts(Tensor l, int64_t i, Tensor r, int64_t j) {
    if (known(l, i, r, j) || size(l, i) == 1)
      return;
    Value one = is(arith::CmpIPredicate::eq, dim(l, i), constant(1));
    Value same = is(arith::CmpIPredicate::eq, dim(l, i), dim(r, j));
    require(arith::OrIOp::create(b, loc, one, same),
            describe(l, i) + " must be 1 or equal " + describe(r, j));
  }

  void keyWeights(Value weights, Tensor key) {
    int64_t rank = cast<RankedTensorType>(key.value.getType()).getRank();
    if (!weights)
      return;
    for (int64_t i = 0; i + 2 < rank; ++i)
      broadcasts({weights, "key_weights"}, i, key, i);
    equal({weights, "key_weights"}, rank - 2, key, rank - 2);
  }

  void queryAndKey(Tensor query, Tensor key) {
    int64_t rank = cast<RankedTensorType>(query.value.getType()).getRank();
    equal(query, rank - 1, key, rank - 1);
    batchDims(query, key);
  }

  /// Batch dimensions agree; heads of query are a multiple of those of key.
  void batchDims(Tensor query, Tensor key) {
    int64_t heads = cast<RankedTensorType>(query.value.getType()).getRank() - 3;
    for (int64_t i = 0; i < heads; ++i)
      equal(query, i, key, i);
    if (heads < 0 || known(query, heads, key, heads))
      return;
    Value hq = dim(query, heads), hk = dim(key, heads);
    Value some = arith::MaxSIOp::create(b, loc, hk, constant(1));
    Value multiple = arith::MulIOp::create(
        b, loc, arith::DivUIOp::create(b, loc, hq, some), hk);
    require(is(arith::CmpIPredicate::eq, multiple, hq),
            describe(query, heads) + " must be a multiple of " +
                describe(key, heads));
  }

  void bias(Value bias, Tensor query, Tensor key) {
    int64_t rank = cast<RankedTensorType>(query.value.getType()).getRank();
    for (int64_t i = 0; bias && i < rank; ++i)
      broadcasts({bias, "bias"}, i, i + 1 < rank ? query : key,
                 i + 1 < rank ? i : rank - 2);
  }

  /// One for each of the query's rows.
  void statistics(Value normalizer, Tensor query) {
    int64_t rank = cast<RankedTensorType>(normalizer.getType()).getRank();
    for (int64_t i = 0; i < rank; ++i)
      equal({normalizer, "normalizer"}, i, query, i);
  }

  /// Of the shape of the attention's output.
  void output(Tensor output, Tensor query, Tensor value) {
    int64_t rank = cast<RankedTensorType>(query.value.getType()).getRank();
    for (int64_t i = 0; i < rank; ++i)
      equal(output, i, i + 1 < rank ? query : value, i);
  }

  /// The result may claim to know more than the operands.
  void claim(RankedTensorType type, int64_t i, Tensor from) {
    int64_t claimed = type.getDimSize(i);
    if (ShapedType::isDynamic(claimed) || !ShapedType::isDynamic(size(from, i)))
      return;
    Value same = is(arith::CmpIPredicate::eq, dim(from, i), constant(claimed));
    require(same, describe(from, i) + " must be " + Twine(claimed) +
                      ", as the result says");
  }
  void result(RankedTensorType type, Tensor query, Tensor value) {
    int64_t rank = type.getRank();
    for (int64_t i = 0; i < rank; ++i)
      claim(type, i, i + 1 < rank ? query : value);
  }
  void rows(RankedTensorType type, Tensor query) {
    for (int64_t i = 0; i < type.getRank(); ++i)
      claim(type, i, query);
  }

  void valueForEachKey(Tensor value, Tensor key) {
    int64_t rank = cast<RankedTensorType>(key.value.getType()).getRank();
    for (int64_t i = 0; i + 1 < rank; ++i)
      equal(value, i, key, i);
  }

  /// A set of keys and values with the state that they go into.
  void keysOfState(Tensor state, Tensor key, Tensor value, Value weights) {
    int64_t rank = cast<RankedTensorType>(state.value.getType()).getRank();
    valueForEachKey(value, key);
    keyWeights(weights, key);
    for (int64_t i = 0; i + 2 < rank; ++i)
      equal(state, i, key, i);
  }

  /// The matrices of a LoRA op fit each other.
  template <typename OpT> void loraMatrices(OpT op, bool several) {
    LoraLayout layout{op.getTransposed()};
    Tensor weight{op.getWeight(), "weight"}, a{op.getA(), "a"},
        b{op.getB(), "b"};
    int64_t first = several ? 1 : 0;
    if (several)
      equal(a, 0, b, 0);
    equal(a, first + layout.in(), weight, layout.in());
    equal(b, first + layout.out(), weight, layout.out());
    equal(a, first + layout.out(), b, first + layout.in());
  }

  /// Every row's adapter is one of those in `a`, or negative.
  void adapterOfRows(Value adapters, Tensor x, Value a) {
    if (!adapters)
      return;
    int64_t rank = cast<RankedTensorType>(adapters.getType()).getRank();
    for (int64_t i = 0; i < rank; ++i)
      equal({adapters, "adapters"}, i, x, i);
    Value largest = arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                               largestOf(adapters));
    require(is(arith::CmpIPredicate::slt, largest, dim({a, "a"}, 0)),
            "an entry of adapters is not below their number, dimension 0 of a");
  }

  /// The largest entry, or -1 if none is larger.
  Value largestOf(Value integers) {
    auto type = cast<RankedTensorType>(integers.getType());
    Type element = type.getElementType();
    Value least =
        arith::ConstantOp::create(b, loc, b.getIntegerAttr(element, -1));
    Value empty = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>(), element);
    Value start = linalg::FillOp::create(b, loc, least, empty).getResult(0);
    SmallVector<AffineMap> maps = {
        b.getMultiDimIdentityMap(type.getRank()),
        AffineMap::get(type.getRank(), 0, b.getContext())};
    SmallVector<utils::IteratorType> kinds(type.getRank(),
                                           utils::IteratorType::reduction);
    auto op = linalg::GenericOp::create(
        b, loc, start.getType(), integers, start, maps, kinds,
        [](OpBuilder &b, Location loc, ValueRange args) {
          Value larger = arith::MaxSIOp::create(b, loc, args[0], args[1]);
          linalg::YieldOp::create(b, loc, larger);
        });
    return tensor::ExtractOp::create(b, loc, op.getResult(0), ValueRange());
  }

  void statesAlike(Tensor query, ValueRange states) {
    Tensor first{states.front(), "the first state"};
    batchDims(query, first);
    int64_t rank = cast<RankedTensorType>(query.value.getType()).getRank();
    for (Value other : states.drop_front())
      for (int64_t i = 0; i + 2 < rank; ++i)
        equal(first, i, {other, "state"}, i);
  }
};

} // namespace

void polyattn::attn::emitShapeChecks(OpBuilder &builder, AttentionOp op) {
  Checker check{builder, op.getLoc()};
  Checker::Tensor query{op.getQuery(), "query"}, key{op.getKey(), "key"},
      value{op.getValue(), "value"};
  check.queryAndKey(query, key);
  check.valueForEachKey(value, key);
  check.keyWeights(op.getKeyWeights(), key);
  check.bias(op.getBias(), query, key);
  check.result(op.getType(), query, value);
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, TensorAttentionOp op) {
  Checker check{builder, op.getLoc()};
  Checker::Tensor query{op.getQuery(), "query"};
  Checker::Tensor firstKey{op.getKeys()[0], "the first key"},
      firstValue{op.getValues()[0], "the first value"};
  int64_t rank = op.getQueryType().getRank();
  for (auto [t, keyOf, valueOf] :
       llvm::enumerate(op.getKeys(), op.getValues())) {
    Checker::Tensor key{keyOf, "key"}, value{valueOf, "value"};
    check.queryAndKey(query, key);
    check.valueForEachKey(value, key);
    check.equal(firstValue, rank - 1, value, rank - 1);
    for (int64_t i = 0; i + 2 < rank; ++i)
      check.equal(firstKey, i, key, i);
    if (!op.getKeyWeights().empty())
      check.keyWeights(op.getKeyWeights()[t], key);
  }
  check.result(op.getType(), query, firstValue);
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, CheckBoundOp op) {
  Checker check{builder, op.getLoc()};
  for (Value key : op.getAllKeys())
    check.queryAndKey({op.getQuery(), "query"}, {key, "key"});
  check.keyWeights(op.getKeyWeights(), {op.getKey(), "key"});
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, CenterKeysOp op) {
  Checker{builder, op.getLoc()}.keyWeights(op.getKeyWeights(),
                                           {op.getKey(), "key"});
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, RecordOp op) {
  Checker check{builder, op.getLoc()};
  Checker::Tensor key{op.getKey(), "key"};
  check.queryAndKey({op.getQuery(), "query"}, key);
  check.valueForEachKey({op.getValue(), "value"}, key);
  check.keyWeights(op.getKeyWeights(), key);
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, StateUpdateOp op) {
  Checker{builder, op.getLoc()}.keysOfState(
      {op.getState(), "state"}, {op.getKey(), "key"}, {op.getValue(), "value"},
      op.getKeyWeights());
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, StateApplyOp op) {
  Checker{builder, op.getLoc()}.statesAlike({op.getQuery(), "query"},
                                            op.getStates());
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, StateStepOp op) {
  Checker check{builder, op.getLoc()};
  Checker::Tensor query{op.getQuery(), "query"};
  check.statesAlike(query, op.getStates());
  int64_t length = op.getQuery().getType().getRank() - 2;
  for (auto [t, state, keyOf, valueOf] :
       llvm::enumerate(op.getStates(), op.getKeys(), op.getValues())) {
    Checker::Tensor key{keyOf, "key"};
    check.keysOfState({state, "state"}, key, {valueOf, "value"},
                      op.getKeyWeights().empty() ? Value()
                                                 : op.getKeyWeights()[t]);
    check.equal(query, length, key, length);
  }
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, NormalizerOp op) {
  Checker check{builder, op.getLoc()};
  Checker::Tensor query{op.getQuery(), "query"}, key{op.getKey(), "key"};
  check.queryAndKey(query, key);
  check.keyWeights(op.getKeyWeights(), key);
  check.bias(op.getBias(), query, key);
  check.rows(op.getSums().getType(), query);
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, AttentionGradOp op) {
  Checker check{builder, op.getLoc()};
  Checker::Tensor query{op.getQuery(), "query"}, key{op.getKey(), "key"},
      value{op.getValue(), "value"};
  check.queryAndKey(query, key);
  check.valueForEachKey(value, key);
  check.keyWeights(op.getKeyWeights(), key);
  check.bias(op.getBias(), query, key);
  check.statistics(op.getNormalizer(), query);
  check.output({op.getOutput(), "output"}, query, value);
  check.output({op.getGradOutput(), "grad_output"}, query, value);
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, LoraLinearOp op) {
  Checker check{builder, op.getLoc()};
  LoraLayout layout{op.getTransposed()};
  Checker::Tensor x{op.getX(), "x"}, weight{op.getWeight(), "weight"};
  check.loraMatrices(op, bool(op.getAdapters()));
  check.equal(x, op.getX().getType().getRank() - 1, weight, layout.in());
  if (op.getBias())
    check.equal({op.getBias(), "bias"}, 0, weight, layout.out());
  check.adapterOfRows(op.getAdapters(), x, op.getA());
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, LoraMergeOp op) {
  Checker{builder, op.getLoc()}.loraMatrices(op, false);
}

void polyattn::attn::emitShapeChecks(OpBuilder &builder, LoraLinearGradOp op) {
  Checker check{builder, op.getLoc()};
  LoraLayout layout{op.getTransposed()};
  Checker::Tensor x{op.getX(), "x"}, dy{op.getDy(), "dy"},
      weight{op.getWeight(), "weight"};
  int64_t last = op.getX().getType().getRank() - 1;
  check.loraMatrices(op, bool(op.getAdapters()));
  check.equal(x, last, weight, layout.in());
  check.equal(dy, last, weight, layout.out());
  for (int64_t i = 0; i < last; ++i)
    check.equal(dy, i, x, i);
  check.adapterOfRows(op.getAdapters(), x, op.getA());
}

void polyattn::attn::emitAdapterCheck(OpBuilder &builder, Operation *op) {
  Checker check{builder, op->getLoc()};
  auto emit = [&](auto lora) {
    check.adapterOfRows(lora.getAdapters(), {lora.getX(), "x"}, lora.getA());
  };
  if (auto linear = dyn_cast<LoraLinearOp>(op))
    emit(linear);
  if (auto grad = dyn_cast<LoraLinearGradOp>(op))
    emit(grad);
}
