// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Assertions.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "polyattn/Conversion/Passes.h"
#include "polyattn/Driver/Session.h"

#include <csetjmp>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::driver;

//===----------------------------------------------------------------------===//
// At run time
//===----------------------------------------------------------------------===//

namespace {
/// The call that this thread is in.
struct Call {
  std::jmp_buf start;
  int32_t failed = -1;
};
} // namespace

static thread_local Call *currentCall = nullptr;

/// Only ever called on the thread that runChecked was called on: assertions
/// are outside of all that could run in parallel.
static void assertionFailed(int32_t number) {
  currentCall->failed = number;
  std::longjmp(currentCall->start, 1);
}

AssertionHandler polyattn::driver::assertionHandler() {
  return {"polyattn_assertion_failed",
          reinterpret_cast<void *>(&assertionFailed)};
}

int32_t polyattn::driver::runChecked(void (*function)(void **),
                                     void **arguments) {
  Call call;
  Call *outer = std::exchange(currentCall, &call);
  // Nothing but compiled code lies between the two: no destructor is skipped.
  if (!setjmp(call.start))
    function(arguments);
  currentCall = outer;
  return call.failed;
}

//===----------------------------------------------------------------------===//
// Before compilation
//===----------------------------------------------------------------------===//

namespace {
class Separator {
public:
  explicit Separator(func::FuncOp entry)
      : entry(entry), builder(entry.getContext()) {}
  std::vector<std::string> run();

private:
  void separate(linalg::GenericOp op);
  Value makeCheck(linalg::GenericOp op, ArrayRef<cf::AssertOp> assertions,
                  int32_t firstNumber);
  void makeCheckBody(linalg::GenericOp op, ArrayRef<cf::AssertOp> assertions,
                     int32_t firstNumber, ArrayRef<unsigned> operands,
                     const SmallVector<int64_t> &newDims, ValueRange arguments);
  /// Ends the call with `number` where `failed` is true.
  void makeFailure(Location loc, Value failed, Value number);
  int32_t addMessage(cf::AssertOp op);
  Value constant(Location loc, int32_t value) {
    return arith::ConstantIntOp::create(builder, loc, value, 32);
  }

  func::FuncOp entry;
  OpBuilder builder;
  std::vector<std::string> messages;
};
} // namespace

/// Does `op` run on the thread that called the function, in program order?
static bool isSequential(Operation *op, func::FuncOp entry) {
  Operation *parent = op->getParentOp();
  while (isa_and_present<scf::IfOp, scf::ForOp, scf::WhileOp>(parent))
    parent = parent->getParentOp();
  return parent == entry;
}

std::vector<std::string> Separator::run() {
  entry.walk([&](Operation *op) {
    if (!isSequential(op, entry))
      return;
    builder.setInsertionPoint(op);
    attn::emitAdapterCheck(builder, op);
  });
  SmallVector<linalg::GenericOp> generics;
  SmallVector<cf::AssertOp> alone;
  entry.walk([&](cf::AssertOp op) {
    auto generic = dyn_cast<linalg::GenericOp>(op->getParentOp());
    if (generic && generic.hasPureTensorSemantics() &&
        isSequential(generic, entry)) {
      if (!llvm::is_contained(generics, generic))
        generics.push_back(generic);
    } else if (isSequential(op, entry)) {
      alone.push_back(op);
    }
  });
  for (linalg::GenericOp op : generics)
    separate(op);
  for (cf::AssertOp op : alone) {
    builder.setInsertionPoint(op);
    Value yes = arith::ConstantIntOp::create(builder, op.getLoc(), 1, 1);
    Value failed =
        arith::XOrIOp::create(builder, op.getLoc(), op.getArg(), yes);
    makeFailure(op.getLoc(), failed, constant(op.getLoc(), addMessage(op)));
    op.erase();
  }
  return std::move(messages);
}

int32_t Separator::addMessage(cf::AssertOp op) {
  messages.push_back(locationText(op.getLoc()) + ": " + op.getMsg().str());
  return messages.size() - 1;
}

void Separator::makeFailure(Location loc, Value failed, Value number) {
  StringRef name = assertionHandler().name;
  auto module = entry->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(entry);
    func::FuncOp::create(builder, loc, name,
                         builder.getFunctionType(builder.getI32Type(), {}))
        .setPrivate();
  }
  auto branch = scf::IfOp::create(builder, loc, failed, false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  func::CallOp::create(builder, loc, name, TypeRange(), number);
}

void Separator::separate(linalg::GenericOp op) {
  auto assertions = llvm::to_vector(op.getBody()->getOps<cf::AssertOp>());
  int32_t firstNumber = messages.size();
  for (cf::AssertOp assertion : assertions)
    addMessage(assertion);
  builder.setInsertionPoint(op);
  // 0 is success.
  Value failed = makeCheck(op, assertions, firstNumber);
  Value zero = constant(op.getLoc(), 0), one = constant(op.getLoc(), 1);
  Value isFailure = arith::CmpIOp::create(
      builder, op.getLoc(), arith::CmpIPredicate::ne, failed, zero);
  makeFailure(op.getLoc(), isFailure,
              arith::SubIOp::create(builder, op.getLoc(), failed, one));
  for (cf::AssertOp assertion : assertions)
    assertion.erase();
}

/// Ops of the body that assertions need, in their order.
static llvm::SetVector<Operation *>
neededOps(linalg::GenericOp op, ArrayRef<cf::AssertOp> assertions) {
  llvm::SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitUsesFromAbove = false;
  options.filter = [&](Operation *o) { return op->isProperAncestor(o); };
  for (cf::AssertOp assertion : assertions)
    (void)getBackwardSlice(assertion.getArg(), &slice, options);
  llvm::SetVector<Operation *> ordered;
  for (Operation &inner : *op.getBody())
    if (slice.contains(&inner))
      ordered.insert(&inner);
  return ordered;
}

/// Operands of `op` whose elements its assertions see, and the loops over them
/// and over what else assertions depend on; all, where those operands do not
/// tell how long these loops are.
static std::pair<SmallVector<unsigned>, llvm::SmallBitVector>
neededOperands(linalg::GenericOp op, ArrayRef<cf::AssertOp> assertions) {
  llvm::SetVector<Operation *> needed = neededOps(op, assertions);
  auto isNeeded = [&](BlockArgument argument) {
    return llvm::any_of(argument.getUsers(), [&](Operation *user) {
      Operation *inBody = op.getBody()->findAncestorOpInBlock(*user);
      return needed.contains(inBody) || isa<cf::AssertOp>(inBody);
    });
  };
  SmallVector<unsigned> operands;
  llvm::SmallBitVector covered(op.getNumLoops()), loops(op.getNumLoops());
  for (BlockArgument argument : op.getBody()->getArguments()) {
    if (!isNeeded(argument))
      continue;
    unsigned index = argument.getArgNumber();
    operands.push_back(index);
    AffineMap map = op.getIndexingMapsArray()[index];
    for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
      if (map.isFunctionOfDim(dim))
        loops.set(dim);
    for (AffineExpr result : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(result))
        covered.set(dim.getPosition());
  }
  for (Operation *inner : needed)
    inner->walk([&](linalg::IndexOp index) { loops.set(index.getDim()); });
  if (loops.any() && !loops.test(covered))
    return {operands, loops};
  return {llvm::to_vector(llvm::seq<unsigned>(0, op->getNumOperands())),
          llvm::SmallBitVector(op.getNumLoops(), true)};
}

/// The number of an assertion that fails in some iteration, plus 1, or 0.
Value Separator::makeCheck(linalg::GenericOp op,
                           ArrayRef<cf::AssertOp> assertions,
                           int32_t firstNumber) {
  Location loc = op.getLoc();
  SmallVector<unsigned> operands;
  llvm::SmallBitVector loops;
  std::tie(operands, loops) = neededOperands(op, assertions);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (unsigned index : operands) {
    inputs.push_back(op->getOperand(index));
    maps.push_back(op.getIndexingMapsArray()[index]);
  }
  maps.push_back(AffineMap::get(op.getNumLoops(), 0, op.getContext()));
  llvm::SmallBitVector dropped = loops;
  dropped.flip();
  for (AffineMap &map : maps)
    map = compressDims(map, dropped);
  SmallVector<int64_t> newDims(op.getNumLoops(), 0);
  for (unsigned dim = 0, next = 0; dim < op.getNumLoops(); ++dim)
    newDims[dim] = loops.test(dim) ? next++ : -1;

  Value zero = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(RankedTensorType::get({}, builder.getI32Type()),
                             int32_t(0)));
  SmallVector<utils::IteratorType> iterators(loops.count(),
                                             utils::IteratorType::reduction);
  auto check = linalg::GenericOp::create(
      builder, loc, zero.getType(), inputs, zero, maps, iterators,
      [&](OpBuilder &inner, Location, ValueRange arguments) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(inner.getInsertionBlock());
        makeCheckBody(op, assertions, firstNumber, operands, newDims,
                      arguments);
      });
  return tensor::ExtractOp::create(builder, loc, check.getResult(0));
}

/// Reads within the tensor, whatever the indices: which assertion comes first
/// is no matter to a check, so that it may meet indices that one refuses.
static void clampIndices(OpBuilder &builder, tensor::ExtractOp op) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  Location loc = op.getLoc();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  for (auto [dim, index] : llvm::enumerate(op.getIndices())) {
    Value size = builder.createOrFold<tensor::DimOp>(loc, op.getTensor(), dim);
    Value last = arith::SubIOp::create(builder, loc, size, one);
    Value clamped = arith::MinSIOp::create(builder, loc, index, last);
    op.getIndicesMutable()[dim].set(
        arith::MaxSIOp::create(builder, loc, clamped, zero));
  }
}

void Separator::makeCheckBody(linalg::GenericOp op,
                              ArrayRef<cf::AssertOp> assertions,
                              int32_t firstNumber, ArrayRef<unsigned> operands,
                              const SmallVector<int64_t> &newDims,
                              ValueRange arguments) {
  IRMapping mapping;
  for (auto [operand, argument] : llvm::zip(operands, arguments))
    mapping.map(op.getBody()->getArgument(operand), argument);
  for (Operation *needed : neededOps(op, assertions)) {
    Operation *copy = builder.clone(*needed, mapping);
    copy->walk([&](Operation *inner) {
      if (auto index = dyn_cast<linalg::IndexOp>(inner))
        index.setDim(newDims[index.getDim()]);
      else if (auto extract = dyn_cast<tensor::ExtractOp>(inner))
        clampIndices(builder, extract);
    });
  }
  Value result = arguments.back();
  Location loc = op.getLoc();
  for (cf::AssertOp assertion : assertions) {
    Value holds = mapping.lookupOrDefault<Value>(assertion.getArg());
    Value number = arith::SelectOp::create(
        builder, loc, holds, constant(loc, 0), constant(loc, ++firstNumber));
    result = arith::MaxSIOp::create(builder, loc, result, number);
  }
  linalg::YieldOp::create(builder, loc, result);
}

std::vector<std::string>
polyattn::driver::separateAssertions(func::FuncOp entry) {
  for (StringRef dialect : {"arith", "cf", "linalg", "scf", "tensor"})
    entry.getContext()->getOrLoadDialect(dialect);
  return Separator(entry).run();
}
