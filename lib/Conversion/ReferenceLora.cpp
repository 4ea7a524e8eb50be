// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What the LoRA ops compute, as contractions. In f32 this is not only their
// meaning but also what attn-lower-contractions makes register blocks of: the
// product with B starts from that with W, so both are formed in registers, and
// an adapter chosen by each row is a sum over adapters of which one counts.

#include "Reference.h"
#include "TensorLoops.h"

using namespace mlir;
using namespace polyattn::attn;

namespace {

/// Loops of all products: rows or what takes their place, columns, what is
/// summed over, adapters.
enum : unsigned { Row, Column, Sum, Adapter };

struct LoraReference : TensorLoops {
  /// One for each row, or null.
  Value adapters;
  double scale;

  template <typename OpT>
  LoraReference(OpBuilder &b, OpT op, FloatType type)
      : TensorLoops{b, op.getLoc(), type}, adapters(op.getAdapters()),
        scale(op.getScale().convertToDouble()) {
    if (adapters)
      adapters = collapsed(adapters, 0);
  }

  Value collapsed(Value tensor, int64_t trailing);
  Value expanded(Value rows, OpFoldResult columns, Value like);
  OpFoldResult size(Value tensor, int64_t dim) {
    return tensor::getMixedSize(b, loc, tensor, dim);
  }
  Value layer(Value x, Value weight, Value thin, Value b, bool transposed);
  Value thin(Value x, Value a, bool transposed);
  Value gradient(Value left, Value right, bool swapped, Value like);
  Value finished(Value sums, Value x, OpFoldResult columns, Value bias,
                 FloatType element);

private:
  Value sumOfProducts(Indexed left, Indexed right, Indexed out);
  Value times(Value x, Value matrix, bool transposed, Value start,
              bool perAdapter);
};

} // namespace

/// Leading dimensions as one.
Value LoraReference::collapsed(Value tensor, int64_t trailing) {
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  if (rank == trailing + 1)
    return tensor;
  SmallVector<ReassociationIndices> groups(1);
  for (int64_t i = 0; i < rank; ++i) {
    if (i >= rank - trailing)
      groups.emplace_back();
    groups.back().push_back(i);
  }
  return tensor::CollapseShapeOp::create(b, loc, tensor, groups);
}

/// The same [rows, columns] with the leading dimensions of `like`.
Value LoraReference::expanded(Value rows, OpFoldResult columns, Value like) {
  int64_t rank = cast<RankedTensorType>(like.getType()).getRank();
  if (rank == 2)
    return rows;
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t i = 0; i + 1 < rank; ++i)
    groups[0].push_back(i);
  groups[1].push_back(rank - 1);
  Sizes sizes = tensor::getMixedSizes(b, loc, like);
  sizes.back() = columns;
  SmallVector<int64_t> shape;
  for (OpFoldResult entry : sizes)
    shape.push_back(getConstantIntValue(entry).value_or(ShapedType::kDynamic));
  auto type = RankedTensorType::get(shape, elementType(rows));
  if (llvm::count(ArrayRef(shape).drop_back(), ShapedType::kDynamic) <= 1)
    return tensor::ExpandShapeOp::create(b, loc, type, rows, groups, sizes);
  // Upstream's lowering of memref.expand_shape takes one unknown size in a
  // group.
  Value empty = tensor::EmptyOp::create(b, loc, sizes, elementType(rows));
  Dims dims = firstDims(rank);
  return loops({}, {empty, dims}, [&](OpBuilder &b, ValueRange) -> Value {
    Value row = linalg::IndexOp::create(b, loc, 0);
    for (int64_t i = 1; i + 1 < rank; ++i) {
      Value size = getValueOrCreateConstantIndexOp(b, loc, sizes[i]);
      row = arith::MulIOp::create(b, loc, row, size);
      Value index = linalg::IndexOp::create(b, loc, i);
      row = arith::AddIOp::create(b, loc, row, index);
    }
    Value column = linalg::IndexOp::create(b, loc, rank - 1);
    Value entry =
        tensor::ExtractOp::create(b, loc, rows, ValueRange{row, column});
    return convert(b, entry, this->type);
  });
}

/// out + sum of left * right over the loops that `out` lacks; where Adapter is
/// one of the loops, of those terms whose row uses that adapter.
Value LoraReference::sumOfProducts(Indexed left, Indexed right, Indexed out) {
  auto isAdapter = [](unsigned dim) { return dim == Adapter; };
  if (!llvm::any_of(right.dims, isAdapter) &&
      !llvm::any_of(out.dims, isAdapter))
    return loops({left, right}, out, [&](OpBuilder &b, ValueRange args) {
      Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
      return arith::AddFOp::create(b, loc, args[2], term).getResult();
    });
  // Rows are summed over in gradients.
  unsigned row = llvm::is_contained(out.dims, Adapter) ? Sum : Row;
  SmallVector<AffineMap> maps;
  for (const Dims &dims : {left.dims, right.dims, Dims{row}, out.dims}) {
    SmallVector<AffineExpr> exprs;
    for (unsigned dim : dims)
      exprs.push_back(b.getAffineDimExpr(dim));
    maps.push_back(AffineMap::get(Adapter + 1, 0, exprs, b.getContext()));
  }
  SmallVector<utils::IteratorType> kinds(Adapter + 1,
                                         utils::IteratorType::reduction);
  for (unsigned dim : out.dims)
    kinds[dim] = utils::IteratorType::parallel;
  auto op = linalg::GenericOp::create(
      b, loc, out.tensor.getType(), {left.tensor, right.tensor, adapters},
      out.tensor, maps, kinds, [&](OpBuilder &b, Location, ValueRange args) {
        Value chosen =
            arith::IndexCastOp::create(b, loc, b.getIndexType(), args[2]);
        Value counts = arith::CmpIOp::create(
            b, loc, arith::CmpIPredicate::eq,
            linalg::IndexOp::create(b, loc, Adapter), chosen);
        Value term = arith::MulFOp::create(b, loc, convert(b, args[0], type),
                                           convert(b, args[1], type));
        Value sum = arith::AddFOp::create(b, loc, args[3], term);
        Value result = arith::SelectOp::create(b, loc, counts, sum, args[3]);
        linalg::YieldOp::create(b, loc, result);
      });
  return op.getResult(0);
}

/// start + x matrix.
Value LoraReference::times(Value x, Value matrix, bool transposed, Value start,
                           bool perAdapter) {
  Dims dims = transposed ? Dims{Column, Sum} : Dims{Sum, Column};
  if (perAdapter)
    dims.insert(dims.begin(), Adapter);
  return sumOfProducts({x, {Row, Sum}}, {matrix, dims}, {start, {Row, Column}});
}

/// scale * x A.
Value LoraReference::thin(Value x, Value a, bool transposed) {
  int64_t first = adapters ? 1 : 0;
  Sizes sizes = {size(x, 0), size(a, first + (transposed ? 0 : 1))};
  Value start = filled(sizes, 0);
  Value product = times(x, a, transposed, start, bool(adapters));
  if (scale == 1)
    return product;
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type);
  return loops({{product, {Row, Column}}}, {empty, {Row, Column}},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 return arith::MulFOp::create(b, loc, args[0], real(b, scale));
               });
}

/// x W + thin B; without `thin`, x W.
Value LoraReference::layer(Value x, Value weight, Value thin, Value b_,
                           bool transposed) {
  Value start = filled({size(x, 0), size(weight, transposed ? 0 : 1)}, 0);
  Value sums = times(x, weight, transposed, start, false);
  return thin ? times(thin, b_, transposed, sums, bool(adapters)) : sums;
}

/// left^T right, or right^T left if swapped, of each adapter's rows.
Value LoraReference::gradient(Value left, Value right, bool swapped,
                              Value like) {
  Dims dims = swapped ? Dims{Column, Row} : Dims{Row, Column};
  if (adapters)
    dims.insert(dims.begin(), Adapter);
  Value start = filled(tensor::getMixedSizes(b, loc, like), 0);
  Value sums =
      sumOfProducts({left, {Sum, Row}}, {right, {Sum, Column}}, {start, dims});
  FloatType element = elementType(like);
  if (element == type)
    return sums;
  Dims all = firstDims(dims.size());
  Value empty = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, like), element);
  return loops({{sums, all}}, {empty, all},
               [](OpBuilder &, ValueRange args) { return args[0]; });
}

/// Sums with a bias, rounded to the result's type.
Value LoraReference::finished(Value sums, Value x, OpFoldResult columns,
                              Value bias, FloatType element) {
  if (!bias && element == type)
    return sums;
  SmallVector<Indexed> inputs{{sums, {Row, Column}}};
  if (bias)
    inputs.push_back({bias, {Column}});
  Value empty =
      tensor::EmptyOp::create(b, loc, Sizes{size(x, 0), columns}, element);
  return loops(inputs, {empty, {Row, Column}},
               [&](OpBuilder &b, ValueRange args) -> Value {
                 if (!bias)
                   return args[0];
                 return arith::AddFOp::create(b, loc, args[0], args[1]);
               });
}

Value polyattn::attn::emitReference(OpBuilder &b, LoraLinearOp op,
                                    FloatType computeType) {
  LoraReference lora(b, op, computeType);
  bool transposed = op.getTransposed();
  Value x = lora.collapsed(op.getX(), 1), thin;
  if (!addsNothing(op.getA(), op.getB(), lora.scale, transposed))
    thin = lora.thin(x, op.getA(), transposed);
  Value sums = lora.layer(x, op.getWeight(), thin, op.getB(), transposed);
  OpFoldResult columns =
      lora.size(op.getWeight(), LoraLayout{transposed}.out());
  Value y =
      lora.finished(sums, x, columns, op.getBias(), elementType(op.getY()));
  return lora.expanded(y, columns, op.getX());
}

SmallVector<Value> polyattn::attn::emitReference(OpBuilder &b,
                                                 LoraLinearGradOp op,
                                                 FloatType computeType) {
  LoraReference lora(b, op, computeType);
  bool transposed = op.getTransposed();
  Value x = lora.collapsed(op.getX(), 1), dy = lora.collapsed(op.getDy(), 1);
  SmallVector<Value> results;
  // What reaches the adapter's middle: backwards, B comes before A, and rows
  // are multiplied by transposed matrices.
  Value middle = op.getDx() || op.getDa()
                     ? lora.thin(dy, op.getB(), !transposed)
                     : Value();
  if (op.getDx()) {
    Value sums = lora.layer(dy, op.getWeight(), middle, op.getA(), !transposed);
    OpFoldResult columns =
        lora.size(op.getWeight(), LoraLayout{transposed}.in());
    Value dx =
        lora.finished(sums, x, columns, /*bias=*/{}, elementType(op.getX()));
    results.push_back(lora.expanded(dx, columns, op.getX()));
  }
  if (op.getDa())
    results.push_back(lora.gradient(x, middle, transposed, op.getA()));
  if (op.getDb())
    results.push_back(lora.gradient(lora.thin(x, op.getA(), transposed), dy,
                                    transposed, op.getB()));
  return results;
}

/// The sum with W is done while a block of A B is at hand.
Value polyattn::attn::emitReference(OpBuilder &b, LoraMergeOp op,
                                    FloatType computeType) {
  Location loc = op.getLoc();
  TensorLoops e{b, loc, computeType};
  double scale = op.getScale().convertToDouble();
  Value zeros = e.filled(tensor::getMixedSizes(b, loc, op.getWeight()), 0);
  // [in, out] is A B, [out, in] is B A.
  Value left = op.getTransposed() ? op.getB() : op.getA();
  Value right = op.getTransposed() ? op.getA() : op.getB();
  Value product = e.loops(
      {{left, {Row, Sum}}, {right, {Sum, Column}}}, {zeros, {Row, Column}},
      [&](OpBuilder &b, ValueRange args) -> Value {
        Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
        return arith::AddFOp::create(b, loc, args[2], term);
      });
  Value empty = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, op.getWeight()),
      elementType(op.getWeight()));
  return e.loops(
      {{product, {Row, Column}}, {op.getWeight(), {Row, Column}}},
      {empty, {Row, Column}}, [&](OpBuilder &b, ValueRange args) -> Value {
        Value scaled = arith::MulFOp::create(b, loc, args[0], e.real(b, scale));
        return arith::AddFOp::create(b, loc, args[1], scaled);
      });
}
