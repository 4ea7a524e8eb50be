// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Grid.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

using Function = std::function<double(double, double, double)>;

//===----------------------------------------------------------------------===//
// Scalar operations on doubles, which hold every i1, index and float of
// interest; whole numbers up to 2^53.
//===----------------------------------------------------------------------===//

static double rounded(double x, Type type) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType || floatType.isF64())
    return x;
  APFloat value(x);
  bool loses;
  value.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                &loses);
  return value.convertToDouble();
}

/// Two's complement in the width of a type; an i1 is 0 or 1.
static double wrapped(double x, Type type) {
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (width >= 64 || !std::isfinite(x))
    return x;
  double size = std::ldexp(1.0, width), low = std::fmod(x, size);
  if (low < 0)
    low += size;
  return width == 1 || low < size / 2 ? low : low - size;
}

/// The number that a signed operation sees: true is -1.
static double asSigned(double x, Type type) {
  return type.isInteger(1) ? -x : x;
}

/// The number that an unsigned operation sees.
static double asUnsigned(double x, Type type) {
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return x < 0 ? x + std::ldexp(1.0, width) : x;
}

static Function compare(arith::CmpIPredicate predicate) {
  auto order = [](double x) { return std::make_pair(x < 0, x); };
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return [](double a, double b, double) { return a == b; };
  case arith::CmpIPredicate::ne:
    return [](double a, double b, double) { return a != b; };
  case arith::CmpIPredicate::slt:
    return [](double a, double b, double) { return a < b; };
  case arith::CmpIPredicate::sle:
    return [](double a, double b, double) { return a <= b; };
  case arith::CmpIPredicate::sgt:
    return [](double a, double b, double) { return a > b; };
  case arith::CmpIPredicate::sge:
    return [](double a, double b, double) { return a >= b; };
  // Negative numbers are the largest ones without a sign.
  case arith::CmpIPredicate::ult:
    return [=](double a, double b, double) { return order(a) < order(b); };
  case arith::CmpIPredicate::ule:
    return [=](double a, double b, double) { return order(a) <= order(b); };
  case arith::CmpIPredicate::ugt:
    return [=](double a, double b, double) { return order(a) > order(b); };
  case arith::CmpIPredicate::uge:
    return [=](double a, double b, double) { return order(a) >= order(b); };
  }
  llvm_unreachable("all predicates are handled");
}

static Function compare(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::OEQ:
    return [](double a, double b, double) { return a == b; };
  case arith::CmpFPredicate::UNE:
    return [](double a, double b, double) { return a != b; };
  case arith::CmpFPredicate::OLT:
    return [](double a, double b, double) { return a < b; };
  case arith::CmpFPredicate::OLE:
    return [](double a, double b, double) { return a <= b; };
  case arith::CmpFPredicate::OGT:
    return [](double a, double b, double) { return a > b; };
  case arith::CmpFPredicate::OGE:
    return [](double a, double b, double) { return a >= b; };
  default:
    return nullptr;
  }
}

static Function integerFunction(Operation *op) {
  using F = Function;
  return llvm::TypeSwitch<Operation *, F>(op)
      .Case([](arith::AddIOp) -> F {
        return [](double a, double b, double) { return a + b; };
      })
      .Case([](arith::SubIOp) -> F {
        return [](double a, double b, double) { return a - b; };
      })
      .Case([](arith::MulIOp) -> F {
        return [](double a, double b, double) { return a * b; };
      })
      .Case([](arith::FloorDivSIOp) -> F {
        return [](double a, double b, double) { return std::floor(a / b); };
      })
      .Case<arith::DivSIOp, arith::DivUIOp>([](auto) -> F {
        return [](double a, double b, double) { return std::trunc(a / b); };
      })
      .Case<arith::RemSIOp, arith::RemUIOp>([](auto) -> F {
        return [](double a, double b, double) { return std::fmod(a, b); };
      })
      .Case([](arith::MaxSIOp) -> F {
        return [](double a, double b, double) { return std::fmax(a, b); };
      })
      .Case([](arith::MinSIOp) -> F {
        return [](double a, double b, double) { return std::fmin(a, b); };
      })
      .Case([](math::AbsIOp) -> F {
        return [](double a, double, double) { return std::fabs(a); };
      })
      .Case([](arith::AndIOp) -> F {
        return [](double a, double b, double) {
          return double(int64_t(a) & int64_t(b));
        };
      })
      .Case([](arith::OrIOp) -> F {
        return [](double a, double b, double) {
          return double(int64_t(a) | int64_t(b));
        };
      })
      .Case([](arith::XOrIOp) -> F {
        return [](double a, double b, double) {
          return double(int64_t(a) ^ int64_t(b));
        };
      })
      .Default([](Operation *) -> F { return nullptr; });
}

static Function floatFunction(Operation *op) {
  using F = Function;
  return llvm::TypeSwitch<Operation *, F>(op)
      .Case([](arith::AddFOp) -> F {
        return [](double a, double b, double) { return a + b; };
      })
      .Case([](arith::SubFOp) -> F {
        return [](double a, double b, double) { return a - b; };
      })
      .Case([](arith::MulFOp) -> F {
        return [](double a, double b, double) { return a * b; };
      })
      .Case([](arith::DivFOp) -> F {
        return [](double a, double b, double) { return a / b; };
      })
      .Case([](arith::NegFOp) -> F {
        return [](double a, double, double) { return -a; };
      })
      .Case([](math::AbsFOp) -> F {
        return [](double a, double, double) { return std::fabs(a); };
      })
      .Case([](arith::MaxNumFOp) -> F {
        return [](double a, double b, double) { return std::fmax(a, b); };
      })
      .Case([](arith::MinNumFOp) -> F {
        return [](double a, double b, double) { return std::fmin(a, b); };
      })
      // NaN if either is.
      .Case([](arith::MaximumFOp) -> F {
        return [](double a, double b, double) {
          return std::isnan(a + b) ? a + b : std::fmax(a, b);
        };
      })
      .Case([](arith::MinimumFOp) -> F {
        return [](double a, double b, double) {
          return std::isnan(a + b) ? a + b : std::fmin(a, b);
        };
      })
      .Default([](Operation *) -> F { return nullptr; });
}

/// An integer operation with operands as it sees them and a result that fits.
static Function wrappedFunction(Operation *op, Function f) {
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  bool isUnsigned = isa<arith::DivUIOp, arith::RemUIOp>(op);
  bool isSigned = isa<arith::MaxSIOp, arith::MinSIOp, arith::DivSIOp,
                      arith::FloorDivSIOp, arith::RemSIOp, math::AbsIOp>(op);
  auto read = isUnsigned ? asUnsigned
              : isSigned ? asSigned
                         : +[](double x, Type) { return x; };
  return [=](double a, double b, double c) {
    return wrapped(f(read(a, type), read(b, type), c), type);
  };
}

static Function comparison(arith::CmpIOp op) {
  Function f = compare(op.getPredicate());
  if (!getElementTypeOrSelf(op.getLhs().getType()).isInteger(1))
    return f;
  return [f](double a, double b, double c) { return f(-a, -b, c); };
}

static Function castFunction(Operation *op) {
  using F = Function;
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  return llvm::TypeSwitch<Operation *, F>(op)
      .Case<arith::ExtSIOp, arith::IndexCastOp, arith::TruncIOp>(
          [=](auto) -> F {
            return [=](double a, double, double) {
              return wrapped(asSigned(a, from), type);
            };
          })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>([=](auto) -> F {
        return [=](double a, double, double) {
          return wrapped(asUnsigned(a, from), type);
        };
      })
      .Case([=](arith::SIToFPOp) -> F {
        return [=](double a, double, double) {
          return rounded(asSigned(a, from), type);
        };
      })
      .Case([=](arith::UIToFPOp) -> F {
        return [=](double a, double, double) {
          return rounded(asUnsigned(a, from), type);
        };
      })
      .Case<arith::ExtFOp, arith::TruncFOp>([=](auto) -> F {
        return [=](double a, double, double) { return rounded(a, type); };
      })
      .Default([](Operation *) -> F { return nullptr; });
}

static Function functionOf(Operation *op) {
  using F = Function;
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  if (F f = integerFunction(op))
    return wrappedFunction(op, f);
  if (F f = floatFunction(op))
    return [f, type](double a, double b, double c) {
      return rounded(f(a, b, c), type);
    };
  if (F f = castFunction(op))
    return f;
  return llvm::TypeSwitch<Operation *, F>(op)
      .Case([](arith::CmpIOp op) { return comparison(op); })
      .Case([](arith::CmpFOp op) { return compare(op.getPredicate()); })
      .Case([](arith::SelectOp) -> F {
        return [](double a, double b, double c) { return a ? b : c; };
      })
      .Default([](Operation *) -> F { return nullptr; });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

struct Grid::Node {
  /// Does it differ from row to row, from key to key?
  bool byRow = false, byKey = false;
  /// Either an operation on operands...
  Function function;
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

/// The numbers of a constant; empty if there are none to be read.
static std::vector<double> numbersOf(Value tensor) {
  std::vector<double> result;
  ElementsAttr elements;
  if (!matchPattern(tensor, m_Constant(&elements)))
    return result;
  auto append = [&](auto values, auto convert) {
    for (const auto &value : values)
      result.push_back(convert(value));
  };
  Type type = elements.getElementType();
  auto resource = dyn_cast<DenseResourceElementsAttr>(elements);
  if (resource) {
    if (auto reals = dyn_cast<DenseF32ResourceElementsAttr>(resource)) {
      if (auto values = reals.tryGetAsArrayRef())
        append(*values, [](float x) { return double(x); });
    } else if (auto wholes = dyn_cast<DenseI64ResourceElementsAttr>(resource)) {
      if (auto values = wholes.tryGetAsArrayRef())
        append(*values, [](int64_t x) { return double(x); });
    } else if (type.isInteger(1)) {
      if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
        append(blob->getData(), [](char x) { return double(x != 0); });
    }
    if (int64_t(result.size()) != elements.getNumElements())
      result.clear();
    return result;
  }
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
    node->function = functionOf(e->op);
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
