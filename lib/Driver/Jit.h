// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Machine code in memory, from a module in the LLVM dialect.

#ifndef POLYATTN_LIB_DRIVER_JIT_H
#define POLYATTN_LIB_DRIVER_JIT_H

#include "OpenMP.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/AsmState.h"
#include "polyattn/Analysis/Target.h"
#include "polyattn/Driver/Session.h"
#include "llvm/ExecutionEngine/SectionMemoryManager.h"

namespace polyattn::driver {

/// Remembers where the code generator's memory is.
class CodeMemory : public llvm::SectionMemoryManager::MemoryMapper {
public:
  /// Is `pointer` within code or constants, as opposed to the heap?
  bool contains(const void *pointer) const;

  llvm::sys::MemoryBlock
  allocateMappedMemory(llvm::SectionMemoryManager::AllocationPurpose purpose,
                       size_t numBytes, const llvm::sys::MemoryBlock *near,
                       unsigned flags, std::error_code &code) override;
  std::error_code protectMappedMemory(const llvm::sys::MemoryBlock &block,
                                      unsigned flags) override;
  std::error_code releaseMappedMemory(llvm::sys::MemoryBlock &block) override;

private:
  std::vector<llvm::sys::MemoryBlock> blocks;
};

/// Large constants of a module, in memory that compiled code finds by their
/// names: as parts of the code they would take seconds to get there.
class ConstantMemory {
public:
  /// Takes them out of `module`, which then only declares them.
  void takeFrom(mlir::ModuleOp module);
  bool contains(const void *pointer) const;
  llvm::orc::SymbolMap getSymbols(llvm::orc::MangleAndInterner &mangle) const;

private:
  struct Block {
    std::string name;
    mlir::AsmResourceBlob memory;
  };
  std::vector<Block> blocks;
};

/// Code for a processor with more instructions than this one would not run.
llvm::Error checkRunsHere(llvm::StringRef cpu);

/// What passes must know about a processor, by clang's name for it.
TargetDescription describeProcessor(llvm::StringRef cpu);

class Jit {
public:
  using PackedFunction = void (*)(void **);

  /// Compiles `module` for `cpu` ("host": this one) and finds `function`.
  static llvm::Expected<std::unique_ptr<Jit>>
  compile(Session &session, mlir::ModuleOp module, llvm::StringRef function,
          llvm::StringRef cpu, unsigned optLevel, bool keepObject);

  PackedFunction getFunction() const { return function; }
  /// Is it memory of the code, which nobody else may free?
  bool owns(const void *pointer) const {
    return memory.contains(pointer) || constants.contains(pointer);
  }
  /// Null where the code is not parallel.
  const OpenMP *getOpenMP() const { return openMP; }
  void dumpObject(llvm::StringRef path) { engine->dumpToObjectFile(path); }

private:
  /// Finds what the code calls, in the process or the OpenMP runtime.
  llvm::Error bind(llvm::ArrayRef<std::string> functions);

  ConstantMemory constants;
  CodeMemory memory; // The engine uses it until it is gone.
  std::unique_ptr<mlir::ExecutionEngine> engine;
  PackedFunction function = nullptr;
  const OpenMP *openMP = nullptr;
};

} // namespace polyattn::driver

#endif // POLYATTN_LIB_DRIVER_JIT_H
