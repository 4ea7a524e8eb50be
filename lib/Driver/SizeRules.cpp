// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "SizeRules.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "polyattn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::driver;

namespace {
class Collector {
public:
  explicit Collector(func::FuncOp func) : func(func) {}

  void visit(Operation *op) {
    opName = op->getName().getStringRef().str();
    if (auto attention = dyn_cast<attn::AttentionOp>(op))
      visitAttention(attention);
    if (auto tensor = dyn_cast<attn::TensorAttentionOp>(op))
      visitTensorAttention(tensor);
    if (auto check = dyn_cast<attn::CheckBoundOp>(op))
      visitCheck(check);
    if (auto center = dyn_cast<attn::CenterKeysOp>(op))
      visitKeyWeights(center.getKeyWeights(), center.getKey());
    if (auto update = dyn_cast<attn::StateUpdateOp>(op))
      visitKeysOfState(update.getState(), update.getKey(), update.getValue(),
                       update.getKeyWeights());
    if (auto apply = dyn_cast<attn::StateApplyOp>(op))
      visitReaders(apply.getQuery(), apply.getStates());
    if (auto step = dyn_cast<attn::StateStepOp>(op))
      visitStep(step);
    if (auto normalizer = dyn_cast<attn::NormalizerOp>(op))
      visitScores(normalizer);
    if (auto grad = dyn_cast<attn::AttentionGradOp>(op))
      visitGrad(grad);
    if (auto linear = dyn_cast<attn::LoraLinearOp>(op)) {
      visitLoraRows(linear.getX(), linear, linear.getAdapters());
      if (linear.getBias())
        add(Kind::Equal, linear.getBias(), 0, linear.getWeight(),
            attn::LoraLayout{linear.getTransposed()}.out());
    }
    if (auto merge = dyn_cast<attn::LoraMergeOp>(op))
      visitLoraMatrices(merge);
    if (auto grad = dyn_cast<attn::LoraLinearGradOp>(op)) {
      visitLoraRows(grad.getX(), grad, grad.getAdapters());
      add(Kind::Equal, grad.getDy(), -1, grad.getWeight(),
          attn::LoraLayout{grad.getTransposed()}.out());
      for (int i = 0; i < rank(grad.getX()) - 1; ++i)
        add(Kind::Equal, grad.getDy(), i, grad.getX(), i);
    }
    if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      visitStructured(structured);
  }

  std::vector<SizeRule> rules;

private:
  using Kind = SizeRule::Kind;

  static Value skipCasts(Value value) {
    while (auto cast = value.getDefiningOp<tensor::CastOp>())
      value = cast.getSource();
    return value;
  }

  /// Size `dimA` of `a` against size `dimB` of `b`, counted from the back if
  /// negative, where both are arguments of the function.
  void add(Kind kind, Value a, int dimA, Value b, int dimB) {
    auto argA = dyn_cast<BlockArgument>(skipCasts(a));
    auto argB = dyn_cast<BlockArgument>(skipCasts(b));
    if (!argA || !argB || argA.getOwner() != &func.front() ||
        argB.getOwner() != &func.front())
      return;
    unsigned atA = dimA < 0 ? rank(a) + dimA : dimA;
    unsigned atB = dimB < 0 ? rank(b) + dimB : dimB;
    rules.push_back(
        {kind, argA.getArgNumber(), atA, argB.getArgNumber(), atB, opName});
  }

  static int rank(Value value) {
    return cast<ShapedType>(value.getType()).getRank();
  }

  void visitQueryAndKey(Value query, Value key) {
    visitHeads(query, key);
    add(Kind::Equal, query, -1, key, -1);
  }

  /// Heads of `query` come in groups that share one of `key`.
  void visitHeads(Value query, Value key) {
    for (int i = 0; i < rank(query) - 3; ++i)
      add(Kind::Equal, query, i, key, i);
    if (rank(query) > 2)
      add(Kind::Multiple, query, -3, key, -3);
  }

  void visitKeysOfState(Value state, Value key, Value value, Value weights) {
    for (int i = 0; i < rank(key) - 2; ++i)
      add(Kind::Equal, key, i, state, i);
    for (int i = 0; i < rank(key) - 1; ++i)
      add(Kind::Equal, key, i, value, i);
    visitKeyWeights(weights, key);
  }

  void visitReaders(Value query, ValueRange states) {
    visitHeads(query, states.front());
    for (Value state : states)
      for (int i = 0; i < rank(state) - 2; ++i)
        add(Kind::Equal, states.front(), i, state, i);
  }

  void visitStep(attn::StateStepOp op) {
    visitReaders(op.getQuery(), op.getStates());
    for (auto [t, key] : llvm::enumerate(op.getKeys())) {
      add(Kind::Equal, op.getQuery(), -2, key, -2);
      visitKeysOfState(op.getStates()[t], key, op.getValues()[t],
                       op.getKeyWeights().empty() ? Value()
                                                  : op.getKeyWeights()[t]);
    }
  }

  /// A's and B's last two dimensions beside those of the weight.
  template <typename OpT> void visitLoraMatrices(OpT op) {
    attn::LoraLayout layout{op.getTransposed()};
    int in = layout.in() - 2, out = layout.out() - 2;
    add(Kind::Equal, op.getA(), in, op.getWeight(), in);
    add(Kind::Equal, op.getB(), out, op.getWeight(), out);
    add(Kind::Equal, op.getA(), out, op.getB(), in);
  }

  template <typename OpT> void visitLoraRows(Value x, OpT op, Value adapters) {
    visitLoraMatrices(op);
    add(Kind::Equal, x, -1, op.getWeight(),
        attn::LoraLayout{op.getTransposed()}.in());
    if (!adapters)
      return;
    add(Kind::Equal, op.getA(), 0, op.getB(), 0);
    for (int i = 0; i < rank(adapters); ++i)
      add(Kind::Equal, adapters, i, x, i);
  }

  /// Query, key, bias and key weights.
  template <typename OpT> void visitScores(OpT op) {
    Value query = op.getQuery(), key = op.getKey();
    visitQueryAndKey(query, key);
    if (Value bias = op.getBias()) {
      for (int i = 0; i < rank(bias) - 1; ++i)
        add(Kind::EqualOrOne, bias, i, query, i);
      add(Kind::EqualOrOne, bias, -1, key, -2);
    }
    visitKeyWeights(op.getKeyWeights(), key);
  }

  template <typename OpT> void visitAttention(OpT op) {
    visitScores(op);
    for (int i = 0; i < rank(op.getKey()) - 1; ++i)
      add(Kind::Equal, op.getKey(), i, op.getValue(), i);
  }

  void visitGrad(attn::AttentionGradOp op) {
    visitAttention(op);
    for (Value rows : {op.getNormalizer(), op.getOutput(), op.getGradOutput()})
      for (int i = 0; i < rank(op.getQuery()) - 1; ++i)
        add(Kind::Equal, rows, i, op.getQuery(), i);
    for (Value rows : {op.getOutput(), op.getGradOutput()})
      add(Kind::Equal, rows, -1, op.getValue(), -1);
  }

  void visitTensorAttention(attn::TensorAttentionOp op) {
    for (auto [key, value] : llvm::zip_equal(op.getKeys(), op.getValues())) {
      visitQueryAndKey(op.getQuery(), key);
      for (int i = 0; i < rank(key) - 1; ++i)
        add(Kind::Equal, key, i, value, i);
      add(Kind::Equal, op.getValues()[0], -1, value, -1);
    }
    for (auto [weights, key] : llvm::zip(op.getKeyWeights(), op.getKeys()))
      visitKeyWeights(weights, key);
  }

  void visitCheck(attn::CheckBoundOp op) {
    for (Value key : op.getAllKeys())
      visitQueryAndKey(op.getQuery(), key);
    visitKeyWeights(op.getKeyWeights(), op.getKey());
  }

  /// One for each key, or none at all.
  void visitKeyWeights(Value weights, Value key) {
    if (!weights)
      return;
    for (int i = 0; i < rank(weights) - 1; ++i)
      add(Kind::EqualOrOne, weights, i, key, i);
    add(Kind::Equal, weights, -1, key, -2);
  }

  /// Every loop runs over one number, whichever operand it is read from.
  void visitStructured(linalg::LinalgOp op) {
    llvm::SmallVector<std::pair<Value, int>> first(op.getNumLoops());
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = op.getMatchingIndexingMap(&operand);
      for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
        auto loop = dyn_cast<AffineDimExpr>(expr);
        if (!loop)
          continue;
        auto &[value, at] = first[loop.getPosition()];
        bool isArgument = isa<BlockArgument>(skipCasts(operand.get()));
        if (value)
          add(Kind::Equal, value, at, operand.get(), dim);
        else if (isArgument)
          first[loop.getPosition()] = {operand.get(), int(dim)};
      }
    }
  }

  func::FuncOp func;
  std::string opName;
};
} // namespace

std::vector<SizeRule> polyattn::driver::inferSizeRules(func::FuncOp func) {
  Collector collector(func);
  func.walk([&](Operation *op) { collector.visit(op); });
  return std::move(collector.rules);
}
