// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Executable.h"
#include "Assertions.h"
#include "Jit.h"
#include "Results.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/FileSystem.h"

#include <chrono>

using namespace mlir;
using namespace polyattn::driver;

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

static std::string functionNames(ModuleOp module) {
  std::string names;
  for (auto func : module.getOps<func::FuncOp>())
    if (!func.isDeclaration())
      names += (names.empty() ? "'" : ", '") + func.getName().str() + "'";
  return names.empty() ? "no functions" : names;
}

static llvm::Expected<func::FuncOp> findEntry(Session &session, ModuleOp module,
                                              llvm::StringRef entry) {
  Operation *symbol = module.lookupSymbol(entry);
  if (isa_and_nonnull<LLVM::LLVMFuncOp>(symbol))
    return session.makeError(
        "'" + entry +
        "' is in the LLVM dialect already, where nobody can tell "
        "what it takes: compile the module as it was before lowering");
  auto func = dyn_cast_or_null<func::FuncOp>(symbol);
  if (!func)
    return session.makeError("no function '" + entry + "': the module has " +
                             functionNames(module));
  if (func.isDeclaration())
    return session.makeError("function '" + entry +
                             "' is only declared: to be "
                             "called it needs a body");
  return func;
}

/// Makes `func` the one function that is callable from outside, so that
/// nothing but it and what it calls gets compiled. Its tensor arguments become
/// read-only.
static void prepareEntry(ModuleOp module, func::FuncOp entry) {
  MLIRContext *context = module.getContext();
  context->getOrLoadDialect<bufferization::BufferizationDialect>();
  context->getOrLoadDialect<LLVM::LLVMDialect>();
  Builder builder(context);
  for (auto func : module.getOps<func::FuncOp>())
    func.setPrivate();
  entry.setPublic();
  entry->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                 builder.getUnitAttr());
  for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes()))
    if (isa<TensorType>(type))
      entry.setArgAttr(index,
                       bufferization::BufferizationDialect::kWritableAttrName,
                       builder.getBoolAttr(false));
}

/// Passes shall plan for the processor that code is generated for, unless the
/// module says otherwise.
static void setProcessor(ModuleOp module, llvm::StringRef cpu) {
  MLIRContext *context = module.getContext();
  context->getOrLoadDialect<DLTIDialect>();
  llvm::StringRef name = DLTIDialect::kTargetSystemDescAttrName;
  if (cpu != "host" && !module->hasAttr(name))
    module->setAttr(name, describeTarget(context, describeProcessor(cpu)));
}

/// Calls are safe only if the pipeline kept to upstream's calling convention.
static llvm::Error checkLowered(Session &session, ModuleOp module,
                                const Signature &signature,
                                llvm::StringRef pipeline) {
  auto func = module.lookupSymbol<LLVM::LLVMFuncOp>(signature.function);
  if (!func)
    return session.makeError("pipeline '" + pipeline + "' does not lower '" +
                             signature.function + "' to the LLVM dialect");
  Type expected = signature.getLoweredType(module.getContext());
  if (func.getFunctionType() != expected ||
      !module.lookupSymbol("_mlir_ciface_" + signature.function)) {
    std::string types;
    llvm::raw_string_ostream(types)
        << "expected " << expected << ", got " << func.getFunctionType();
    return session.makeError("pipeline '" + pipeline + "' changes what '" +
                             signature.function +
                             "' takes or returns: " + types);
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Executable>>
Executable::compile(Session &session, ModuleOp module,
                    const CompileOptions &options) {
  using Clock = std::chrono::steady_clock;
  auto seconds = [](Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  };
  if (options.optLevel > 3)
    return session.makeError("optimization level " + Twine(options.optLevel) +
                             " is not one of 0, 1, 2, 3");
  Clock::time_point start = Clock::now();
  auto func = findEntry(session, module, options.entry);
  if (!func)
    return func.takeError();
  auto signature = Signature::get(*func);
  if (!signature)
    return session.makeError(llvm::toString(signature.takeError()));
  if (llvm::Error error = checkRunsHere(options.cpu))
    return session.makeError(llvm::toString(std::move(error)));
  prepareEntry(module, *func);
  std::vector<std::string> assertions = separateAssertions(*func);
  setProcessor(module, options.cpu);
  for (llvm::StringRef pipeline :
       {llvm::StringRef("symbol-dce"), llvm::StringRef(options.pipeline)})
    if (llvm::Error error = session.runPipeline(module, pipeline))
      return error;
  if (llvm::Error error =
          checkLowered(session, module, *signature, options.pipeline))
    return error;
  Clock::time_point lowered = Clock::now();
  auto jit = Jit::compile(session, module, "_mlir_ciface_" + options.entry,
                          options.cpu, options.optLevel, options.keepObject);
  if (!jit)
    return jit.takeError();
  CompileTimes times{seconds(start, lowered), seconds(lowered, Clock::now())};
  return std::unique_ptr<Executable>(
      new Executable(std::move(*signature), std::move(*jit),
                     std::move(assertions), times, options.keepObject));
}

Executable::Executable(Signature signature, std::unique_ptr<Jit> jit,
                       std::vector<std::string> assertions, CompileTimes times,
                       bool hasObject)
    : signature(std::move(signature)), jit(std::move(jit)),
      assertions(std::move(assertions)), times(times), hasObject(hasObject) {}

Executable::~Executable() = default;

llvm::Error Executable::dumpObject(llvm::StringRef path) const {
  if (!hasObject)
    return llvm::createStringError("the object file was not kept");
  // The engine itself does not report what it cannot write.
  std::error_code code;
  llvm::raw_fd_ostream(path, code);
  if (code)
    return llvm::createStringError("'" + path +
                                   "': cannot write: " + code.message());
  jit->dumpObject(path);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// The descriptor of a row-major array: two pointers, offset, sizes, strides.
static std::vector<int64_t> describe(const ArrayView &array) {
  size_t rank = array.shape.size();
  std::vector<int64_t> words(3 + 2 * rank, 0);
  words[0] = words[1] = reinterpret_cast<int64_t>(array.data);
  int64_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    words[3 + i] = array.shape[i];
    words[3 + rank + i] = stride;
    stride *= array.shape[i];
  }
  return words;
}

llvm::Expected<std::vector<Array>>
Executable::call(llvm::ArrayRef<ArrayView> inputs, int threads) const {
  if (llvm::Error error = signature.check(inputs))
    return error;
  // Compiled code finds in `slots` the address of every argument: for arrays
  // that argument is itself a pointer, to a descriptor.
  std::vector<std::vector<int64_t>> descriptors;
  std::vector<void *> pointers(inputs.size()), slots;
  ResultBuffer buffer(signature.results);
  void *resultPointer = buffer.data();
  if (signature.returnsThroughPointer())
    slots.push_back(&resultPointer);
  for (auto [index, array] : llvm::enumerate(inputs)) {
    if (signature.arguments[index].isScalar()) {
      slots.push_back(array.data);
      continue;
    }
    descriptors.push_back(describe(array));
    pointers[index] = descriptors.back().data();
    slots.push_back(&pointers[index]);
  }
  if (!signature.returnsThroughPointer())
    slots.push_back(buffer.data());

  OpenMP::ThreadCount scope(jit->getOpenMP(), threads);
  int32_t failed = runChecked(jit->getFunction(), slots.data());
  if (failed >= 0)
    return llvm::make_error<ArgumentError>(ArgumentError::Kind::Check,
                                           assertions[failed]);
  auto isBorrowed = [&](const void *block) {
    return jit->owns(block) || llvm::any_of(inputs, [&](const ArrayView &a) {
             return a.data == block;
           });
  };
  return buffer.take(isBorrowed);
}
