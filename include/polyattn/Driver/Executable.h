// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// A compiled function that can be called with arrays.

#ifndef POLYATTN_DRIVER_EXECUTABLE_H
#define POLYATTN_DRIVER_EXECUTABLE_H

#include "polyattn/Driver/Session.h"
#include "polyattn/Driver/Signature.h"

namespace polyattn::driver {
class Jit;

struct CompileOptions {
  /// The function to call.
  std::string entry = "main";
  /// Passes from tensors to the LLVM dialect.
  std::string pipeline = "attn-compile";
  /// The processor to generate code for: "host", or a name clang's -march
  /// takes.
  std::string cpu = "host";
  /// 0 to 3.
  unsigned optLevel = 3;
  /// Keep the object file for dumpObject.
  bool keepObject = false;
};

/// Seconds that parts of a compilation took.
struct CompileTimes {
  double passes = 0;
  double machineCode = 0;
  double total() const { return passes + machineCode; }
};

/// Independent of the session that made it. Thread-safe, as long as the
/// compiled code is: calls share nothing.
class Executable {
public:
  /// Lowers `module` in place and generates code.
  static llvm::Expected<std::unique_ptr<Executable>>
  compile(Session &session, mlir::ModuleOp module,
          const CompileOptions &options = {});
  ~Executable();

  /// Calls the function. Tensor arguments are never written to; memref
  /// arguments are the caller's own memory. `threads` bounds the OpenMP
  /// threads; 0 leaves their number to the OpenMP runtime. Fails where
  /// arguments do not fit, or a `cf.assert` of the program does.
  llvm::Expected<std::vector<Array>> call(llvm::ArrayRef<ArrayView> inputs,
                                          int threads = 0) const;

  const Signature &getSignature() const { return signature; }
  const CompileTimes &getTimes() const { return times; }
  /// Writes the machine code as an object file; needs `keepObject`.
  llvm::Error dumpObject(llvm::StringRef path) const;

private:
  Executable(Signature signature, std::unique_ptr<Jit> jit,
             std::vector<std::string> assertions, CompileTimes times,
             bool hasObject);

  Signature signature;
  std::unique_ptr<Jit> jit;
  /// What the program's assertions say.
  std::vector<std::string> assertions;
  CompileTimes times;
  bool hasObject;
};

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_EXECUTABLE_H
