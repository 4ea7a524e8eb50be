// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The lowering of attn.record: a call of the run-time function, with operands
// in f64 and in one shape whatever the op's.

#include "Reference.h"
#include "TensorLoops.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral recordFunction = "polyattn_record";

static MemRefType dynamicMemref(int64_t rank, Type element) {
  return MemRefType::get(SmallVector<int64_t>(rank, ShapedType::kDynamic),
                         element);
}

/// (key, query, keys, value, weights, ranges, scale, starts at zero)
static FunctionType functionType(OpBuilder &b) {
  Type f64 = b.getF64Type(), i64 = b.getI64Type();
  Type rows = dynamicMemref(4, f64);
  return b.getFunctionType({dynamicMemref(1, b.getI8Type()), rows, rows, rows,
                            dynamicMemref(3, f64), dynamicMemref(2, i64), f64,
                            i64},
                           {});
}

/// In f64, as [batch, heads, trailing...]: missing leading dimensions are 1,
/// and those before heads are one.
static Value toHeads(TensorLoops &e, Value tensor, int64_t trailing) {
  OpBuilder &b = e.b;
  Sizes sizes = tensor::getMixedSizes(b, e.loc, tensor);
  Dims dims = firstDims(sizes.size());
  Value empty = tensor::EmptyOp::create(b, e.loc, sizes, e.type);
  Value wide = e.loops({{tensor, dims}}, {empty, dims},
                       [](OpBuilder &, ValueRange args) { return args[0]; });
  auto type = cast<RankedTensorType>(wide.getType());
  int64_t batch = type.getRank() - trailing, extra = 2 - batch;
  SmallVector<ReassociationIndices> groups;
  if (extra < 0) {
    groups.push_back({});
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (i < batch - 1)
        groups[0].push_back(i);
      else
        groups.push_back({i});
    return tensor::CollapseShapeOp::create(b, e.loc, wide, groups);
  }
  if (extra == 0)
    return wide;
  SmallVector<int64_t> shape(extra, 1);
  llvm::append_range(shape, type.getShape());
  groups.push_back(llvm::to_vector(llvm::seq<int64_t>(0, extra + 1)));
  for (int64_t i = 1; i < type.getRank(); ++i)
    groups.push_back({extra + i});
  return tensor::ExpandShapeOp::create(
      b, e.loc, RankedTensorType::get(shape, e.type), wide, groups);
}

static Value castToDynamic(OpBuilder &b, Location loc, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return memref::CastOp::create(
      b, loc, dynamicMemref(type.getRank(), type.getElementType()), buffer);
}

/// Memory of its own, and not what to_buffer gives: as far as bufferization
/// knows, nobody reads that any more when the function does.
static Value toBuffer(OpBuilder &b, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      sizes.push_back(b.createOrFold<tensor::DimOp>(loc, tensor, d));
  Value buffer = memref::AllocOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes);
  auto copy =
      bufferization::MaterializeInDestinationOp::create(b, loc, tensor, buffer);
  copy.setRestrict(true);
  copy.setWritable(true);
  return castToDynamic(b, loc, buffer);
}

/// [batch, key heads, m]; 1 where there are none.
static Value emitWeights(TensorLoops &e, RecordOp op) {
  Sizes sizes = tensor::getMixedSizes(e.b, e.loc, op.getKey());
  sizes.pop_back();
  Value weights = op.getKeyWeights();
  if (!weights)
    return toHeads(e, e.filled(sizes, 1), 1);
  sizes.back() = OpFoldResult(); // m is never repeated
  return toHeads(e, e.repeat(weights, sizes), 1);
}

/// The keys that each row sees, as [n, 2].
static Value emitRanges(OpBuilder &b, Location loc, RecordOp op) {
  int64_t row = op.getQuery().getType().getRank() - 2;
  auto index = [&](int64_t c) -> Value {
    return arith::ConstantIndexOp::create(b, loc, c);
  };
  Value n = b.createOrFold<tensor::DimOp>(loc, op.getQuery(), row);
  Value m = b.createOrFold<tensor::DimOp>(loc, op.getKey(), row);
  Value ranges = memref::AllocOp::create(
      b, loc, dynamicMemref(2, b.getI64Type()), ValueRange{n, index(2)});
  scf::ForOp::create(
      b, loc, index(0), n, index(1), ValueRange(),
      [&](OpBuilder &b, Location loc, Value i, ValueRange) {
        KeyRange<Value> range = op.getMask().emitKeyRange(b, loc, i, n, m);
        for (int64_t column : {0, 1}) {
          Value key = column ? range.end : range.begin;
          Value number =
              arith::IndexCastOp::create(b, loc, b.getI64Type(), key);
          Value at = arith::ConstantIndexOp::create(b, loc, column);
          memref::StoreOp::create(b, loc, number, ranges, ValueRange{i, at});
        }
        scf::YieldOp::create(b, loc);
      });
  return ranges;
}

static Value emitKey(OpBuilder &b, RecordOp op) {
  StringRef key = op.getKeyString();
  auto type = RankedTensorType::get(int64_t(key.size()), b.getI8Type());
  SmallVector<int8_t> bytes(key.begin(), key.end());
  Value constant = arith::ConstantOp::create(
      b, op.getLoc(), DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
  return toBuffer(b, op.getLoc(), constant);
}

LogicalResult polyattn::attn::declareRecordFunction(Operation *root,
                                                    RecordOp op) {
  OpBuilder b(op.getContext());
  FunctionType type = functionType(b);
  Operation *table = SymbolTable::getNearestSymbolTable(op);
  if (!table)
    return op.emitOpError("is in no module");
  Operation *known = SymbolTable::lookupSymbolIn(table, recordFunction);
  if (auto func = dyn_cast_or_null<func::FuncOp>(known))
    if (func.getFunctionType() == type)
      return success();
  if (known)
    return op.emitOpError("calls a function '")
           << recordFunction << "', but the module has another one";
  // Other functions may be worked on at the same time.
  if (!root->isAncestor(table))
    return op.emitOpError("must be lowered by a pass on the module, where its "
                          "function can be declared");
  b.setInsertionPointToStart(&table->getRegion(0).front());
  auto func = func::FuncOp::create(b, op.getLoc(), recordFunction, type);
  func.setPrivate();
  func->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), b.getUnitAttr());
  return success();
}

void polyattn::attn::emitReference(OpBuilder &b, RecordOp op) {
  Location loc = op.getLoc();
  TensorLoops e{b, loc, b.getF64Type()};
  SmallVector<Value> arguments{emitKey(b, op)};
  for (Value tensor : {op.getQuery(), op.getKey(), op.getValue()})
    arguments.push_back(toBuffer(b, loc, toHeads(e, tensor, 2)));
  arguments.push_back(toBuffer(b, loc, emitWeights(e, op)));
  arguments.push_back(emitRanges(b, loc, op));
  arguments.push_back(e.real(b, op.getScale().convertToDouble()));
  arguments.push_back(arith::ConstantIntOp::create(
      b, loc, op.getMask().startsAtZero(), /*width=*/64));
  func::CallOp::create(b, loc, recordFunction, TypeRange(), arguments);
}
