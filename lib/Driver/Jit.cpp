// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Jit.h"
#include "Assertions.h"
#include "SmallFloats.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "polyattn/Runtime/Record.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/Memory.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <dlfcn.h>

using namespace mlir;
using namespace polyattn;
using namespace polyattn::driver;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

bool CodeMemory::contains(const void *pointer) const {
  auto *byte = static_cast<const char *>(pointer);
  return llvm::any_of(blocks, [&](const llvm::sys::MemoryBlock &block) {
    auto *base = static_cast<const char *>(block.base());
    return base <= byte && byte < base + block.allocatedSize();
  });
}

llvm::sys::MemoryBlock CodeMemory::allocateMappedMemory(
    llvm::SectionMemoryManager::AllocationPurpose, size_t numBytes,
    const llvm::sys::MemoryBlock *near, unsigned flags, std::error_code &code) {
  blocks.push_back(
      llvm::sys::Memory::allocateMappedMemory(numBytes, near, flags, code));
  return blocks.back();
}

std::error_code
CodeMemory::protectMappedMemory(const llvm::sys::MemoryBlock &block,
                                unsigned flags) {
  return llvm::sys::Memory::protectMappedMemory(block, flags);
}

std::error_code CodeMemory::releaseMappedMemory(llvm::sys::MemoryBlock &block) {
  llvm::erase_if(blocks, [&](const llvm::sys::MemoryBlock &b) {
    return b.base() == block.base();
  });
  return llvm::sys::Memory::releaseMappedMemory(block);
}

/// Smaller ones are better off beside the code.
static constexpr size_t leastConstantBytes = 64 << 10;

/// The elements one after the other; nothing if that is not how they are kept.
static llvm::ArrayRef<char> rawElements(Attribute value) {
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : llvm::ArrayRef<char>();
  }
  auto dense = dyn_cast_or_null<DenseElementsAttr>(value);
  // One element is not all there are, i1 is packed.
  if (!dense || dense.isSplat() || dense.getElementType().isInteger(1))
    return {};
  return dense.getRawData();
}

void ConstantMemory::takeFrom(ModuleOp module) {
  for (auto global : module.getOps<LLVM::GlobalOp>()) {
    llvm::ArrayRef<char> data = rawElements(global.getValueOrNull());
    if (!global.getConstant() || data.size() < leastConstantBytes)
      continue;
    size_t alignment = std::max<size_t>(global.getAlignment().value_or(1), 64);
    AsmResourceBlob memory =
        HeapAsmResourceBlob::allocate(data.size(), alignment);
    llvm::copy(data, memory.getMutableData().begin());
    blocks.push_back({global.getSymName().str(), std::move(memory)});
    global.removeValueAttr();
    global.setLinkage(LLVM::Linkage::External);
  }
}

bool ConstantMemory::contains(const void *pointer) const {
  auto *byte = static_cast<const char *>(pointer);
  return llvm::any_of(blocks, [&](const Block &block) {
    llvm::ArrayRef<char> data = block.memory.getData();
    return data.begin() <= byte && byte < data.end();
  });
}

llvm::orc::SymbolMap
ConstantMemory::getSymbols(llvm::orc::MangleAndInterner &mangle) const {
  llvm::orc::SymbolMap map;
  for (const Block &block : blocks)
    map[mangle(block.name)] = {
        llvm::orc::ExecutorAddr::fromPtr(block.memory.getData().data()),
        llvm::JITSymbolFlags::Exported};
  return map;
}

//===----------------------------------------------------------------------===//
// Processor
//===----------------------------------------------------------------------===//

llvm::Error polyattn::driver::checkRunsHere(llvm::StringRef cpu) {
  if (cpu == "host")
    return llvm::Error::success();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  llvm::SmallVector<llvm::StringRef> known, needed;
  if (triple.isX86())
    llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
  if (!llvm::is_contained(known, cpu))
    return llvm::createStringError(
        "unknown processor '" + cpu + "': expected host" +
        (triple.isX86() ? " or a name that clang's -march takes, such as "
                          "x86-64-v3"
                        : ""));
  llvm::X86::getFeaturesForCPU(cpu, needed);
  llvm::StringMap<bool> here = llvm::sys::getHostCPUFeatures();
  for (llvm::StringRef feature : needed)
    if (auto it = here.find(feature); it != here.end() && !it->second)
      return llvm::createStringError("code for '" + cpu + "' needs " + feature +
                                     ", which this processor lacks");
  return llvm::Error::success();
}

polyattn::TargetDescription
polyattn::driver::describeProcessor(llvm::StringRef cpu) {
  if (cpu == "host")
    return hostTarget();
  llvm::SmallVector<llvm::StringRef> names;
  llvm::X86::getFeaturesForCPU(cpu, names);
  llvm::StringMap<bool> features;
  for (llvm::StringRef name : names)
    features[name] = true;
  TargetDescription target = targetWithFeatures(features);
  target.cores = hostTarget().cores;
  return target;
}

static llvm::Expected<llvm::orc::JITTargetMachineBuilder>
targetMachine(llvm::StringRef cpu, unsigned optLevel) {
  static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    return true;
  }();
  (void)initialized;
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  if (cpu != "host")
    builder->setCPU(cpu.str()).setFeatures("");
  builder->setCodeGenOptLevel(static_cast<llvm::CodeGenOptLevel>(optLevel));
  return builder;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

static bool isOpenMP(llvm::StringRef symbol) {
  return symbol.starts_with("__kmpc_") || symbol.starts_with("omp_");
}

/// Functions that the code expects from elsewhere.
static std::vector<std::string> externalFunctions(const llvm::Module &module) {
  std::vector<std::string> names;
  for (const llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() &&
        !function.use_empty())
      names.push_back(function.getName().str());
  return names;
}

/// The code generator aborts on tile instructions that it does not have.
static bool lacksTiles(const llvm::Module &module, llvm::StringRef cpu) {
  return !describeProcessor(cpu).bf16Tiles &&
         llvm::any_of(module, [](const llvm::Function &function) {
           return function.getName().starts_with("llvm.x86.tdp");
         });
}

/// Functions that this process has for compiled code; null for others.
static void *ownFunction(llvm::StringRef name) {
  AssertionHandler assertion = assertionHandler();
  if (name == assertion.name)
    return assertion.address;
  profile::RuntimeSymbol record = profile::recordSymbol();
  return name == record.name ? record.address : nullptr;
}

llvm::Error Jit::bind(llvm::ArrayRef<std::string> functions) {
  llvm::StringMap<void *> bound;
  std::string missing;
  for (const std::string &function : functions) {
    if (void *own = ownFunction(function)) {
      bound[function] = own;
      continue;
    }
    if (dlsym(RTLD_DEFAULT, function.c_str()) && !isOpenMP(function))
      continue;
    if (isOpenMP(function) && !openMP) {
      auto runtime = OpenMP::get();
      if (!runtime)
        return runtime.takeError();
      openMP = *runtime;
    }
    void *address = isOpenMP(function) ? openMP->lookup(function) : nullptr;
    if (address)
      bound[function] = address;
    else
      missing += (missing.empty() ? "'" : ", '") + function + "'";
  }
  if (!missing.empty())
    return llvm::createStringError(
        "no machine code: functions without a body: " + missing);
  engine->registerSymbols([&](llvm::orc::MangleAndInterner mangle) {
    llvm::orc::SymbolMap map = constants.getSymbols(mangle);
    for (const auto &[name, address] : bound)
      map[mangle(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                           llvm::JITSymbolFlags::Exported};
    for (const auto &[name, address] : missingConversions())
      map[mangle(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                           llvm::JITSymbolFlags::Exported};
    return map;
  });
  return llvm::Error::success();
}

/// LLVM's optimization pipeline without loop unrolling: the loops that matter
/// are blocked for registers already, and unrolling the others doubles the time
/// to compile.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     unsigned optLevel) {
  static constexpr const llvm::OptimizationLevel *levels[] = {
      &llvm::OptimizationLevel::O0, &llvm::OptimizationLevel::O1,
      &llvm::OptimizationLevel::O2, &llvm::OptimizationLevel::O3};
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = true;
  tuning.LoopVectorization = tuning.SLPVectorization = optLevel > 1;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  const llvm::OptimizationLevel &level = *levels[optLevel];
  llvm::ModulePassManager passes =
      optLevel == 0 ? builder.buildO0DefaultPipeline(level)
                    : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);
}

llvm::Expected<std::unique_ptr<Jit>>
Jit::compile(Session &session, ModuleOp module, llvm::StringRef function,
             llvm::StringRef cpu, unsigned optLevel, bool keepObject) {
  auto target = targetMachine(cpu, optLevel);
  if (!target)
    return target.takeError();
  auto optimizer = target->createTargetMachine();
  if (!optimizer)
    return optimizer.takeError();
  auto generator = target->createTargetMachine();
  if (!generator)
    return generator.takeError();

  std::vector<std::string> functions;
  bool tilesMissing = false;
  // The engine does not pass on errors from here.
  auto transform = [&](llvm::Module *llvmModule) -> llvm::Error {
    tilesMissing = lacksTiles(*llvmModule, cpu);
    optimize(*llvmModule, **optimizer, optLevel);
    functions = externalFunctions(*llvmModule);
    return llvm::Error::success();
  };
  auto jit = std::make_unique<Jit>();
  // An object file must be complete.
  if (!keepObject)
    jit->constants.takeFrom(module);
  ExecutionEngineOptions options;
  options.transformer = transform;
  options.jitCodeGenOptLevel = static_cast<llvm::CodeGenOptLevel>(optLevel);
  options.sectionMemoryMapper = &jit->memory;
  options.enableObjectDump = keepObject;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  auto engine = ExecutionEngine::create(module, options, std::move(*generator));
  if (!engine) {
    llvm::consumeError(engine.takeError());
    return session.makeError(
        "no machine code: the module does not translate to "
        "LLVM IR; does the pipeline lower everything to the "
        "LLVM dialect?");
  }
  if (tilesMissing)
    return session.makeError(
        "no machine code: the code uses AMX tiles, which the processor it is "
        "for lacks: plan for another target, or say bf16_tiles = false in the "
        "module's target_system_spec");
  jit->engine = std::move(*engine);
  if (llvm::Error error = jit->bind(functions))
    return error;
  auto address = jit->engine->lookupPacked(function);
  if (!address)
    return session.makeError("no machine code: " +
                             llvm::toString(address.takeError()));
  jit->function = *address;
  // Only after the lookup, which reports undefined symbols and does not abort.
  if (!module.getOps<LLVM::GlobalCtorsOp>().empty())
    jit->engine->initialize();
  return jit;
}
