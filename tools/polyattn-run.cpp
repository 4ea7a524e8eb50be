// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Compiles a function and runs it on arrays from files.

#include "polyattn/Driver/Calls.h"
#include "polyattn/Driver/Executable.h"
#include "polyattn/Driver/Npy.h"
#include "polyattn/Driver/Profiling.h"
#include "polyattn/Runtime/ProfileFile.h"
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
    "  polyattn-run attention.mlir --inputs=samples/ "
    "--profile-out=profile.json\n"
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
      "input",
      cl::value_desc("file.npy | random:SEED:SHAPE:DTYPE[:SCALE] | @NAME"),
      cl::desc("One argument, in order. random:1:2x8x64:f32:0.5 makes normally "
               "distributed floats with standard deviation 0.5; integers are "
               "uniform in 0 to SCALE. @NAME is an array of each of --inputs"),
      cl::cat(category)};
  cl::opt<std::string> inputFiles{
      "inputs", cl::value_desc("folder | file.npz"),
      cl::desc("Call the function for every .npz and .npy file of a folder, in "
               "the order of their names. Without --input the arrays of a file "
               "are the arguments, in its order"),
      cl::cat(category)};
  cl::opt<std::string> profileOut{
      "profile-out", cl::value_desc("file.json"),
      cl::desc("Record statistics of every attention's inputs and write them; "
               "runs attn-instrument before the pipeline, which is exact "
               "evaluation unless --pipeline says otherwise"),
      cl::cat(category)};
  cl::opt<bool> profileMerge{
      "profile-merge",
      cl::desc("Add to the file of --profile-out; otherwise it is replaced"),
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
  if (!cli.profileOut.empty())
    options.pipeline = profilingPipeline(
        cli.pipeline.getNumOccurrences() ? cli.pipeline.getValue() : "");
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

static llvm::Error writeProfile(const Options &cli,
                                polyattn::profile::Profile profile) {
  if (cli.profileOut.empty())
    return llvm::Error::success();
  if (profile.empty())
    return llvm::createStringError(
        "no profile: the function ran no attention that attn-instrument takes; "
        "--remarks tells what there is");
  size_t ops = profile.size();
  if (llvm::Error error = polyattn::profile::writeProfile(
          cli.profileOut, std::move(profile), cli.profileMerge))
    return error;
  llvm::outs() << "profile: " << ops << (ops == 1 ? " op" : " ops") << " in "
               << cli.profileOut << "\n";
  return llvm::Error::success();
}

static llvm::Error checkOptions(const Options &cli) {
  if (cli.repeat < 1)
    return llvm::createStringError("--repeat must be at least 1");
  if (cli.threads < 0)
    return llvm::createStringError("--threads must be at least 0");
  if (cli.profileMerge && cli.profileOut.empty())
    return llvm::createStringError("--profile-merge needs --profile-out");
  if (cli.profileOut.empty())
    return llvm::Error::success();
  if (cli.repeat > 1)
    return llvm::createStringError("--profile-out would count every input of "
                                   "--repeat; leave that out");
  return checkProfileFile(cli.profileOut, cli.profileMerge);
}

namespace {
/// How far a long run is: on a terminal after each call, else now and then.
class Progress {
public:
  explicit Progress(size_t total) : total(total) {}
  void step(size_t done, llvm::StringRef file) {
    if (total < 2)
      return;
    bool isTerminal = llvm::errs().is_displayed();
    Clock::time_point now = Clock::now();
    if (done < total && now - last < std::chrono::seconds(isTerminal ? 0 : 10))
      return;
    last = now;
    llvm::errs() << (isTerminal ? "\r\033[K" : "") << done << " of " << total
                 << " calls: " << file
                 << (isTerminal && done < total ? "" : "\n");
  }

private:
  using Clock = std::chrono::steady_clock;
  size_t total;
  Clock::time_point last = Clock::now();
};

/// What calls leave.
struct Outcome {
  std::vector<double> seconds;
  std::vector<Array> results;
  polyattn::profile::Profile profile;
};
} // namespace

/// One call, as often as asked for.
static llvm::Error callOnce(const Options &cli, const Executable &executable,
                            llvm::ArrayRef<ArrayView> arguments,
                            Outcome &outcome) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < cli.repeat; ++i) {
    Clock::time_point start = Clock::now();
    auto returned = executable.call(arguments, cli.threads);
    if (!returned)
      return returned.takeError();
    outcome.seconds.push_back(
        std::chrono::duration<double>(Clock::now() - start).count());
    outcome.results = std::move(*returned);
  }
  return llvm::Error::success();
}

static llvm::Error inFile(llvm::StringRef file, llvm::Error error) {
  if (file.empty())
    return error;
  return llvm::createStringError("'" + file +
                                 "': " + llvm::toString(std::move(error)));
}

static llvm::Error run(const Options &cli) {
  if (llvm::Error error = checkOptions(cli))
    return error;
  auto calls = Calls::create(cli.inputs, cli.inputFiles);
  if (!calls)
    return calls.takeError();
  if (calls->size() > 1 && !cli.output.empty())
    return llvm::createStringError("--output holds the results of one call; "
                                   "--inputs names " +
                                   llvm::Twine(calls->size()) + " files");
  auto executable = compileFile(cli);
  if (!executable)
    return executable.takeError();
  if (!cli.dumpObject.empty())
    if (llvm::Error error = (*executable)->dumpObject(cli.dumpObject))
      return error;

  Outcome outcome;
  llvm::SmallVector<ArrayView> arguments;
  Progress progress(calls->size());
  for (size_t i = 0; i < calls->size(); ++i) {
    llvm::StringRef file = calls->getFile(i);
    auto loaded = calls->load(i);
    if (!loaded)
      return loaded.takeError();
    arguments = std::move(*loaded);
    if (llvm::Error error = callOnce(cli, **executable, arguments, outcome))
      return inFile(file, std::move(error));
    if (!cli.profileOut.empty())
      if (llvm::Error error = collectProfile(outcome.profile, file))
        return error;
    progress.step(i + 1, file);
  }
  printTimes(**executable, outcome.seconds);
  if (calls->size() == 1)
    if (llvm::Error error =
            writeOutputs(cli.output, (*executable)->getSignature(),
                         outcome.results, arguments))
      return error;
  return writeProfile(cli, std::move(outcome.profile));
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
