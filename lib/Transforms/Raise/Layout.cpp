// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Layout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace polyattn::attn;

Axis Layout::partsOf(ArrayRef<Atom> axis) {
  Axis result;
  for (Atom atom : axis)
    for (Atom part : n.atoms.parts(atom))
      if (n.atoms.extent(part) != 1)
        result.push_back(part);
  return result;
}

/// Each dimension as a slice whose positions are mixed-radix numbers of atoms.
std::optional<SmallVector<Layout::Piece>> Layout::pieces(Expr *access) {
  auto type = dyn_cast<RankedTensorType>(access->tensor.getType());
  if (!type)
    return std::nullopt;
  SmallVector<Piece> result;
  llvm::SmallDenseSet<Atom> seen;
  for (auto [size, unresolved] :
       llvm::zip_equal(type.getShape(), access->indices)) {
    Index index = n.atoms.resolve(unresolved);
    Piece piece{index.offset, 1, {}, false};
    if (!index.digits.empty())
      piece.step = index.digits.back().stride;
    // MLIR's lowering of memory takes indices times strides for unsigned.
    if (!ShapedType::isDynamic(piece.step) && piece.step < 0)
      return std::nullopt;
    int64_t stride = piece.step;
    for (const Digit &digit : llvm::reverse(index.digits)) {
      if (digit.stride != stride || ShapedType::isDynamic(stride) ||
          !seen.insert(digit.atom).second)
        return std::nullopt;
      piece.atoms.insert(piece.atoms.begin(), digit.atom);
      int64_t extent = n.atoms.extent(digit.atom);
      stride = ShapedType::isDynamic(extent) ? extent : stride * extent;
    }
    piece.isWhole = piece.offset == 0 && piece.step == 1 && (stride == size);
    if (!piece.isWhole && ShapedType::isDynamic(stride))
      return std::nullopt;
    // A program with unknown sizes may read past the end.
    int64_t last = index.digits.empty() ? piece.offset
                                        : piece.offset + stride - piece.step;
    if (!piece.isWhole && !ShapedType::isDynamic(size) &&
        (std::min(piece.offset, last) < 0 ||
         std::max(piece.offset, last) >= size))
      return std::nullopt;
    result.push_back(piece);
  }
  return result;
}

bool Layout::reads(Expr *e, ArrayRef<Atom> axis) {
  SmallVector<Index> uses;
  n.collectUses(e, uses);
  Axis parts = partsOf(axis);
  return llvm::any_of(uses, [&](const Index &index) {
    return llvm::any_of(n.atoms.resolve(index).digits, [&](const Digit &d) {
      return llvm::is_contained(parts, d.atom);
    });
  });
}

static SmallVector<Atom> flat(ArrayRef<Axis> axes) {
  SmallVector<Atom> result;
  for (const Axis &axis : axes)
    llvm::append_range(result, axis);
  return result;
}

std::optional<int> Layout::copies(Expr *access, ArrayRef<Axis> axes) {
  auto found = pieces(access);
  if (!found)
    return std::nullopt;
  SmallVector<Axis> whole = llvm::map_to_vector(
      axes, [&](const Axis &axis) { return partsOf(axis); });
  SmallVector<Atom> order = flat(whole), atoms;
  int slices = 0;
  for (const Piece &piece : *found) {
    llvm::append_range(atoms, piece.atoms);
    slices += !piece.isWhole;
  }
  for (Atom atom : atoms)
    if (!llvm::is_contained(order, atom))
      return std::nullopt;
  llvm::erase_if(order, [&](Atom a) { return !llvm::is_contained(atoms, a); });
  return 2 * (order != atoms) + (slices > 0);
}

void Layout::addSizes(Expr *access) {
  if (access->kind == Expr::Kind::Access && !access->indices.empty())
    sizeSources.push_back(access);
}

OpFoldResult Layout::sizeOf(Atom atom) {
  int64_t extent = n.atoms.extent(atom);
  if (!ShapedType::isDynamic(extent))
    return b.getIndexAttr(extent);
  for (Expr *source : sizeSources) {
    auto found = pieces(source);
    if (!found)
      continue;
    for (auto [d, piece] : llvm::enumerate(*found)) {
      if (piece.atoms.empty() || piece.atoms.front() != atom || !piece.isWhole)
        continue;
      Value size = b.createOrFold<tensor::DimOp>(loc, source->tensor, d);
      int64_t inner = 1;
      for (Atom other : ArrayRef(piece.atoms).drop_front())
        inner *= n.atoms.extent(other);
      if (inner == 1)
        return size;
      Value divisor = arith::ConstantIndexOp::create(b, loc, inner);
      return b.createOrFold<arith::DivUIOp>(loc, size, divisor);
    }
  }
  return {};
}

OpFoldResult Layout::product(ArrayRef<Atom> atoms) {
  int64_t known = 1;
  Value unknown;
  for (Atom atom : atoms) {
    OpFoldResult size = sizeOf(atom);
    if (!size)
      return {};
    if (auto number = getConstantIntValue(size))
      known *= *number;
    else
      unknown = unknown ? b.createOrFold<arith::MulIOp>(loc, unknown,
                                                        cast<Value>(size))
                        : cast<Value>(size);
  }
  if (!unknown)
    return b.getIndexAttr(known);
  if (known == 1)
    return unknown;
  Value factor = arith::ConstantIndexOp::create(b, loc, known);
  return b.createOrFold<arith::MulIOp>(loc, unknown, factor);
}

Value Layout::slice(Value tensor, ArrayRef<Piece> pieces) {
  if (llvm::all_of(pieces, [](const Piece &p) { return p.isWhole; }))
    return tensor;
  SmallVector<OpFoldResult> offsets, steps;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
  for (auto [d, piece] : llvm::enumerate(pieces)) {
    offsets.push_back(b.getIndexAttr(piece.offset));
    steps.push_back(b.getIndexAttr(piece.step));
    if (!piece.isWhole)
      sizes[d] = product(piece.atoms);
  }
  return tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes, steps);
}

/// Every atom gets a dimension; other dimensions have size 1.
Value Layout::split(Value tensor, ArrayRef<Piece> pieces,
                    SmallVectorImpl<std::optional<Atom>> &dims) {
  SmallVector<ReassociationIndices> groups;
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> shape;
  bool splits = false;
  SmallVector<OpFoldResult> whole = tensor::getMixedSizes(b, loc, tensor);
  for (auto [d, piece] : llvm::enumerate(pieces)) {
    ReassociationIndices group;
    splits |= piece.atoms.size() > 1;
    int64_t inner = 1;
    for (Atom atom : ArrayRef(piece.atoms).drop_front(!piece.atoms.empty()))
      inner *= n.atoms.extent(atom);
    auto append = [&](std::optional<Atom> atom, OpFoldResult size) {
      group.push_back(dims.size());
      dims.push_back(atom);
      sizes.push_back(size);
      shape.push_back(atom ? n.atoms.extent(*atom) : 1);
    };
    if (piece.atoms.empty())
      append(std::nullopt, b.getIndexAttr(1));
    for (auto [k, atom] : llvm::enumerate(piece.atoms)) {
      OpFoldResult size = b.getIndexAttr(n.atoms.extent(atom));
      if (ShapedType::isDynamic(n.atoms.extent(atom))) {
        size = whole[d];
        if (inner != 1)
          size = b.createOrFold<arith::DivUIOp>(
              loc, cast<Value>(size),
              arith::ConstantIndexOp::create(b, loc, inner));
      }
      append(atom, size);
    }
    groups.push_back(group);
  }
  if (!splits)
    return tensor;
  auto type = cast<RankedTensorType>(tensor.getType());
  return tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
      groups, sizes);
}

Value Layout::repeat(Value tensor, SmallVectorImpl<std::optional<Atom>> &dims,
                     ArrayRef<Atom> missing) {
  if (missing.empty())
    return tensor;
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
  SmallVector<int64_t> added;
  for (Atom atom : missing) {
    OpFoldResult size = sizeOf(atom);
    if (!size)
      return {};
    added.push_back(sizes.size());
    sizes.push_back(size);
    dims.push_back(atom);
  }
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
  return linalg::BroadcastOp::create(b, loc, tensor, empty, added)
      ->getResult(0);
}

/// Atoms in this order; dimensions of size 1 stay in front of what they were in
/// front of.
Value Layout::transpose(Value tensor,
                        SmallVectorImpl<std::optional<Atom>> &dims,
                        ArrayRef<Atom> order) {
  SmallVector<Atom> now;
  for (std::optional<Atom> dim : dims)
    if (dim)
      now.push_back(*dim);
  if (ArrayRef(now) == order)
    return tensor;
  SmallVector<int64_t> permutation;
  SmallVector<std::optional<Atom>> after;
  auto take = [&](int64_t d) {
    permutation.push_back(d);
    after.push_back(dims[d]);
  };
  for (auto [d, dim] : llvm::enumerate(dims))
    if (!dim)
      take(d);
  for (Atom atom : order)
    take(llvm::find(dims, std::optional<Atom>(atom)) - dims.begin());
  dims = after;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
  SmallVector<OpFoldResult> permuted;
  for (int64_t d : permutation)
    permuted.push_back(sizes[d]);
  Value empty = tensor::EmptyOp::create(b, loc, permuted,
                                        getElementTypeOrSelf(tensor.getType()));
  return linalg::TransposeOp::create(b, loc, tensor, empty, permutation)
      ->getResult(0);
}

/// From one dimension for each atom to one for each axis.
Value Layout::merge(Value tensor, ArrayRef<std::optional<Atom>> dims,
                    ArrayRef<Axis> axes) {
  // Groups of those axes that there are; sizes 1 join what follows them.
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices group;
  size_t at = 0;
  for (const Axis &axis : axes) {
    size_t left = axis.size();
    if (!left)
      continue;
    for (; left; ++at) {
      group.push_back(at);
      left -= dims[at].has_value();
    }
    groups.push_back(std::exchange(group, {}));
  }
  for (; at < dims.size(); ++at)
    (groups.empty() ? group : groups.back()).push_back(at);
  if (groups.size() != dims.size())
    tensor = tensor::CollapseShapeOp::create(b, loc, tensor, groups);
  if (groups.size() == axes.size())
    return tensor;

  // Axes that are not there are of size 1.
  SmallVector<ReassociationIndices> expanded(groups.size());
  SmallVector<OpFoldResult> sizes, now = tensor::getMixedSizes(b, loc, tensor);
  SmallVector<int64_t> shape;
  auto type = cast<RankedTensorType>(tensor.getType());
  size_t g = 0;
  for (auto [d, axis] : llvm::enumerate(axes)) {
    bool isThere = !axis.empty();
    size_t owner = isThere ? g++ : std::min(g, groups.size() - 1);
    if (!groups.empty())
      expanded[owner].push_back(d);
    sizes.push_back(isThere ? now[g - 1] : OpFoldResult(b.getIndexAttr(1)));
    shape.push_back(isThere ? type.getDimSize(g - 1) : 1);
  }
  return tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
      expanded, sizes);
}

Value Layout::tensorOf(Expr *access, ArrayRef<Axis> axes, bool repeatAll) {
  auto found = pieces(access);
  if (!found)
    return {};
  SmallVector<Axis> wanted;
  SmallVector<Atom> atoms, missing;
  for (const Piece &piece : *found)
    llvm::append_range(atoms, piece.atoms);
  for (const Axis &axis : axes) {
    Axis parts = partsOf(axis);
    bool isThere = llvm::any_of(
        parts, [&](Atom atom) { return llvm::is_contained(atoms, atom); });
    if (!isThere && !repeatAll)
      parts.clear();
    for (Atom atom : parts)
      if (!llvm::is_contained(atoms, atom))
        missing.push_back(atom);
    wanted.push_back(parts);
  }
  SmallVector<Atom> order = flat(wanted);
  for (Atom atom : atoms)
    if (!llvm::is_contained(order, atom))
      return {};
  SmallVector<std::optional<Atom>> dims;
  Value tensor = split(slice(access->tensor, *found), *found, dims);
  tensor = repeat(tensor, dims, missing);
  return tensor ? merge(transpose(tensor, dims, order), dims, wanted) : Value();
}
