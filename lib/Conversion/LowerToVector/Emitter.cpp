// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Emitter.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace polyattn::attn;

Value Emitter::buffer(ArrayRef<int64_t> shape, Type element) {
  return memref::AllocOp::create(b, loc, MemRefType::get(shape, element),
                                 ValueRange{}, b.getI64IntegerAttr(64));
}

Value Emitter::part(Value memref, Value at) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
      strides(type.getRank(), b.getIndexAttr(1)), sizes;
  offsets.front() = at;
  for (int64_t size : type.getShape())
    sizes.push_back(b.getIndexAttr(size));
  sizes.front() = b.getIndexAttr(1);
  MemRefType reduced = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(), type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, reduced, memref, offsets, sizes,
                                   strides);
}

Value Emitter::widen(Value x) {
  if (getElementTypeOrSelf(x).isF32())
    return x;
  Type type = isa<VectorType>(x.getType()) ? Type(vectorType()) : Type(f32());
  return arith::ExtFOp::create(b, loc, type, x);
}

Value Emitter::narrow(Value x, Type element) {
  if (element.isF32())
    return x;
  Type type =
      isa<VectorType>(x.getType()) ? Type(vectorType(element)) : element;
  return arith::TruncFOp::create(b, loc, type, x);
}

Value Emitter::load(Value memref, ValueRange at) {
  return widen(memref::LoadOp::create(b, loc, memref, at));
}

Value Emitter::vload(Value memref, ValueRange at) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  return widen(vector::LoadOp::create(b, loc, vectorType(element), memref, at));
}

void Emitter::prefetchRow(Value memref, Value head, Value row) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  loop(index(0), index(type.getDimSize(2)), cacheLineBytes / bytes,
       [&](Value c) {
         memref::PrefetchOp::create(b, loc, memref, ValueRange{head, row, c},
                                    /*isWrite=*/false, /*localityHint=*/3,
                                    /*isDataCache=*/true);
       });
}

void Emitter::loop(Value from, Value to, int64_t step,
                   function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value i, ValueRange) {
    body(i);
    return Values{};
  });
}

Emitter::Values Emitter::loop(Value from, Value to, int64_t step,
                              ValueRange init,
                              function_ref<Values(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(
      b, loc, from, to, index(step), init,
      [&](OpBuilder &, Location, Value i, ValueRange carried) {
        Values next = body(i, carried);
        scf::YieldOp::create(b, loc, next);
      });
  return Values(op.getResults());
}

void Emitter::loopWhile(ValueRange init,
                        function_ref<Value(ValueRange)> condition,
                        function_ref<Values(ValueRange)> body) {
  scf::WhileOp::create(
      b, loc, init.getTypes(), init,
      [&](OpBuilder &, Location, ValueRange carried) {
        scf::ConditionOp::create(b, loc, condition(carried), carried);
      },
      [&](OpBuilder &, Location, ValueRange carried) {
        scf::YieldOp::create(b, loc, body(carried));
      });
}

/// Tasks are numbered. With threads there are as many shares as tasks; without,
/// one share takes them all, and a loop of one iteration asks for no threads
/// (attn-openmp-teams).
void Emitter::parallel(ArrayRef<Value> sizes, Value flops,
                       function_ref<void(ValueRange)> body) {
  Value tasks = sizes.front();
  for (Value size : sizes.drop_front())
    tasks = mul(tasks, size);
  Value shares = b.createOrFold<arith::SelectOp>(
      loc, less(index(flopsWorthThreads), flops), tasks, min(tasks, index(1)));
  auto runShare = [&](OpBuilder &, Location, ValueRange share) {
    scf::ForOp::create(b, loc, share[0], tasks, shares, ValueRange{},
                       [&](OpBuilder &, Location, Value task, ValueRange) {
                         Values at(sizes.size());
                         for (size_t i = sizes.size(); i-- > 0;) {
                           at[i] = i ? rem(task, sizes[i]) : task;
                           if (i)
                             task = div(task, sizes[i]);
                         }
                         body(at);
                         scf::YieldOp::create(b, loc);
                       });
  };
  scf::ParallelOp::create(b, loc, index(0), shares, index(1), runShare);
}

void Emitter::when(Value condition, function_ref<void()> then) {
  scf::IfOp::create(b, loc, condition, [&](OpBuilder &, Location) {
    then();
    scf::YieldOp::create(b, loc);
  });
}
