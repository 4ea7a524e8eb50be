// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn.state_update, attn.state_apply and attn.state_step: from tensors to what
// StreamEmitter works on.

#include "LowerStates.h"
#include "../ShapeChecks.h"
#include "HeadMemory.h"
#include "StateStream.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "polyattn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

using Set = StreamEmitter::Set;

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

/// The memory that `state` is read from, if `updated` is written to it and
/// nobody else in the program looks at either.
static Value memoryToUpdate(Value state, Value updated) {
  auto source = state.getDefiningOp<bufferization::ToTensorOp>();
  if (!source || !source.getWritable() || !source.getRestrict() ||
      !state.hasOneUse() || !updated.hasOneUse())
    return {};
  Operation *user = *updated.user_begin();
  auto target = dyn_cast<bufferization::MaterializeInDestinationOp>(user);
  Value memory = source.getBuffer();
  bool same = target && target.getDest() == memory &&
              target->getBlock() == updated.getParentBlock() &&
              source->getBlock() == target->getBlock();
  if (!same || range_size(memory.getUsers()) != 2)
    return {};
  auto type = cast<MemRefType>(memory.getType());
  return type.getLayout().isIdentity() ? memory : Value();
}

std::string polyattn::attn::whyNoStreamCode(Operation *op) {
  if (!isa<StateUpdateOp, StateApplyOp, StateStepOp>(op))
    return {};
  for (Value operand : op->getOperands())
    if (typeOf(operand).getEncoding())
      return "a tensor has an encoding";
  Value rows = isa<StateUpdateOp>(op) ? cast<StateUpdateOp>(op).getKey()
                                      : op->getOperand(0);
  if (typeOf(rows).getElementType().isF64())
    return "its element type is f64";
  return {};
}

namespace {

template <typename OpT> struct LowerState : OpRewritePattern<OpT> {
  LowerState(MLIRContext *context, const TargetDescription &target)
      : OpRewritePattern<OpT>(context), target(target) {}

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &b) const override {
    std::string reason = whyNoStreamCode(op);
    if (!reason.empty())
      return b.notifyMatchFailure(op, reason);
    emitShapeChecks(b, op);
    Emitter e(b, op.getLoc(), target);
    lower(e, op, b);
    return success();
  }

private:
  static Value rowsOf(StateUpdateOp op) { return op.getKey(); }
  static Value rowsOf(StateApplyOp op) { return op.getQuery(); }
  static Value rowsOf(StateStepOp op) { return op.getQuery(); }

  StreamEmitter emitter(Emitter &e, OpT op, ArrayRef<Set> sets,
                        RankedTensorType state) const {
    int64_t headDim = typeOf(rowsOf(op)).getShape().back();
    return StreamEmitter(e, target, op, unsigned(headDim),
                         *getStateDegree(state, headDim), sets);
  }

  /// Memory for the state with more keys in it: that of the state itself where
  /// the program puts it back there.
  static Value stateMemory(Emitter &e, Value state, Value updated) {
    if (Value memory = memoryToUpdate(state, updated))
      return memory;
    return allocateOutput(e.b, e.loc, typeOf(state), state, state);
  }

  /// What is in its place already is not written to it once more.
  static void leaveInPlace(PatternRewriter &b, Value updated, Value memory) {
    for (Operation *user : llvm::make_early_inc_range(updated.getUsers())) {
      auto target = dyn_cast<bufferization::MaterializeInDestinationOp>(user);
      if (target && target.getDest() == memory)
        b.eraseOp(target);
    }
  }

  static Set makeSet(Emitter &e, Value state, Value key, Value value,
                     Value weights, Value updated, Value memory) {
    OpBuilder &b = e.b;
    Value target = toHeads(b, e.loc, memory);
    bool inPlace = memoryToUpdate(state, updated) == memory;
    return {inPlace ? target : headsBuffer(b, e.loc, state),
            headsBuffer(b, e.loc, key), headsBuffer(b, e.loc, value),
            weightsBuffer(b, e.loc, weights, key), target};
  }

  template <typename ReadingOp>
  static StreamEmitter::Readers makeReaders(Emitter &e, ReadingOp op,
                                            Value output) {
    return {headsBuffer(e.b, e.loc, op.getQuery()), toHeads(e.b, e.loc, output),
            *op.getKernel().getPolynomial(), op.getScale().convertToDouble(),
            op.getUnnormalised()};
  }

  void lower(Emitter &e, StateUpdateOp op, PatternRewriter &b) const {
    Value updated = stateMemory(e, op.getState(), op.getUpdated());
    Set set = makeSet(e, op.getState(), op.getKey(), op.getValue(),
                      op.getKeyWeights(), op.getUpdated(), updated);
    emitter(e, op, set, op.getState().getType()).emit(nullptr);
    leaveInPlace(b, op.getUpdated(), updated);
    b.replaceOp(op, toTensor(b, e.loc, op.getState().getType(), updated));
  }

  void lower(Emitter &e, StateApplyOp op, PatternRewriter &b) const {
    SmallVector<Set> sets;
    for (Value state : op.getStates())
      sets.push_back({headsBuffer(b, e.loc, state), {}, {}, {}, {}});
    Value output = allocateOutput(b, e.loc, op.getOutput().getType(),
                                  op.getQuery(), op.getQuery());
    StreamEmitter::Readers readers = makeReaders(e, op, output);
    emitter(e, op, sets, typeOf(op.getStates()[0])).emit(&readers);
    b.replaceOp(op, toTensor(b, e.loc, op.getOutput().getType(), output));
  }

  void lower(Emitter &e, StateStepOp op, PatternRewriter &b) const {
    SmallVector<Set> sets;
    SmallVector<Value> updated;
    for (auto [t, state] : llvm::enumerate(op.getStates())) {
      Value next = op.getUpdated()[t];
      updated.push_back(stateMemory(e, state, next));
      Value weights =
          op.getKeyWeights().empty() ? Value() : op.getKeyWeights()[t];
      sets.push_back(makeSet(e, state, op.getKeys()[t], op.getValues()[t],
                             weights, next, updated.back()));
    }
    Value output = allocateOutput(b, e.loc, op.getOutput().getType(),
                                  op.getQuery(), op.getQuery());
    StreamEmitter::Readers readers = makeReaders(e, op, output);
    emitter(e, op, sets, typeOf(op.getStates()[0])).emit(&readers);
    for (auto [next, memory] : llvm::zip_equal(op.getUpdated(), updated))
      leaveInPlace(b, next, memory);
    SmallVector<Value> results = {
        toTensor(b, e.loc, op.getOutput().getType(), output)};
    for (auto [state, memory] : llvm::zip_equal(op.getStates(), updated))
      results.push_back(toTensor(b, e.loc, typeOf(state), memory));
    b.replaceOp(op, results);
  }

  const TargetDescription &target;
};

} // namespace

void polyattn::attn::addStatePatterns(RewritePatternSet &patterns,
                                      const TargetDescription &target) {
  patterns.add<LowerState<StateUpdateOp>, LowerState<StateApplyOp>,
               LowerState<StateStepOp>>(patterns.getContext(), target);
}
