// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Freeze.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "polyattn/Driver/Signature.h"

#include <cstring>

using namespace mlir;
using namespace polyattn::driver;

/// Up to here a constant is an attribute that folders look into: gains, biases,
/// tables of positions.
static constexpr int64_t maxInlineBytes = 16 * 1024;

static bool allEqual(llvm::ArrayRef<char> bytes, unsigned width) {
  return bytes.size() >= width &&
         !std::memcmp(bytes.data(), bytes.data() + width, bytes.size() - width);
}

static ElementsAttr toBooleans(const ArrayView &array, ShapedType type) {
  auto *bytes = static_cast<const char *>(array.data);
  llvm::SmallVector<bool> values;
  for (int64_t i = 0, n = array.numElements(); i < n; ++i)
    values.push_back(bytes[i]);
  return DenseElementsAttr::get(type, values);
}

static ElementsAttr toAttribute(const ArrayView &array, ShapedType type) {
  unsigned width = info(array.type).bytes;
  llvm::ArrayRef<char> bytes(static_cast<const char *>(array.data),
                             array.numBytes());
  // Bits are packed: no memory that a resource could be.
  if (array.type == DType::Bool)
    return toBooleans(array, type);
  if (!bytes.empty() && allEqual(bytes, width))
    return DenseElementsAttr::getFromRawBuffer(type, bytes.take_front(width));
  if (array.numBytes() <= maxInlineBytes || type.getElementType().isIndex())
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  return DenseResourceElementsAttr::get(
      type, "frozen", HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 64));
}

/// The error where `argument` cannot be frozen, for lack of a position or
/// because its array is not of the right type and shape.
static llvm::Error checkArgument(const FrozenArgument &argument,
                                 const Signature &signature) {
  auto error = [](ArgumentError::Kind kind, const Twine &message) {
    return llvm::make_error<ArgumentError>(kind, message);
  };
  std::string name = "argument " + std::to_string(argument.index);
  if (argument.index >= signature.arguments.size())
    return error(ArgumentError::Kind::Value,
                 "'" + signature.function + "' has no " + name);
  const ValueSpec &spec = signature.arguments[argument.index];
  if (spec.kind != ValueSpec::Kind::Tensor)
    return error(ArgumentError::Kind::Type,
                 name + " has type " + spec.text +
                     ": only tensors become constants");
  std::string given =
      shapeText(argument.value.shape, info(argument.value.type).name);
  if (!spec.accepts(argument.value.type))
    return error(ArgumentError::Kind::Type, name +
                                                ": wrong element type: "
                                                "expected " +
                                                spec.text + ", got " + given);
  if (llvm::ArrayRef(spec.shape) != llvm::ArrayRef(argument.value.shape))
    return error(ArgumentError::Kind::Value, name + ": wrong shape: expected " +
                                                 spec.text + ", got " + given);
  return llvm::Error::success();
}

static llvm::Expected<func::FuncOp>
findFunction(Session &session, ModuleOp module, llvm::StringRef entry) {
  auto func = module.lookupSymbol<func::FuncOp>(entry);
  if (!func || func.isDeclaration())
    return session.makeError("no function '" + entry + "' with a body");
  if (!SymbolTable::symbolKnownUseEmpty(func, module))
    return session.makeError("other functions use '" + entry +
                             "': its arguments must stay");
  return func;
}

llvm::Error
polyattn::driver::freezeArguments(Session &session, ModuleOp module,
                                  llvm::StringRef entry,
                                  llvm::ArrayRef<FrozenArgument> arguments) {
  auto func = findFunction(session, module, entry);
  if (!func)
    return func.takeError();
  auto signature = Signature::get(*func);
  if (!signature)
    return session.makeError(llvm::toString(signature.takeError()));
  for (const FrozenArgument &argument : arguments)
    if (llvm::Error error = checkArgument(argument, *signature))
      return error;

  session.getContext().getOrLoadDialect<arith::ArithDialect>();
  OpBuilder builder = OpBuilder::atBlockBegin(&func->front());
  llvm::BitVector frozen(func->getNumArguments());
  for (const FrozenArgument &argument : arguments) {
    BlockArgument value = func->getArgument(argument.index);
    auto type = cast<RankedTensorType>(value.getType());
    frozen.set(argument.index);
    if (!value.use_empty())
      value.replaceAllUsesWith(arith::ConstantOp::create(
          builder, value.getLoc(), type, toAttribute(argument.value, type)));
  }
  if (failed(func->eraseArguments(frozen)))
    return session.makeError("the arguments of '" + entry + "' must stay");
  return llvm::Error::success();
}
