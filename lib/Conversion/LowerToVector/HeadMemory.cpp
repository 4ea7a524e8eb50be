// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "HeadMemory.h"
#include "../TensorLoops.h"
#include "Emitter.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace polyattn::attn;

/// [.., h, n, d] as [heads, n, d]; [n, d] as one head.
static Value flattenHeads(OpBuilder &b, Location loc, Value tensor,
                          int64_t trailing) {
  auto type = cast<RankedTensorType>(tensor.getType());
  int64_t batch = type.getRank() - trailing;
  if (batch == 1)
    return tensor;
  SmallVector<ReassociationIndices> groups(1);
  for (int64_t i = 0; i < std::max<int64_t>(batch, 0); ++i)
    groups[0].push_back(i);
  for (int64_t i = 0; i < trailing; ++i)
    groups.push_back({batch + i});
  if (batch > 1)
    return tensor::CollapseShapeOp::create(b, loc, tensor, groups);
  SmallVector<int64_t> shape = {1};
  llvm::append_range(shape, type.getShape());
  groups.clear();
  groups.push_back({0, 1});
  for (int64_t i = 1; i < trailing; ++i)
    groups.push_back({i + 1});
  return tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
      groups);
}

Value polyattn::attn::toBuffer(OpBuilder &b, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return bufferization::ToBufferOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), tensor,
      /*read_only=*/true);
}

Value polyattn::attn::headsBuffer(OpBuilder &b, Location loc, Value tensor) {
  return toBuffer(b, loc, flattenHeads(b, loc, tensor, 2));
}

Value polyattn::attn::rowsBuffer(OpBuilder &b, Location loc, Value tensor) {
  return toBuffer(b, loc, flattenHeads(b, loc, tensor, 1));
}

/// Key weights repeated to [key heads, m].
static Value weightsPerHead(OpBuilder &b, Location loc, Value weights,
                            Value key) {
  TensorLoops loops{b, loc, b.getF32Type()};
  Sizes sizes = tensor::getMixedSizes(b, loc, key);
  sizes.pop_back();
  sizes.back() = OpFoldResult(); // m is never repeated
  return flattenHeads(b, loc, loops.repeat(weights, sizes), 1);
}

Value polyattn::attn::weightsBuffer(OpBuilder &b, Location loc, Value weights,
                                    Value key) {
  if (!weights)
    return {};
  return toBuffer(b, loc, weightsPerHead(b, loc, weights, key));
}

Value polyattn::attn::allocateOutput(OpBuilder &b, Location loc,
                                     RankedTensorType type, Value rows,
                                     Value columns) {
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(tensor::DimOp::create(
          b, loc, i + 1 < type.getRank() ? rows : columns, i));
  return memref::AllocOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes,
      b.getI64IntegerAttr(cacheLineBytes));
}

/// Memory whose dimensions but the last `trailing` ones become one.
static Value flattenMemory(OpBuilder &b, Location loc, Value output,
                           int64_t trailing) {
  auto type = cast<MemRefType>(output.getType());
  int64_t batch = type.getRank() - trailing;
  if (batch == 1)
    return output;
  SmallVector<ReassociationIndices> groups;
  if (batch > 1) {
    groups.resize(1 + trailing);
    for (int64_t i = 0; i < type.getRank(); ++i)
      groups[std::max<int64_t>(0, i - batch + 1)].push_back(i);
    return memref::CollapseShapeOp::create(b, loc, output, groups);
  }
  SmallVector<int64_t> shape = {1};
  llvm::append_range(shape, type.getShape());
  groups.push_back({0, 1});
  for (int64_t i = 1; i < trailing; ++i)
    groups.push_back({i + 1});
  return memref::ExpandShapeOp::create(b, loc, shape, output, groups);
}

Value polyattn::attn::toHeads(OpBuilder &b, Location loc, Value output) {
  return flattenMemory(b, loc, output, 2);
}

Value polyattn::attn::rowsOfHeads(OpBuilder &b, Location loc, Value rows) {
  return flattenMemory(b, loc, rows, 1);
}

Value polyattn::attn::toTensor(OpBuilder &b, Location loc,
                               RankedTensorType type, Value output) {
  return bufferization::ToTensorOp::create(b, loc, type, output,
                                           /*restrict=*/true,
                                           /*writable=*/true);
}
