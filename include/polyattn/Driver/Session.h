// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// A compiler session: an MLIR context that knows every dialect and pass and
// keeps what they say.

#ifndef POLYATTN_DRIVER_SESSION_H
#define POLYATTN_DRIVER_SESSION_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <string>
#include <utility>
#include <vector>

namespace polyattn::driver {

/// What MLIR reported.
struct Diagnostic {
  /// "error", "warning", "remark" or "note".
  std::string severity;
  /// "file.mlir:3:7", or how MLIR prints a location that is no place in a file.
  std::string location;
  std::string message;
  std::vector<Diagnostic> notes;
};

/// What a pass did, or did not do and why.
struct Remark {
  /// "passed", "missed", "failed" or "analysis".
  std::string kind;
  std::string name;
  /// "polyattn:attn-approximate".
  std::string category;
  /// The function, or nothing where the pass named none.
  std::string function;
  std::string location;
  /// The outermost name of the location, as in loc("layer.3"("model.py":7:1));
  /// empty if there is none.
  std::string label;
  /// The remark's text, then the texts that explain and advise.
  std::string message;
  /// Everything with a key, numbers among them, in the order of the remark.
  std::vector<std::pair<std::string, std::string>> args;
};

/// "file.mlir:3:7", or how MLIR prints a location that is no place in a file.
std::string locationText(mlir::Location loc);
/// The outermost name of a location, or nothing.
std::string locationLabel(mlir::Location loc);

std::string toString(const Diagnostic &diagnostic);
std::string toString(const Remark &remark);

/// Parsing, a pass or code generation failed.
class CompileError : public llvm::ErrorInfo<CompileError> {
public:
  static char ID;
  CompileError(std::string summary, std::vector<Diagnostic> diagnostics)
      : summary(std::move(summary)), diagnostics(std::move(diagnostics)) {}
  llvm::ArrayRef<Diagnostic> getDiagnostics() const { return diagnostics; }
  const std::string &getSummary() const { return summary; }
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  std::string summary;
  std::vector<Diagnostic> diagnostics;
};

/// Not thread-safe; sessions do not share anything, so use one per thread.
class Session {
public:
  Session();
  ~Session();

  /// Parses a module. `name` stands for the text in locations.
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  parse(llvm::StringRef text, llvm::StringRef name = "<input>");
  /// The same from a file; "-" is standard input.
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  parseFile(llvm::StringRef path);

  /// Runs a pass pipeline: "builtin.module(...)" or only the passes. An empty
  /// pipeline does nothing.
  llvm::Error runPipeline(mlir::ModuleOp module, llvm::StringRef pipeline);
  /// The same for passes that `build` adds; errors name them `name`.
  llvm::Error runPasses(mlir::ModuleOp module, llvm::StringRef name,
                        llvm::function_ref<void(mlir::OpPassManager &)> build);

  /// An error with everything that was diagnosed since the last such call.
  llvm::Error makeError(const llvm::Twine &summary);
  /// Warnings and other diagnostics that came with success.
  std::vector<Diagnostic> takeDiagnostics();
  std::vector<Remark> takeRemarks();

  mlir::MLIRContext &getContext() { return context; }

private:
  mlir::MLIRContext context;
  std::vector<Diagnostic> diagnostics;
  std::vector<Remark> remarks;
};

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_SESSION_H
