// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn-raise: tries every op that may be the last one of attention, users
// before producers, so that a division after the second product is seen first.

#include "../OpRemarks.h"
#include "AttentionBuilder.h"
#include "RaiseLora.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "polyattn/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace polyattn::attn {
#define GEN_PASS_DEF_ATTNRAISE
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

using namespace mlir;
using namespace polyattn::attn;

static constexpr llvm::StringLiteral passName = "attn-raise";

namespace {

class Raiser {
public:
  explicit Raiser(const RaiseOptions &options) : options(options) {}

  void run(Operation *scope);

private:
  bool raise(Operation *root);
  void eraseDead(Operation *op);
  void reportMisses();

  RaiseOptions options;
  llvm::SmallPtrSet<Operation *, 32> erased;
  /// By the second product, so that one attention is reported once.
  llvm::MapVector<Operation *, Miss> misses;
};

struct RaisePass : polyattn::attn::impl::AttnRaiseBase<RaisePass> {
  using AttnRaiseBase::AttnRaiseBase;
  void runOnOperation() override {
    Raiser({reassociate, assumeRowsAttend}).run(getOperation());
    if (reassociate)
      raiseLora(getOperation());
  }
};

} // namespace

/// The second product itself, or what divides or converts its result.
static bool mayBeRoot(Operation *op) {
  if (op->getNumResults() != 1 || op->use_empty())
    return false;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !isa<FloatType>(type.getElementType()))
    return false;
  if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
    Operation *last =
        structured.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    return structured.getNumReductionLoops() != 0 ||
           isa_and_nonnull<arith::DivFOp, arith::MulFOp, arith::TruncFOp>(last);
  }
  return isa<arith::DivFOp, arith::MulFOp, arith::TruncFOp>(op);
}

static std::string describe(ApproximableOpInterface op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  AttentionSizes sizes = op.getSizes();
  os << "raised to " << op->getName().getStringRef() << ", scale "
     << readable(op.getScale().convertToDouble());
  auto count = [&](int64_t number) {
    return ShapedType::isDynamic(number) ? std::string("?")
                                         : std::to_string(number);
  };
  os << ", " << count(sizes.queryHeads) << " heads";
  if (sizes.queryHeads != sizes.keyHeads)
    os << " that share keys of " << count(sizes.keyHeads);
  os << ", " << count(sizes.numQueries) << " queries, ";
  llvm::interleave(
      op.getKeyAxes(), os,
      [&](const KeyAxis &axis) { os << count(axis.numKeys); }, " x ");
  os << " keys, head_dim " << count(sizes.headDim);
  for (const KeyAxis &axis : op.getKeyAxes())
    if (!axis.mask.admitsAll())
      os << ", mask " << axis.mask;
  auto attention = dyn_cast<AttentionOp>(*op);
  auto tensor = dyn_cast<TensorAttentionOp>(*op);
  if (attention ? bool(attention.getKeyWeights())
                : !tensor.getKeyWeights().empty())
    os << ", with key weights";
  if (attention && attention.getBias())
    os << ", with a bias";
  return text;
}

bool Raiser::raise(Operation *root) {
  Notation notation;
  Value result = root->getResult(0);
  SmallVector<Atom> atoms;
  Indices indices;
  for (int64_t size : cast<RankedTensorType>(result.getType()).getShape()) {
    atoms.push_back(notation.atoms.add(size));
    indices.push_back(notation.atoms.indexOf(atoms.back()));
  }
  AttentionMatcher matcher(notation);
  Expr *output = notation.access(result, indices, root->getLoc());
  if (!matcher.match(output, atoms)) {
    if (matcher.miss)
      misses.insert({matcher.result.secondProduct, *matcher.miss});
    return false;
  }
  OpBuilder builder(root);
  AttentionBuilder attention(notation, matcher.result, options, builder, root);
  Value replacement = attention.build();
  if (!replacement) {
    misses.insert({matcher.result.secondProduct, *attention.miss});
    return false;
  }
  emitPassed(attention.op, passName,
             OpRemark("Raised",
                      describe(cast<ApproximableOpInterface>(attention.op))));
  result.replaceAllUsesWith(replacement);
  eraseDead(root);
  return true;
}

void Raiser::eraseDead(Operation *op) {
  SmallVector<Operation *> work{op};
  while (!work.empty()) {
    Operation *next = work.pop_back_val();
    if (erased.contains(next) || !isOpTriviallyDead(next))
      continue;
    for (Value operand : next->getOperands())
      if (Operation *def = operand.getDefiningOp())
        work.push_back(def);
    // Values that bodies use from outside.
    next->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *def = operand.getDefiningOp())
          if (!next->isAncestor(def))
            work.push_back(def);
    });
    erased.insert(next);
    next->erase();
  }
}

void Raiser::reportMisses() {
  for (const auto &[product, miss] : misses) {
    if (erased.contains(product))
      continue;
    OpRemark remark("NotRaised", "attention not raised: " + miss.text);
    remark.addTo(
        mlir::remark::missed(miss.loc, remark.options(product, passName)));
  }
}

void Raiser::run(Operation *scope) {
  SmallVector<Operation *> candidates;
  scope->walk([&](Operation *op) {
    if (mayBeRoot(op))
      candidates.push_back(op);
  });
  for (Operation *op : llvm::reverse(candidates))
    if (!erased.contains(op) && !op->use_empty())
      raise(op);
  reportMisses();
}
