// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What a function takes and returns, so that a call can be checked before it
// is made: compiled code itself trusts its caller.

#ifndef POLYATTN_DRIVER_SIGNATURE_H
#define POLYATTN_DRIVER_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "polyattn/Driver/Array.h"
#include "llvm/Support/Error.h"

namespace polyattn::driver {

/// Arguments of a call do not fit the function.
class ArgumentError : public llvm::ErrorInfo<ArgumentError> {
public:
  static char ID;
  /// The number of arguments or an element type; or else a shape or a value; or
  /// what an assertion of the program itself refuses.
  enum class Kind { Type, Value, Check };

  ArgumentError(Kind kind, const llvm::Twine &message)
      : kind(kind), text(message.str()) {}
  Kind getKind() const { return kind; }
  void log(llvm::raw_ostream &os) const override { os << text; }
  std::error_code convertToErrorCode() const override {
    return std::make_error_code(std::errc::invalid_argument);
  }

private:
  Kind kind;
  std::string text;
};

/// One argument or result.
struct ValueSpec {
  enum class Kind { Scalar, Tensor, Memref };
  Kind kind;
  DType type;
  /// ShapedType::kDynamic where any size will do.
  llvm::SmallVector<int64_t, 4> shape;
  /// The type in MLIR's words.
  std::string text;

  bool isScalar() const { return kind == Kind::Scalar; }
  /// Do arrays of `given` hold what this type means?
  bool accepts(DType given) const;
};

/// How two sizes of arguments must fit together.
struct SizeRule {
  /// The first equals the second; or equals it or 1; or is a multiple of it.
  enum class Kind { Equal, EqualOrOne, Multiple };
  Kind kind;
  unsigned argumentA, dimA;
  unsigned argumentB, dimB;
  /// The op that asks for it.
  std::string op;

  bool holds(llvm::ArrayRef<ArrayView> inputs) const;
};

struct Signature {
  std::string function;
  llvm::SmallVector<ValueSpec> arguments;
  llvm::SmallVector<ValueSpec> results;
  std::vector<SizeRule> sizeRules;

  /// The signature of a function on tensors, memrefs and scalars.
  static llvm::Expected<Signature> get(mlir::func::FuncOp func);

  /// May the function be called with `inputs`?
  llvm::Error check(llvm::ArrayRef<ArrayView> inputs) const;

  /// The type that upstream's lowering gives the function.
  mlir::LLVM::LLVMFunctionType getLoweredType(mlir::MLIRContext *context) const;

  /// Compiled code returns descriptors, and everything when there are several
  /// results, through a pointer that it takes first; a lone scalar as it is.
  bool returnsThroughPointer() const {
    return results.size() > 1 ||
           (results.size() == 1 && !results[0].isScalar());
  }
};

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_SIGNATURE_H
