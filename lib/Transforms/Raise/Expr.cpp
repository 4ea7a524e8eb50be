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

Expr *Notation::withoutZero(Expr *e) {
  if (e->isApply("arith.addf"))
    for (unsigned i : {0, 1})
      if (number(e->operands[i]) == 0.0)
        return look(e->operands[1 - i]);
  return e;
}

Expr *Notation::product(const Expr &like, Expr *left, Expr *right) {
  Expr e = like;
  e.operands = {left, right};
  return make(std::move(e));
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
