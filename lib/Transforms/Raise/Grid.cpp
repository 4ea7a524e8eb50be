// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Grid.h"
#include "ScalarFunction.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace polyattn::attn;

struct Grid::Node {
  /// Does it differ from row to row, from key to key?
  bool byRow = false, byKey = false;
  /// Either an operation on operands...
  ScalarFunction function;
  std::vector<std::unique_ptr<Node>> operands;
  /// ... or an index, one part from the row and one from the key, perhaps into
  /// a constant.
  std::vector<int64_t> ofRow, ofKey;
  std::vector<double> table;
  int64_t offset = 0;
  /// The last row asked for.
  std::vector<double> values;

  double leaf(int64_t position) const {
    return table.empty() ? double(position) : table[position];
  }

  void evaluate(int64_t row) {
    if (!function) {
      int64_t base = offset + (byRow ? ofRow[row] : 0);
      for (size_t j = 0; j < values.size(); ++j)
        values[j] = leaf(base + (byKey ? ofKey[j] : 0));
      return;
    }
    const double *data[3] = {nullptr, nullptr, nullptr};
    size_t step[3] = {0, 0, 0};
    static const double none = 0;
    for (size_t k = 0; k < 3; ++k) {
      data[k] = &none;
      if (k >= operands.size())
        continue;
      if (operands[k]->byRow)
        operands[k]->evaluate(row);
      data[k] = operands[k]->values.data();
      step[k] = operands[k]->byKey;
    }
    for (size_t j = 0; j < values.size(); ++j)
      values[j] = function(data[0][j * step[0]], data[1][j * step[1]],
                           data[2][j * step[2]]);
  }
};

Grid::~Grid() = default;

bool Grid::byRow() const { return root->byRow; }

ArrayRef<double> Grid::row(int64_t row) {
  if (root->byRow)
    root->evaluate(row);
  return root->values;
}

/// stride * atom summed over the atoms of an axis, for every place on it. False
/// if some digit belongs to no axis.
static bool positions(Notation &n, Index index, ArrayRef<Atom> axis,
                      SmallVectorImpl<Digit> &rest,
                      std::vector<int64_t> &result) {
  int64_t size = 1;
  for (Atom atom : axis)
    size *= n.atoms.extent(atom);
  result.assign(size, 0);
  rest.clear();
  for (const Digit &digit : index.digits) {
    auto *found = llvm::find(axis, digit.atom);
    if (found == axis.end()) {
      rest.push_back(digit);
      continue;
    }
    int64_t inner = 1, extent = n.atoms.extent(digit.atom);
    for (Atom atom : ArrayRef(found + 1, axis.end()))
      inner *= n.atoms.extent(atom);
    for (int64_t i = 0; i < size; ++i)
      result[i] += digit.stride * (i / inner % extent);
  }
  return rest.size() < index.digits.size();
}

template <typename... Attrs>
static void appendResource(DenseResourceElementsAttr resource,
                           std::vector<double> &result) {
  auto append = [&](auto typed) {
    if (typed)
      if (auto values = typed.tryGetAsArrayRef())
        result.assign(values->begin(), values->end());
  };
  (append(dyn_cast<Attrs>(resource)), ...);
}

/// Those that exporters keep outside of the text. Booleans come as bytes.
static std::vector<double> numbersOf(DenseResourceElementsAttr resource) {
  std::vector<double> result;
  appendResource<DenseF32ResourceElementsAttr, DenseF64ResourceElementsAttr,
                 DenseI8ResourceElementsAttr, DenseI16ResourceElementsAttr,
                 DenseI32ResourceElementsAttr, DenseI64ResourceElementsAttr>(
      resource, result);
  if (resource.getElementType().isInteger(1))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      for (char x : blob->getData())
        result.push_back(x != 0);
  if (int64_t(result.size()) != resource.getNumElements())
    result.clear();
  return result;
}

/// The numbers of a constant; empty if there are none to be read.
static std::vector<double> numbersOf(Value tensor) {
  std::vector<double> result;
  ElementsAttr elements;
  if (!matchPattern(tensor, m_Constant(&elements)))
    return result;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    return numbersOf(resource);
  auto append = [&](auto values, auto convert) {
    for (const auto &value : values)
      result.push_back(convert(value));
  };
  Type type = elements.getElementType();
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense)
    return result;
  if (isa<FloatType>(type))
    append(dense.getValues<APFloat>(),
           [](const APFloat &x) { return x.convertToDouble(); });
  else if (type.isInteger(1))
    append(dense.getValues<bool>(), [](bool x) { return double(x); });
  else if (type.isIntOrIndex())
    append(dense.getValues<APInt>(),
           [](const APInt &x) { return double(x.getSExtValue()); });
  return result;
}

std::unique_ptr<Grid::Node>
Grid::build(Notation &n, Expr *e, ArrayRef<Atom> rows, ArrayRef<Atom> keys) {
  e = n.look(e);
  auto node = std::make_unique<Node>();
  auto sized = [&]() {
    node->values.resize(node->byKey ? numKeys : 1);
    if (!node->byRow)
      node->evaluate(0);
    return std::move(node);
  };
  if (auto number = n.number(e)) {
    node->values = {*number};
    return node;
  }
  if (e->kind == Expr::Kind::Apply) {
    node->function = scalarFunction(e->op);
    if (!node->function || e->operands.size() > 3)
      return nullptr;
    for (Expr *operand : e->operands) {
      auto inner = build(n, operand, rows, keys);
      if (!inner)
        return nullptr;
      node->byRow |= inner->byRow;
      node->byKey |= inner->byKey;
      node->operands.push_back(std::move(inner));
    }
    return sized();
  }
  Index index;
  if (e->kind == Expr::Kind::Position) {
    index = e->indices[0];
  } else if (e->kind == Expr::Kind::Access && !e->indices.empty()) {
    auto type = cast<RankedTensorType>(e->tensor.getType());
    node->table = numbersOf(e->tensor);
    auto linear = type.hasStaticShape()
                      ? n.atoms.linearize(e->indices, type.getShape())
                      : std::nullopt;
    if (node->table.empty() || !linear)
      return nullptr;
    index = *linear;
  } else {
    return nullptr;
  }
  index = n.atoms.resolve(index);
  node->offset = index.offset;
  SmallVector<Digit> rest, none;
  node->byRow = positions(n, index, rows, rest, node->ofRow);
  Index ofKeys{{rest.begin(), rest.end()}, 0};
  node->byKey = positions(n, ofKeys, keys, none, node->ofKey);
  if (!none.empty())
    return nullptr;
  return sized();
}

/// Looking into the expression may cut atoms; it then begins anew with parts.
std::unique_ptr<Grid> Grid::of(Notation &n, Expr *e, ArrayRef<Atom> rows,
                               ArrayRef<Atom> keys) {
  int64_t size = 1;
  auto partsOf = [&](ArrayRef<Atom> axis, int64_t &extent) {
    Axis result;
    extent = 1;
    for (Atom atom : axis) {
      bool isKnown = !ShapedType::isDynamic(n.atoms.extent(atom)) && size;
      size = isKnown ? size * n.atoms.extent(atom) : 0;
      extent *= n.atoms.extent(atom);
      llvm::append_range(result, n.atoms.parts(atom));
    }
    return result;
  };
  while (true) {
    std::unique_ptr<Grid> grid(new Grid());
    size = 1;
    Axis rowParts = partsOf(rows, grid->numRows);
    Axis keyParts = partsOf(keys, grid->numKeys);
    if (!size || size > int64_t(1) << 26)
      return nullptr;
    grid->root = grid->build(n, e, rowParts, keyParts);
    if (grid->root)
      return grid;
    int64_t extent;
    if (partsOf(rows, extent) == rowParts && partsOf(keys, extent) == keyParts)
      return nullptr;
  }
}
