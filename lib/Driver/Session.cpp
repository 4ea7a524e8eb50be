// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Session.h"
#include "mlir/IR/Remarks.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "polyattn/Register.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace polyattn::driver;

//===----------------------------------------------------------------------===//
// Diagnostics and remarks as plain data
//===----------------------------------------------------------------------===//

char CompileError::ID = 0;

std::string polyattn::driver::locationText(Location loc) {
  if (auto place = loc->findInstanceOf<FileLineColLoc>())
    return (place.getFilename().getValue() + ":" + Twine(place.getLine()) +
            ":" + Twine(place.getColumn()))
        .str();
  std::string text;
  llvm::raw_string_ostream os(text);
  loc.print(os);
  return text;
}

std::string polyattn::driver::locationLabel(Location loc) {
  auto name = loc->findInstanceOf<NameLoc>();
  return name ? name.getName().str() : std::string();
}

static llvm::StringRef severityText(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  llvm_unreachable("every severity is listed");
}

static polyattn::driver::Diagnostic toData(mlir::Diagnostic &diagnostic) {
  polyattn::driver::Diagnostic data{
      severityText(diagnostic.getSeverity()).str(),
      locationText(diagnostic.getLocation()),
      diagnostic.str(),
      {}};
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    data.notes.push_back(toData(note));
  return data;
}

std::string
polyattn::driver::toString(const polyattn::driver::Diagnostic &diagnostic) {
  std::string text = diagnostic.location + ": " + diagnostic.severity + ": " +
                     diagnostic.message;
  for (const polyattn::driver::Diagnostic &note : diagnostic.notes)
    text += "\n" + toString(note);
  return text;
}

std::string polyattn::driver::toString(const Remark &remark) {
  std::string text = remark.location + ": " + remark.kind + ": ";
  if (!remark.category.empty())
    text += remark.category + ":";
  text += remark.name;
  if (!remark.function.empty())
    text += " in @" + remark.function;
  return text + ": " + remark.message;
}

void CompileError::log(llvm::raw_ostream &os) const {
  for (const polyattn::driver::Diagnostic &diagnostic : diagnostics)
    os << toString(diagnostic) << "\n";
  os << summary;
}

/// Keys of the texts of a remark; every other key names a fact.
static bool isText(llvm::StringRef key) {
  return key == "Remark" || key == "Reason" || key == "Suggestion";
}

static Remark toData(const remark::detail::Remark &remark) {
  Remark data;
  data.kind = remark.getRemarkTypeString().lower();
  if (data.kind == "failure")
    data.kind = "failed";
  data.name = remark.getRemarkName().str();
  data.category = remark.getCombinedCategoryName().str();
  data.location = locationText(remark.getLocation());
  data.label = locationLabel(remark.getLocation());
  if (remark.getFunction() != "<unknown function>")
    data.function = remark.getFunction().str();
  std::string facts;
  for (const remark::detail::Remark::Arg &arg : remark.getArgs()) {
    data.args.emplace_back(arg.key, arg.val);
    if (isText(arg.key))
      data.message += (data.message.empty() ? "" : "; ") + arg.val;
    else
      facts += (facts.empty() ? "" : ", ") + arg.key + "=" + arg.val;
  }
  if (!facts.empty())
    data.message += (data.message.empty() ? "(" : " (") + facts + ")";
  return data;
}

namespace {
/// Hands remarks to the session as they come.
class RemarkCollector : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit RemarkCollector(std::vector<Remark> &remarks) : remarks(remarks) {}
  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    remarks.push_back(toData(remark));
  }

private:
  std::vector<Remark> &remarks;
};
} // namespace

//===----------------------------------------------------------------------===//
// Session
//===----------------------------------------------------------------------===//

/// Made once: filling it takes longer than the rest of a session's start.
static const DialectRegistry &fullRegistry() {
  static const DialectRegistry registry = [] {
    DialectRegistry all;
    registerAllDialects(all);
    registerAllExtensions(all);
    registerAllToLLVMIRTranslations(all);
    polyattn::registerDialects(all);
    registerAllPasses();
    polyattn::registerPasses();
    return all;
  }();
  return registry;
}

// One thread: a session compiles small modules, for which starting threads
// costs more than they bring, and remarks keep the order of the program.
Session::Session() : context(fullRegistry(), MLIRContext::Threading::DISABLED) {
  context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
    diagnostics.push_back(toData(diagnostic));
    return success();
  });
  // "all" alone enables none of the kinds.
  remark::RemarkCategories all;
  all.passed = all.missed = all.analysis = all.failed = ".*";
  // It fails only where a remark engine is there already.
  (void)remark::enableOptimizationRemarks(
      context, std::make_unique<RemarkCollector>(remarks),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), all);
}

Session::~Session() = default;

llvm::Error Session::makeError(const llvm::Twine &summary) {
  return llvm::make_error<CompileError>(summary.str(), takeDiagnostics());
}

std::vector<polyattn::driver::Diagnostic> Session::takeDiagnostics() {
  return std::exchange(diagnostics, {});
}

std::vector<Remark> Session::takeRemarks() {
  return std::exchange(remarks, {});
}

llvm::Expected<OwningOpRef<ModuleOp>> Session::parse(llvm::StringRef text,
                                                     llvm::StringRef name) {
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                              llvm::SMLoc());
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (!module)
    return makeError("'" + name + "' is not a valid module");
  return module;
}

llvm::Expected<OwningOpRef<ModuleOp>> Session::parseFile(llvm::StringRef path) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!file)
    return makeError("'" + path +
                     "': cannot read: " + file.getError().message());
  return parse((*file)->getBuffer(), path == "-" ? "<stdin>" : path);
}

llvm::Error Session::runPipeline(ModuleOp module, llvm::StringRef pipeline) {
  llvm::StringRef passes = pipeline.trim();
  bool anchored = passes.consume_front("builtin.module(");
  if (anchored && !passes.consume_back(")"))
    return makeError("pipeline '" + pipeline + "' lacks the ')' at its end");
  PassManager manager(&context, ModuleOp::getOperationName());
  std::string problem;
  llvm::raw_string_ostream os(problem);
  if (failed(parsePassPipeline(passes, manager, os)))
    return makeError("not a pass pipeline: '" + pipeline + "'\n" +
                     llvm::StringRef(problem).rtrim());
  if (failed(manager.run(module)))
    return makeError("pipeline '" + pipeline + "' failed");
  return llvm::Error::success();
}

llvm::Error
Session::runPasses(ModuleOp module, llvm::StringRef name,
                   llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(&context, ModuleOp::getOperationName());
  build(manager);
  if (failed(manager.run(module)))
    return makeError(name + " failed");
  return llvm::Error::success();
}
