// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-outline-loops: each parallel loop becomes a function, so that loops that
// do the same, as those of a model's layers do, are compiled once.

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "polyattn/Conversion/Passes.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNOUTLINELOOPS
#include "polyattn/Conversion/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;

/// Not those inside others, nor those with results.
static SmallVector<scf::ParallelOp> findLoops(ModuleOp module) {
  SmallVector<scf::ParallelOp> loops;
  module.walk<WalkOrder::PreOrder>([&](scf::ParallelOp loop) {
    if (loop->getNumResults() == 0)
      loops.push_back(loop);
    return WalkResult::skip();
  });
  return loops;
}

/// Values from outside that the loop uses. Constants come along.
static void collectInputs(scf::ParallelOp loop, SetVector<Value> &inputs,
                          SmallVectorImpl<Operation *> &constants) {
  SetVector<Value> used;
  getUsedValuesDefinedAbove(loop->getRegions(), used);
  used.insert_range(loop->getOperands());
  for (Value value : used) {
    Operation *source = value.getDefiningOp();
    if (source && source->hasTrait<OpTrait::ConstantLike>())
      constants.push_back(source);
    else
      inputs.insert(value);
  }
}

/// A private function that runs the loop on its arguments, and a call of it
/// instead of the loop.
static void outline(scf::ParallelOp loop, SymbolTable &symbols) {
  SetVector<Value> inputs;
  SmallVector<Operation *> constants;
  collectInputs(loop, inputs, constants);
  Location loc = loop.getLoc();
  OpBuilder b(loop->getContext());
  SmallVector<Value> arguments(inputs.getArrayRef());
  FunctionType type = b.getFunctionType(TypeRange(ValueRange(arguments)), {});
  auto function = func::FuncOp::create(loc, "parallel_loop", type);
  function.setPrivate();
  symbols.insert(function);

  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(arguments, body->getArguments());
  for (Operation *constant : constants)
    b.clone(*constant, mapping);
  b.clone(*loop, mapping);
  func::ReturnOp::create(b, loc);

  b.setInsertionPoint(loop);
  func::CallOp::create(b, loc, function, arguments);
  loop.erase();
}

namespace {
struct OutlineLoopsPass
    : polyattn::attn::impl::AttnOutlineLoopsBase<OutlineLoopsPass> {
  using AttnOutlineLoopsBase::AttnOutlineLoopsBase;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (scf::ParallelOp loop : findLoops(getOperation()))
      outline(loop, symbols);
  }
};
} // namespace
