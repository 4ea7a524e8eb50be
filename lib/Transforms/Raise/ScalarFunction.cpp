// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "ScalarFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

using Function = ScalarFunction;

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
      // As exporters write quotients of indices.
      .Case([](math::FloorOp) -> F {
        return [](double a, double, double) { return std::floor(a); };
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
      // What does not fit may become anything.
      .Case([=](arith::FPToSIOp) -> F {
        return [=](double a, double, double) {
          return std::fabs(a) < 0x1p62 ? wrapped(std::trunc(a), type) : 0;
        };
      })
      .Case<arith::ExtFOp, arith::TruncFOp>([=](auto) -> F {
        return [=](double a, double, double) { return rounded(a, type); };
      })
      .Default([](Operation *) -> F { return nullptr; });
}

ScalarFunction polyattn::attn::scalarFunction(Operation *op) {
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
