// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Expr.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace polyattn::attn;

Expr *Notation::access(Value tensor, Indices indices, Location loc) {
  Expr e{Expr::Kind::Access,
         getElementTypeOrSelf(tensor.getType()),
         tensor,
         std::move(indices),
         {},
         nullptr,
         {},
         {},
         loc};
  return make(std::move(e));
}

Expr *Notation::open(Expr *access) {
  if (access->kind != Expr::Kind::Access)
    return nullptr;
  auto [entry, isNew] = known.try_emplace(access, nullptr);
  if (!isNew)
    return entry->second;
  Expr *result = openDefinition(access);
  if (result)
    opened.insert(access->tensor.getDefiningOp());
  return known[access] = result;
}

/// Sizes of a group of dimensions.
static SmallVector<int64_t> sizesOf(ArrayRef<int64_t> shape,
                                    ArrayRef<int64_t> dims) {
  return llvm::map_to_vector(dims, [&](int64_t d) { return shape[d]; });
}

static std::optional<Indices> sliceIndices(tensor::ExtractSliceOp op,
                                           ArrayRef<Index> indices) {
  if (ShapedType::isDynamicShape(op.getStaticOffsets()) ||
      ShapedType::isDynamicShape(op.getStaticStrides()))
    return std::nullopt;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  Indices result;
  size_t at = 0;
  for (auto [d, offset] : llvm::enumerate(op.getStaticOffsets())) {
    Index index;
    if (!dropped[d])
      index = scaled(indices[at++], op.getStaticStrides()[d]);
    index.offset += offset;
    result.push_back(index);
  }
  return result;
}

Expr *Notation::openView(Expr *access, Value source,
                         std::optional<Indices> indices) {
  return indices ? this->access(source, *indices, access->loc) : nullptr;
}

static std::optional<Indices> collapsedIndices(tensor::CollapseShapeOp op,
                                               ArrayRef<Index> indices,
                                               Atoms &atoms) {
  Indices result;
  for (auto [g, dims] : llvm::enumerate(op.getReassociationIndices())) {
    auto parts = atoms.delinearize(indices[g],
                                   sizesOf(op.getSrcType().getShape(), dims));
    if (!parts)
      return std::nullopt;
    llvm::append_range(result, *parts);
  }
  // A scalar is a collapse without groups.
  result.resize(op.getSrcType().getRank());
  return result;
}

static std::optional<Indices> expandedIndices(tensor::ExpandShapeOp op,
                                              ArrayRef<Index> indices,
                                              Atoms &atoms) {
  Indices result;
  for (auto dims : op.getReassociationIndices()) {
    ArrayRef<Index> parts = indices.slice(dims.front(), dims.size());
    auto index =
        atoms.linearize(parts, sizesOf(op.getResultType().getShape(), dims));
    if (!index)
      return std::nullopt;
    result.push_back(*index);
  }
  return result;
}

Expr *Notation::openDefinition(Expr *access) {
  Operation *def = access->tensor.getDefiningOp();
  if (!def)
    return nullptr;
  const Indices &indices = access->indices;
  DenseElementsAttr splat;
  if (matchPattern(access->tensor, m_Constant(&splat)) && splat.isSplat()) {
    Expr e = *access;
    e.kind = Expr::Kind::Constant;
    e.constant = splat.getSplatValue<Attribute>();
    return make(std::move(e));
  }
  return llvm::TypeSwitch<Operation *, Expr *>(def)
      .Case([&](tensor::CastOp op) {
        return openView(access, op.getSource(), indices);
      })
      .Case([&](tensor::CollapseShapeOp op) {
        return openView(access, op.getSrc(),
                        collapsedIndices(op, indices, atoms));
      })
      .Case([&](tensor::ExpandShapeOp op) {
        return openView(access, op.getSrc(),
                        expandedIndices(op, indices, atoms));
      })
      .Case([&](tensor::ExtractSliceOp op) {
        return openView(access, op.getSource(), sliceIndices(op, indices));
      })
      .Case([&](tensor::SplatOp op) {
        return openView(access, op.getInput(), Indices());
      })
      .Case([&](tensor::FromElementsOp op) {
        bool single = op.getElements().size() == 1;
        return single ? openView(access, op.getElements()[0], Indices())
                      : nullptr;
      })
      .Case([&](tensor::ExtractOp op) {
        bool scalar = op.getIndices().empty();
        return scalar ? openView(access, op.getTensor(), Indices()) : nullptr;
      })
      .Case([&](linalg::LinalgOp op) { return openLinalg(access, op); })
      .Default([&](Operation *op) { return openScalar(access, op); });
}

/// An op on whole tensors element by element, or on scalars.
Expr *Notation::openScalar(Expr *access, Operation *op) {
  if (matchPattern(op, m_Constant()) && access->indices.empty()) {
    Expr e = *access;
    e.kind = Expr::Kind::Constant;
    if (!matchPattern(access->tensor, m_Constant(&e.constant)) ||
        !isa<FloatAttr, IntegerAttr>(e.constant))
      return nullptr;
    return make(std::move(e));
  }
  if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumResults() != 1 ||
      op->getNumRegions() || !isPure(op))
    return nullptr;
  Expr e = *access;
  e.kind = Expr::Kind::Apply;
  e.op = op;
  for (Value operand : op->getOperands()) {
    bool isTensor = isa<RankedTensorType>(operand.getType());
    if (!isTensor && !operand.getType().isIntOrIndexOrFloat())
      return nullptr;
    e.operands.push_back(this->access(
        operand, isTensor ? access->indices : Indices(), op->getLoc()));
  }
  e.loc = op->getLoc();
  return make(std::move(e));
}

//===----------------------------------------------------------------------===//
// Structured ops
//===----------------------------------------------------------------------===//

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
  return make(std::move(e));
}

//===----------------------------------------------------------------------===//
// Looking through
//===----------------------------------------------------------------------===//

Expr *Notation::throughViews(Expr *e) {
  while (Expr *next = open(e)) {
    if (next->kind != Expr::Kind::Access)
      break;
    e = next;
  }
  return e;
}

Expr *Notation::look(Expr *e) {
  e = throughViews(e);
  Expr *next = open(e);
  return next ? next : e;
}

Expr *Notation::lookThroughCasts(Expr *e) {
  e = look(e);
  while (isFloatCast(e)) {
    if (e->isApply("arith.truncf"))
      roundedTo.insert(e->type);
    e = look(e->operands[0]);
  }
  return e;
}

std::optional<double> Notation::number(Expr *e) {
  e = look(e);
  if (e->kind == Expr::Kind::Constant) {
    if (auto real = dyn_cast<FloatAttr>(e->constant))
      return real.getValueAsDouble();
    if (auto integer = dyn_cast<IntegerAttr>(e->constant))
      return integer.getType().isInteger(1) ? double(integer.getInt() != 0)
                                            : double(integer.getInt());
    return std::nullopt;
  }
  if (e->kind != Expr::Kind::Apply)
    return std::nullopt;
  // Folding knows what every op does to numbers, but does not round them.
  if (isFloatCast(e)) {
    auto inner = number(e->operands[0]);
    if (!inner)
      return std::nullopt;
    APFloat rounded(*inner);
    bool loses;
    rounded.convert(cast<FloatType>(e->type).getFloatSemantics(),
                    APFloat::rmNearestTiesToEven, &loses);
    return rounded.convertToDouble();
  }
  SmallVector<Attribute> operands;
  for (Expr *operand : e->operands) {
    Expr *value = look(operand);
    if (value->kind == Expr::Kind::Apply) {
      auto real = number(value);
      if (!real || !isa<FloatType>(value->type))
        return std::nullopt;
      operands.push_back(FloatAttr::get(value->type, *real));
      continue;
    }
    if (value->kind != Expr::Kind::Constant)
      return std::nullopt;
    operands.push_back(value->constant);
  }
  SmallVector<OpFoldResult> results;
  if (isa<RankedTensorType>(e->op->getResult(0).getType()) ||
      failed(e->op->fold(operands, results)) || results.size() != 1)
    return std::nullopt;
  auto folded = dyn_cast<Attribute>(results[0]);
  if (auto real = dyn_cast_or_null<FloatAttr>(folded))
    return real.getValueAsDouble();
  return std::nullopt;
}

/// Producers are asked only a few steps up: an index may be ignored there, as
/// in a broadcast, but whole models need not be searched for that.
bool Notation::dependsOn(Expr *e, ArrayRef<Atom> which, unsigned depth) {
  auto mentions = [&](const Expr *e) {
    return llvm::any_of(e->indices, [&](const Index &index) {
      return llvm::any_of(atoms.resolve(index).digits, [&](const Digit &d) {
        return llvm::any_of(which, [&](Atom atom) {
          return llvm::is_contained(atoms.parts(atom), d.atom);
        });
      });
    });
  };
  switch (e->kind) {
  case Expr::Kind::Constant:
    return false;
  case Expr::Kind::Position:
    return mentions(e);
  case Expr::Kind::Access: {
    Expr *base = throughViews(e);
    if (!mentions(base))
      return false;
    Expr *inner = depth ? open(base) : nullptr;
    return !inner || dependsOn(inner, which, depth - 1);
  }
  case Expr::Kind::Apply:
  case Expr::Kind::Reduce:
    return llvm::any_of(e->operands, [&](Expr *operand) {
      return dependsOn(operand, which, depth);
    });
  }
  llvm_unreachable("all kinds are handled");
}

bool Notation::dependsOn(Expr *e, ArrayRef<Atom> which) {
  return dependsOn(e, which, 4);
}

void Notation::collectUses(Expr *e, SmallVectorImpl<Index> &uses) {
  llvm::append_range(uses, e->indices);
  for (Expr *operand : e->operands)
    collectUses(operand, uses);
}

//===----------------------------------------------------------------------===//
// Equality
//===----------------------------------------------------------------------===//

bool Notation::equalAccess(Expr *left, Expr *right, ArrayRef<Atom> free,
                           Binding &binding, bool &cut) {
  if (left->tensor != right->tensor ||
      left->indices.size() != right->indices.size())
    return false;
  Binding tried = binding;
  for (auto [l, r] : llvm::zip_equal(left->indices, right->indices))
    if (!atoms.unify(l, r, free, tried, cut))
      return false;
  binding = tried;
  return true;
}

bool Notation::equal(Expr *left, Expr *right, ArrayRef<Atom> free,
                     Binding &binding, bool &cut, unsigned depth) {
  left = throughViews(left);
  right = throughViews(right);
  using Kind = Expr::Kind;
  if (left->kind == Kind::Access && right->kind == Kind::Access &&
      (equalAccess(left, right, free, binding, cut) || cut))
    return !cut;
  if (!depth)
    return false;
  left = look(left);
  right = look(right);
  // Conversions to a wider type change nothing.
  while (left->isApply("arith.extf"))
    left = look(left->operands[0]);
  while (right->isApply("arith.extf"))
    right = look(right->operands[0]);
  if (left->kind != right->kind)
    return false;
  switch (left->kind) {
  case Kind::Access:
    return equalAccess(left, right, free, binding, cut);
  case Kind::Constant: {
    auto l = number(left), r = number(right);
    return l && r && *l == *r;
  }
  case Kind::Position:
    return atoms.unify(left->indices[0], right->indices[0], free, binding, cut);
  case Kind::Apply:
  case Kind::Reduce:
    break;
  }
  if (left->op->getName() != right->op->getName() ||
      left->op->getAttrDictionary() != right->op->getAttrDictionary() ||
      left->operands.size() != right->operands.size())
    return false;
  SmallVector<Atom> bound(free);
  if (left->isReduce()) {
    if (left->atoms.size() != right->atoms.size())
      return false;
    llvm::append_range(bound, right->atoms);
  }
  for (auto [l, r] : llvm::zip_equal(left->operands, right->operands))
    if (!equal(l, r, bound, binding, cut, depth - 1))
      return false;
  return true;
}

/// A cut changes what atoms there are, and so begins anew; each makes atoms
/// smaller, so there is an end.
std::optional<Binding> Notation::unify(Expr *left, Expr *right,
                                       ArrayRef<Atom> free) {
  for (bool cut = true; cut;) {
    cut = false;
    Binding binding;
    if (equal(left, right, free, binding, cut, 12) && !cut)
      return binding;
  }
  return std::nullopt;
}

bool Notation::equal(Expr *left, Expr *right, ArrayRef<Atom> free) {
  return unify(left, right, free).has_value();
}

bool Notation::equalOver(Expr *left, ArrayRef<Atom> keys, Expr *right,
                         ArrayRef<Atom> over) {
  auto binding = unify(left, right, over);
  if (!binding)
    return false;
  auto partsOf = [&](ArrayRef<Atom> whole) {
    SmallVector<Atom> result;
    for (Atom atom : whole)
      llvm::copy_if(atoms.parts(atom), std::back_inserter(result),
                    [&](Atom part) { return atoms.extent(part) != 1; });
    return result;
  };
  SmallVector<Atom> wanted = partsOf(keys), bound;
  for (Atom atom : partsOf(over)) {
    auto found = binding->find(atom);
    if (found == binding->end())
      return false;
    bound.push_back(found->second);
  }
  llvm::sort(wanted);
  llvm::sort(bound);
  return wanted == bound;
}
