// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "TensorLoops.h"

using namespace mlir;
using namespace polyattn::attn;

Value TensorLoops::convert(OpBuilder &b, Value value, Type to) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  if (value.getType() == to)
    return value;
  if (from < to.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, to, value);
  return arith::TruncFOp::create(b, loc, to, value);
}

Value TensorLoops::loops(ArrayRef<Indexed> inputs, Indexed out, Body body) {
  SmallVector<Indexed> operands(inputs);
  operands.push_back(out);
  unsigned numDims = 0;
  for (const Indexed &operand : operands)
    for (unsigned dim : operand.dims)
      numDims = std::max(numDims, dim + 1);

  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Indexed &operand : operands) {
    SmallVector<AffineExpr> exprs;
    for (unsigned dim : operand.dims)
      exprs.push_back(b.getAffineDimExpr(dim));
    maps.push_back(AffineMap::get(numDims, 0, exprs, b.getContext()));
    tensors.push_back(operand.tensor);
  }
  SmallVector<utils::IteratorType> iterators(numDims,
                                             utils::IteratorType::reduction);
  for (unsigned dim : out.dims)
    iterators[dim] = utils::IteratorType::parallel;

  auto emitBody = [&](OpBuilder &b, Location, ValueRange args) {
    SmallVector<Value> converted;
    for (Value arg : args)
      converted.push_back(convert(b, arg, type));
    Value result = convert(b, body(b, converted), elementType(out.tensor));
    linalg::YieldOp::create(b, loc, result);
  };
  auto op = linalg::GenericOp::create(b, loc, out.tensor.getType(),
                                      ArrayRef(tensors).drop_back(), out.tensor,
                                      maps, iterators, emitBody);
  return op.getResult(0);
}

Value TensorLoops::repeat(Value source, Sizes target) {
  Sizes sizes = tensor::getMixedSizes(b, loc, source);
  for (auto [size, wanted] : llvm::zip_equal(sizes, target))
    if (!wanted)
      wanted = size;
  if (llvm::equal(sizes, target, isEqualConstantIntOrValue))
    return source;
  auto index = [&](OpBuilder &b, unsigned dim) -> Value {
    if (isOneInteger(sizes[dim]))
      return arith::ConstantIndexOp::create(b, loc, 0);
    Value i = linalg::IndexOp::create(b, loc, dim);
    if (isEqualConstantIntOrValue(sizes[dim], target[dim]))
      return i;
    Value size = getValueOrCreateConstantIndexOp(b, loc, sizes[dim]);
    Value whole = getValueOrCreateConstantIndexOp(b, loc, target[dim]);
    Value times = arith::DivUIOp::create(b, loc, whole, size);
    return arith::DivUIOp::create(b, loc, i, times);
  };
  Value out = tensor::EmptyOp::create(b, loc, target, elementType(source));
  Dims dims = firstDims(target.size());
  return loops({}, {out, dims}, [&](OpBuilder &b, ValueRange) -> Value {
    SmallVector<Value> indices;
    for (unsigned dim : dims)
      indices.push_back(index(b, dim));
    Value entry = tensor::ExtractOp::create(b, loc, source, indices);
    return convert(b, entry, type);
  });
}

Value TensorLoops::sumRepeated(Value source, Sizes target) {
  Sizes sizes = tensor::getMixedSizes(b, loc, source), times;
  if (llvm::equal(sizes, target, isEqualConstantIntOrValue))
    return source;
  // Entry i * times + g of the source, for every g below times, is for entry i.
  auto constant = [&](OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  };
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  for (auto [size, wanted] : llvm::zip_equal(sizes, target)) {
    Value some = arith::MaxSIOp::create(b, loc, constant(wanted), one);
    times.push_back(b.createOrFold<arith::DivUIOp>(loc, constant(size), some));
  }
  unsigned rank = sizes.size();
  Dims entry = firstDims(rank), repetition;
  for (unsigned dim : entry)
    repetition.push_back(rank + dim);
  // Nothing is read from here: it says how often.
  Value lengths = tensor::EmptyOp::create(b, loc, times, type);
  return loops({{lengths, repetition}}, {filled(target, 0), entry},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 SmallVector<Value> indices;
                 for (unsigned dim : entry) {
                   Value i = linalg::IndexOp::create(b, loc, dim);
                   Value g = linalg::IndexOp::create(b, loc, rank + dim);
                   Value first =
                       arith::MulIOp::create(b, loc, i, constant(times[dim]));
                   indices.push_back(arith::AddIOp::create(b, loc, first, g));
                 }
                 Value term =
                     tensor::ExtractOp::create(b, loc, source, indices);
                 return arith::AddFOp::create(b, loc, args.back(),
                                              convert(b, term, type));
               });
}

Value TensorLoops::converted(Value source, FloatType to) {
  if (elementType(source) == to)
    return source;
  Sizes sizes = tensor::getMixedSizes(b, loc, source);
  Dims dims = firstDims(sizes.size());
  Value out = tensor::EmptyOp::create(b, loc, sizes, to);
  return loops({{source, dims}}, {out, dims},
               [](OpBuilder &, ValueRange args) { return args[0]; });
}
