// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Compiles a function and runs it on arrays from files.

#include "polyattn/Driver/Executable.h"
#include "polyattn/Driver/Input.h"
#include "polyattn/Driver/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace polyattn::driver;
namespace cl = llvm::cl;

static const char overview[] =
    "Compiles a function of an MLIR module, calls it and prints what it "
    "returns\n"
    "\n"
    "  polyattn-run attention.mlir --entry=main --input=q.npy --input=k.npy "
    "\\\n"
    "               --input=v.npy --output=result\n"
    "\n"
    "Arrays are little-endian, row-major .npy files. A bf16 array is a file "
    "of\n"
    "type V2 or u2 that holds its bits. Exit code: 0, or 1 after an error.\n";

namespace {
/// The command line. Made in main, not before: LLVM itself has an option called
/// threads, which must go first.
struct Options {
  cl::OptionCategory category{"polyattn-run options"};
  cl::opt<std::string> fileName{cl::Positional, cl::Required,
                                cl::desc("<module, or - for stdin>"),
                                cl::cat(category)};
  cl::opt<std::string> entry{"entry", cl::init("main"),
                             cl::desc("The function to call (main)"),
                             cl::cat(category)};
  cl::list<std::string> inputs{
      "input", cl::value_desc("file.npy | random:SEED:SHAPE:DTYPE[:SCALE]"),
      cl::desc("One argument, in order. random:1:2x8x64:f32:0.5 makes normally "
               "distributed floats with standard deviation 0.5; integers are "
               "uniform in 0 to SCALE"),
      cl::cat(category)};
  cl::opt<std::string> output{
      "output", cl::value_desc("prefix"),
      cl::desc("Write result i to <prefix>i.npy; then, in order, the memref "
               "arguments, which the function may have written to"),
      cl::cat(category)};
  cl::opt<std::string> pipeline{
      "pipeline", cl::init("attn-compile"),
      cl::desc("Passes from tensors to the LLVM dialect (attn-compile)"),
      cl::cat(category)};
  cl::opt<int> threads{
      "threads", cl::init(0),
      cl::desc(
          "Threads of parallel code; 0 leaves it to the OpenMP runtime (0)"),
      cl::cat(category)};
  cl::opt<int> repeat{"repeat", cl::init(1),
                      cl::desc("How often to call the function (1)"),
                      cl::cat(category)};
  cl::opt<bool> remarks{"remarks",
                        cl::desc("Print what passes did, or did not and why"),
                        cl::cat(category)};
  cl::opt<std::string> targetCpu{
      "target-cpu", cl::init("host"),
      cl::desc("Processor to generate code for, by clang's name (host)"),
      cl::cat(category)};
  cl::opt<unsigned> optLevel{"opt-level", cl::init(3),
                             cl::desc("LLVM's optimization level (3)"),
                             cl::cat(category)};
  cl::opt<std::string> dumpObject{
      "dump-object", cl::value_desc("file"),
      cl::desc("Write the machine code as an object file"), cl::cat(category)};
};
} // namespace

static llvm::Expected<std::unique_ptr<Executable>>
compileFile(const Options &cli) {
  Session session;
  auto module = session.parseFile(cli.fileName);
  if (!module)
    return module.takeError();
  CompileOptions options;
  options.entry = cli.entry;
  options.pipeline = cli.pipeline;
  options.cpu = cli.targetCpu;
  options.optLevel = cli.optLevel;
  options.keepObject = !cli.dumpObject.empty();
  auto executable = Executable::compile(session, **module, options);
  for (const Diagnostic &diagnostic : session.takeDiagnostics())
    llvm::errs() << toString(diagnostic) << "\n";
  // Also after a failure: remarks often say why.
  if (cli.remarks)
    for (const Remark &remark : session.takeRemarks())
      llvm::outs() << toString(remark) << "\n";
  return executable;
}

/// Shape, type and the first elements.
static void printArray(llvm::StringRef name, const ArrayView &array) {
  constexpr int64_t most = 8;
  int64_t count = array.numElements();
  llvm::outs() << name << ": " << shapeText(array.shape, info(array.type).name)
               << " [";
  for (int64_t i = 0; i < std::min(count, most); ++i)
    llvm::outs() << (i ? ", " : "") << elementText(array, i);
  llvm::outs() << (count > most ? ", ...]\n" : "]\n");
}

static llvm::Error writeOutputs(llvm::StringRef prefix,
                                const Signature &signature,
                                llvm::ArrayRef<Array> results,
                                llvm::ArrayRef<ArrayView> arguments) {
  llvm::SmallVector<ArrayView> outputs;
  for (const Array &result : results)
    outputs.push_back(result.view());
  for (auto [spec, argument] : llvm::zip_equal(signature.arguments, arguments))
    if (spec.kind == ValueSpec::Kind::Memref)
      outputs.push_back(argument);
  for (auto [index, array] : llvm::enumerate(outputs)) {
    printArray("result " + std::to_string(index), array);
    if (prefix.empty())
      continue;
    if (llvm::Error error =
            writeNpy(prefix.str() + std::to_string(index) + ".npy", array))
      return error;
  }
  return llvm::Error::success();
}

static void printTimes(const Executable &executable,
                       std::vector<double> &seconds) {
  const CompileTimes &times = executable.getTimes();
  llvm::sort(seconds);
  llvm::outs() << llvm::format(
      "compile: %.4f s (passes %.4f, machine code %.4f)\n", times.total(),
      times.passes, times.machineCode);
  llvm::outs() << llvm::format("run: min %.6f s, median %.6f s of %zu\n",
                               seconds.front(), seconds[seconds.size() / 2],
                               seconds.size());
}

static llvm::Error run(const Options &cli) {
  using Clock = std::chrono::steady_clock;
  if (cli.repeat < 1)
    return llvm::createStringError("--repeat must be at least 1");
  if (cli.threads < 0)
    return llvm::createStringError("--threads must be at least 0");
  std::vector<Array> arrays;
  for (const std::string &input : cli.inputs) {
    auto array = makeInput(input);
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
  }
  auto executable = compileFile(cli);
  if (!executable)
    return executable.takeError();
  if (!cli.dumpObject.empty())
    if (llvm::Error error = (*executable)->dumpObject(cli.dumpObject))
      return error;

  llvm::SmallVector<ArrayView> arguments;
  for (const Array &array : arrays)
    arguments.push_back(array.view());
  std::vector<double> seconds;
  std::vector<Array> results;
  for (int i = 0; i < cli.repeat; ++i) {
    Clock::time_point start = Clock::now();
    auto returned = (*executable)->call(arguments, cli.threads);
    if (!returned)
      return returned.takeError();
    seconds.push_back(
        std::chrono::duration<double>(Clock::now() - start).count());
    results = std::move(*returned);
  }
  printTimes(**executable, seconds);
  return writeOutputs(cli.output, (*executable)->getSignature(), results,
                      arguments);
}

/// Diagnostics as MLIR's tools print them, then one line that sums up.
static void report(llvm::Error error) {
  auto print = [](const std::string &message) {
    llvm::WithColor::error(llvm::errs(), "polyattn-run") << message << "\n";
  };
  llvm::outs().flush();
  llvm::handleAllErrors(
      std::move(error),
      [&](const CompileError &e) {
        for (const Diagnostic &diagnostic : e.getDiagnostics())
          llvm::errs() << toString(diagnostic) << "\n";
        print(e.getSummary());
      },
      [&](const llvm::ErrorInfoBase &e) { print(e.message()); });
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  if (cl::Option *upstream = cl::getRegisteredOptions().lookup("threads"))
    upstream->removeArgument();
  Options cli;
  cl::HideUnrelatedOptions(cli.category);
  cl::ParseCommandLineOptions(argc, argv, overview);
  llvm::Error error = run(cli);
  if (!error)
    return 0;
  report(std::move(error));
  return 1;
}
