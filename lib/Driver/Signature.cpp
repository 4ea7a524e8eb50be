// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Signature.h"
#include "SizeRules.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace polyattn::driver;

char ArgumentError::ID = 0;

//===----------------------------------------------------------------------===//
// From MLIR types
//===----------------------------------------------------------------------===//

static std::optional<DType> elementType(Type type) {
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  if (type.isF32())
    return DType::F32;
  if (type.isF64())
    return DType::F64;
  if (type.isSignlessInteger(1))
    return DType::Bool;
  if (type.isSignlessInteger(8))
    return DType::I8;
  if (type.isSignlessInteger(16))
    return DType::I16;
  if (type.isSignlessInteger(32))
    return DType::I32;
  if (type.isSignlessInteger(64) || type.isIndex())
    return DType::I64;
  return std::nullopt;
}

static std::optional<ValueSpec> toSpec(Type type) {
  ValueSpec spec{ValueSpec::Kind::Scalar, DType::F32, {}, {}};
  llvm::raw_string_ostream(spec.text) << type;
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    spec.kind = ValueSpec::Kind::Tensor;
    spec.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  } else if (auto memref = dyn_cast<MemRefType>(type)) {
    if (!memref.getLayout().isIdentity() || memref.getMemorySpace())
      return std::nullopt;
    spec.kind = ValueSpec::Kind::Memref;
    spec.shape.assign(memref.getShape().begin(), memref.getShape().end());
  }
  std::optional<DType> element = elementType(getElementTypeOrSelf(type));
  if (!element)
    return std::nullopt;
  spec.type = *element;
  return spec;
}

static llvm::Expected<llvm::SmallVector<ValueSpec>>
toSpecs(TypeRange types, llvm::StringRef what, llvm::StringRef function) {
  llvm::SmallVector<ValueSpec> specs;
  for (auto [index, type] : llvm::enumerate(types)) {
    std::optional<ValueSpec> spec = toSpec(type);
    if (!spec) {
      std::string text;
      llvm::raw_string_ostream(text) << type;
      return llvm::createStringError(
          what + " " + Twine(index) + " of '" + function + "' has type " +
          text +
          "; a function can be called with ranked tensors, contiguous memrefs "
          "and scalars of f16, bf16, f32, f64, i1, i8, i16, i32, i64 and "
          "index");
    }
    specs.push_back(std::move(*spec));
  }
  return specs;
}

llvm::Expected<Signature> Signature::get(func::FuncOp func) {
  llvm::StringRef name = func.getName();
  auto arguments = toSpecs(func.getArgumentTypes(), "argument", name);
  if (!arguments)
    return arguments.takeError();
  auto results = toSpecs(func.getResultTypes(), "result", name);
  if (!results)
    return results.takeError();
  return Signature{name.str(), std::move(*arguments), std::move(*results),
                   func.isDeclaration() ? std::vector<SizeRule>()
                                        : inferSizeRules(func)};
}

//===----------------------------------------------------------------------===//
// To LLVM types
//===----------------------------------------------------------------------===//

static Type loweredElement(DType type, MLIRContext *context) {
  switch (type) {
  case DType::F16:
    return Float16Type::get(context);
  case DType::BF16:
    return BFloat16Type::get(context);
  case DType::F32:
    return Float32Type::get(context);
  case DType::F64:
    return Float64Type::get(context);
  case DType::Bool:
    return IntegerType::get(context, 1);
  default:
    return IntegerType::get(context, info(type).bytes * 8);
  }
}

/// The members of a descriptor: allocated and aligned pointer, offset, sizes
/// and strides, the last two as arrays.
static llvm::SmallVector<Type> descriptorTypes(size_t rank,
                                               MLIRContext *context) {
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type index = IntegerType::get(context, 64);
  llvm::SmallVector<Type> members{pointer, pointer, index};
  if (rank)
    members.append(2, LLVM::LLVMArrayType::get(index, rank));
  return members;
}

LLVM::LLVMFunctionType Signature::getLoweredType(MLIRContext *context) const {
  llvm::SmallVector<Type> inputs, outputs;
  for (const ValueSpec &spec : arguments) {
    if (spec.isScalar()) {
      inputs.push_back(loweredElement(spec.type, context));
      continue;
    }
    size_t rank = spec.shape.size();
    llvm::append_range(inputs, llvm::ArrayRef(descriptorTypes(0, context)));
    inputs.append(2 * rank, IntegerType::get(context, 64));
  }
  for (const ValueSpec &spec : results)
    outputs.push_back(
        spec.isScalar()
            ? loweredElement(spec.type, context)
            : LLVM::LLVMStructType::getLiteral(
                  context, descriptorTypes(spec.shape.size(), context)));
  Type output = outputs.empty() ? LLVM::LLVMVoidType::get(context)
                : outputs.size() == 1
                    ? outputs.front()
                    : LLVM::LLVMStructType::getLiteral(context, outputs);
  return LLVM::LLVMFunctionType::get(output, inputs);
}

//===----------------------------------------------------------------------===//
// Checks of a call
//===----------------------------------------------------------------------===//

bool ValueSpec::accepts(DType given) const {
  auto isInteger = [](DType t) { return t >= DType::I8; };
  if (isInteger(type) && isInteger(given))
    return info(type).bytes == info(given).bytes;
  return type == given || (type == DType::BF16 && given == DType::U16);
}

static llvm::Error error(ArgumentError::Kind kind, const Twine &message) {
  return llvm::make_error<ArgumentError>(kind, message);
}

static bool fits(llvm::ArrayRef<int64_t> shape,
                 llvm::ArrayRef<int64_t> pattern) {
  return shape.size() == pattern.size() &&
         llvm::all_of_zip(shape, pattern, [](int64_t size, int64_t wanted) {
           return ShapedType::isDynamic(wanted) || size == wanted;
         });
}

/// Bytes other than 0 and 1 would be undefined behaviour in compiled code.
static bool hasOnlyBools(const ArrayView &array) {
  auto *bytes = static_cast<const uint8_t *>(array.data);
  return llvm::all_of(llvm::ArrayRef(bytes, array.numElements()),
                      [](uint8_t byte) { return byte < 2; });
}

static llvm::Error checkArgument(const ValueSpec &spec, const ArrayView &array,
                                 const Twine &what) {
  using Kind = ArgumentError::Kind;
  std::string given = shapeText(array.shape, info(array.type).name);
  std::string expected = "expected " + spec.text + ", got " + given;
  if (!spec.accepts(array.type))
    return error(Kind::Type, what + ": wrong element type: " + expected);
  if (array.shape.size() != spec.shape.size())
    return error(Kind::Value,
                 what + ": wrong number of dimensions: " + expected);
  if (!fits(array.shape, spec.shape))
    return error(Kind::Value, what + ": wrong shape: " + expected);
  if (spec.kind == ValueSpec::Kind::Memref && !array.writable)
    return error(Kind::Value, what + ": the function may write to " +
                                  spec.text +
                                  ", so the array must be writable");
  if (spec.type == DType::Bool && !hasOnlyBools(array))
    return error(Kind::Value, what + ": a bool is neither 0 nor 1");
  return llvm::Error::success();
}

bool SizeRule::holds(llvm::ArrayRef<ArrayView> inputs) const {
  int64_t a = inputs[argumentA].shape[dimA], b = inputs[argumentB].shape[dimB];
  switch (kind) {
  case Kind::Equal:
    return a == b;
  case Kind::EqualOrOne:
    return a == b || a == 1;
  case Kind::Multiple:
    return b == 0 ? a == 0 : a % b == 0;
  }
  llvm_unreachable("every kind is listed");
}

static llvm::Error checkSizes(const SizeRule &rule, llvm::StringRef function,
                              llvm::ArrayRef<ArrayView> inputs) {
  if (rule.holds(inputs))
    return llvm::Error::success();
  auto size = [&](unsigned argument, unsigned dim) {
    return ("dimension " + Twine(dim) + " of argument " + Twine(argument) +
            " (" + Twine(inputs[argument].shape[dim]) + ")")
        .str();
  };
  llvm::StringRef must = rule.kind == SizeRule::Kind::Equal ? "must equal "
                         : rule.kind == SizeRule::Kind::EqualOrOne
                             ? "must be 1 or equal "
                             : "must be a multiple of ";
  return error(ArgumentError::Kind::Value,
               "'" + function + "': " + size(rule.argumentA, rule.dimA) + " " +
                   must + size(rule.argumentB, rule.dimB) + ", since " +
                   rule.op + " uses both");
}

llvm::Error Signature::check(llvm::ArrayRef<ArrayView> inputs) const {
  if (inputs.size() != arguments.size())
    return error(
        ArgumentError::Kind::Type,
        "'" + function + "' takes " + Twine(arguments.size()) +
            (arguments.size() == 1 ? " argument, got " : " arguments, got ") +
            Twine(inputs.size()));
  for (auto [index, spec] : llvm::enumerate(arguments))
    if (llvm::Error error = checkArgument(spec, inputs[index],
                                          "argument " + Twine(index) + " of '" +
                                              function + "'"))
      return error;
  for (const SizeRule &rule : sizeRules)
    if (llvm::Error error = checkSizes(rule, function, inputs))
      return error;
  return llvm::Error::success();
}
