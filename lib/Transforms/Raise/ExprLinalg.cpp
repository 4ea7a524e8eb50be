// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Structured ops as expressions: loops become indices, bodies scalar
// arithmetic.

#include "Expr.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace polyattn::attn;

/// An affine expression of loop indices that is a sum; nothing otherwise.
static std::optional<Index> evaluate(AffineExpr expr, ArrayRef<Index> loops) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return loops[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Index{{}, constant.getValue()};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  auto left = evaluate(binary.getLHS(), loops);
  if (!left)
    return std::nullopt;
  if (binary.getKind() == AffineExprKind::Mul)
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return scaled(*left, factor.getValue());
  if (binary.getKind() == AffineExprKind::Add)
    if (auto right = evaluate(binary.getRHS(), loops))
      return sum(*left, *right);
  return std::nullopt;
}

static std::optional<Indices> operandIndices(AffineMap map,
                                             ArrayRef<Index> loops) {
  Indices result;
  for (AffineExpr expr : map.getResults()) {
    auto index = evaluate(expr, loops);
    if (!index)
      return std::nullopt;
    result.push_back(*index);
  }
  return result;
}

/// What each loop is at the element of the result that is accessed. Loops that
/// reduce get atoms of their own.
std::optional<SmallVector<Index>>
Notation::loopIndices(Expr *access, linalg::LinalgOp op,
                      SmallVectorImpl<Atom> &reduced) {
  unsigned number = cast<OpResult>(access->tensor).getResultNumber();
  OpOperand *init = op.getDpsInitOperand(number);
  SmallVector<std::optional<Index>> loops(op.getNumLoops());
  AffineMap map = op.getMatchingIndexingMap(init);
  for (auto [expr, index] : llvm::zip_equal(map.getResults(), access->indices))
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      loops[dim.getPosition()] = index;
    else if (!isa<AffineConstantExpr>(expr))
      return std::nullopt;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<Index> result;
  for (auto [d, index] : llvm::enumerate(loops)) {
    bool reduces = kinds[d] == utils::IteratorType::reduction;
    if (reduces == index.has_value())
      return std::nullopt;
    if (reduces) {
      reduced.push_back(atoms.add(ranges[d]));
      index = atoms.indexOf(reduced.back());
    }
    result.push_back(*index);
  }
  return result;
}

/// The expression of a value in the body of a structured op. Null if it uses
/// what cannot be told, such as a running sum.
Expr *Notation::openBody(Value value, linalg::LinalgOp op,
                         ArrayRef<Index> loops) {
  Block *body = op.getBlock();
  auto argument = dyn_cast<BlockArgument>(value);
  if (argument && argument.getOwner() == body) {
    OpOperand *operand = op.getMatchingOpOperand(argument);
    if (op.isDpsInit(operand) && op.getNumReductionLoops())
      return nullptr;
    auto indices = operandIndices(op.getMatchingIndexingMap(operand), loops);
    return indices ? access(operand->get(), *indices, op.getLoc()) : nullptr;
  }
  Operation *def = value.getDefiningOp();
  if (!def || def->getBlock() != body)
    return access(value, {}, op.getLoc());
  if (auto extract = dyn_cast<tensor::ExtractOp>(def))
    return openExtract(extract, op, loops);
  Expr e{Expr::Kind::Apply, value.getType(), {}, {}, {}, def, {}, {},
         def->getLoc()};
  if (auto index = dyn_cast<linalg::IndexOp>(def)) {
    e.kind = Expr::Kind::Position;
    e.indices = {loops[index.getDim()]};
    return make(std::move(e));
  }
  if (matchPattern(value, m_Constant(&e.constant))) {
    e.kind = Expr::Kind::Constant;
    return make(std::move(e));
  }
  if (!def->hasTrait<OpTrait::Elementwise>() || def->getNumResults() != 1 ||
      !isPure(def))
    return nullptr;
  for (Value operand : def->getOperands()) {
    e.operands.push_back(openBody(operand, op, loops));
    if (!e.operands.back())
      return nullptr;
  }
  return make(std::move(e));
}

/// x, if the size is x * c / c, as reshapes there and back leave it.
static Value reducedSize(Value size) {
  IntegerAttr by, times;
  Operation *divide = size.getDefiningOp();
  if (!isa_and_nonnull<arith::DivSIOp, arith::DivUIOp>(divide) ||
      !matchPattern(divide->getOperand(1), m_Constant(&by)))
    return size;
  Operation *multiply = divide->getOperand(0).getDefiningOp();
  if (isa_and_nonnull<arith::MulIOp>(multiply) &&
      matchPattern(multiply->getOperand(1), m_Constant(&times)) &&
      times.getInt() == by.getInt())
    return multiply->getOperand(0);
  auto apply = dyn_cast_or_null<affine::AffineApplyOp>(multiply);
  if (!apply || apply.getMapOperands().size() != 1)
    return size;
  AffineMap map = apply.getAffineMap();
  AffineExpr x = map.getNumDims() ? getAffineDimExpr(0, size.getContext())
                                  : getAffineSymbolExpr(0, size.getContext());
  return map.getResult(0) == x * by.getInt() ? apply.getMapOperands()[0] : size;
}

/// Which loop an index in the body of a structured op is. With sizes that are
/// not known, frontends write broadcasts as "0 if the size is 1, else i"; where
/// the loop has that very size, this is i.
static std::optional<int64_t> loopOf(Value index, linalg::LinalgOp op) {
  if (auto loop = index.getDefiningOp<linalg::IndexOp>())
    return loop.getDim();
  auto select = index.getDefiningOp<arith::SelectOp>();
  if (!select || !matchPattern(select.getTrueValue(), m_Zero()))
    return std::nullopt;
  auto loop = select.getFalseValue().getDefiningOp<linalg::IndexOp>();
  auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
  auto empty = op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>();
  if (!loop || !compare || !empty ||
      compare.getPredicate() != arith::CmpIPredicate::eq ||
      !matchPattern(compare.getRhs(), m_One()) ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return std::nullopt;
  int64_t dim = loop.getDim();
  if (!empty.getType().isDynamicDim(dim) ||
      reducedSize(empty.getDynamicSize(dim)) != reducedSize(compare.getLhs()))
    return std::nullopt;
  return dim;
}

Expr *Notation::openExtract(tensor::ExtractOp extract, linalg::LinalgOp op,
                            ArrayRef<Index> loops) {
  Indices indices;
  for (Value index : extract.getIndices()) {
    IntegerAttr constant;
    if (matchPattern(index, m_Constant(&constant))) {
      indices.push_back({{}, constant.getInt()});
      continue;
    }
    auto loop = loopOf(index, op);
    if (!loop)
      return nullptr;
    indices.push_back(loops[*loop]);
  }
  return access(extract.getTensor(), indices, extract.getLoc());
}

/// A sum of sums from 0 is one sum, and so is a maximum of maxima, all of all
/// and any of any.
void Notation::mergeInner(Expr &reduce) {
  StringRef name = reduce.op->getName().getStringRef();
  bool isSum = name == "arith.addf";
  if (!isSum && name != "arith.maximumf" && name != "arith.maxnumf" &&
      name != "arith.andi" && name != "arith.ori")
    return;
  Expr *inner = look(reduce.operands[1]);
  if (!inner->isReduce() || inner->op->getName().getStringRef() != name)
    return;
  auto first = number(reduce.operands[0]), second = number(inner->operands[0]);
  if (!first || first != second || (isSum && *first != 0))
    return;
  llvm::append_range(reduce.atoms, inner->atoms);
  reduce.operands[1] = inner->operands[1];
}

Expr *Notation::openLinalg(Expr *access, linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics())
    return nullptr;
  SmallVector<Atom> reduced;
  auto loops = loopIndices(access, op, reduced);
  if (!loops)
    return nullptr;
  unsigned number = cast<OpResult>(access->tensor).getResultNumber();
  Value yielded = op.getBlock()->getTerminator()->getOperand(number);
  if (reduced.empty())
    return openBody(yielded, op, *loops);

  // acc = op(acc, element), either way round.
  Operation *combiner = yielded.getDefiningOp();
  BlockArgument running =
      op.getMatchingBlockArgument(op.getDpsInitOperand(number));
  if (!combiner || combiner->getBlock() != op.getBlock() ||
      combiner->getNumOperands() != 2 ||
      !combiner->hasTrait<OpTrait::Elementwise>())
    return nullptr;
  bool first = combiner->getOperand(0) == running;
  if (!first && combiner->getOperand(1) != running)
    return nullptr;
  Expr *element = openBody(combiner->getOperand(first ? 1 : 0), op, *loops);
  if (!element)
    return nullptr;
  Expr e = *access;
  e.kind = Expr::Kind::Reduce;
  e.op = combiner;
  e.atoms.assign(reduced.begin(), reduced.end());
  Value init = op.getDpsInitOperand(number)->get();
  e.operands = {this->access(init, access->indices, access->loc), element};
  e.loc = op.getLoc();
  mergeInner(e);
  return make(std::move(e));
}
