// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The driver for Python. What numpy knows better (contiguous copies, bf16) is
// in polyattn/__init__.py.

#include "polyattn/Driver/Executable.h"
#include "polyattn/Driver/Freeze.h"
#include "polyattn/Driver/Profiling.h"
#include "polyattn/Driver/Report.h"
#include "polyattn/Runtime/ProfileFile.h"
#include "llvm/ADT/STLExtras.h"

#include <mutex>
#include <set>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace polyattn::driver;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// polyattn.CompileError; borrowed from the module, which outlives its users.
static PyObject *compileErrorClass;
/// polyattn.CheckError.
static PyObject *checkErrorClass;

[[noreturn]] static void
raiseCompileError(const std::string &message,
                  std::vector<Diagnostic> diagnostics) {
  nb::object error = nb::handle(compileErrorClass)(message);
  error.attr("diagnostics") = nb::cast(std::move(diagnostics));
  PyErr_SetObject(compileErrorClass, error.ptr());
  throw nb::python_error();
}

/// Throws what stands for `error` in Python.
[[noreturn]] static void raise(llvm::Error error) {
  std::string message;
  std::vector<Diagnostic> diagnostics;
  std::optional<ArgumentError::Kind> argument;
  llvm::handleAllErrors(
      std::move(error),
      [&](const CompileError &e) {
        message = e.message();
        diagnostics = e.getDiagnostics();
      },
      [&](const ArgumentError &e) {
        message = e.message();
        argument = e.getKind();
      },
      [&](const llvm::ErrorInfoBase &e) { message = e.message(); });
  if (argument == ArgumentError::Kind::Type)
    throw nb::type_error(message.c_str());
  if (argument == ArgumentError::Kind::Value)
    throw nb::value_error(message.c_str());
  if (argument == ArgumentError::Kind::Check) {
    PyErr_SetString(checkErrorClass, message.c_str());
    throw nb::python_error();
  }
  raiseCompileError(message, std::move(diagnostics));
}

template <typename T> static T valueOrRaise(llvm::Expected<T> value) {
  if (!value)
    raise(value.takeError());
  return std::move(*value);
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

namespace {
/// A module and the session it lives in. The lock makes it safe to use from
/// several threads: work on it runs without the interpreter's lock.
class Module {
public:
  static Module parse(const std::string &text, const std::string &name) {
    return Module([&](Session &s) { return s.parse(text, name); });
  }
  static Module parseFile(const std::string &path) {
    return Module([&](Session &s) { return s.parseFile(path); });
  }

  std::vector<Remark> run(const std::string &pipeline) {
    llvm::Error error = llvm::Error::success();
    std::vector<Remark> remarks;
    locked([&] {
      error = state->session.runPipeline(*state->module, pipeline);
      collect(remarks);
    });
    if (error)
      raise(std::move(error));
    return remarks;
  }

  std::string text() { return text(mlir::OpPrintingFlags()); }

  /// The same where constants of more than `maxElements` are left out.
  std::string shortText(int64_t maxElements) {
    return text(mlir::OpPrintingFlags()
                    .elideLargeElementsAttrs(maxElements)
                    .elideLargeResourceString(maxElements));
  }

  /// Compiles a copy: the module stays as it is.
  std::pair<std::unique_ptr<Executable>, std::vector<Remark>>
  compile(const CompileOptions &options) {
    std::vector<Remark> remarks;
    llvm::Expected<std::unique_ptr<Executable>> executable(nullptr);
    locked([&] {
      mlir::OwningOpRef<mlir::ModuleOp> copy = state->module->clone();
      executable = Executable::compile(state->session, *copy, options);
      collect(remarks);
    });
    return {valueOrRaise(std::move(executable)), std::move(remarks)};
  }

  /// The dialects of the module's ops, sorted.
  std::vector<std::string> dialects() {
    std::set<std::string> names;
    locked([&] {
      state->module->walk([&](mlir::Operation *op) {
        names.insert(op->getName().getDialectNamespace().str());
      });
    });
    return {names.begin(), names.end()};
  }

  /// Arguments of function `entry` become constants.
  void freeze(const std::string &entry,
              const std::vector<FrozenArgument> &arguments) {
    llvm::Error error = llvm::Error::success();
    locked([&] {
      error = freezeArguments(state->session, *state->module, entry, arguments);
    });
    if (error)
      raise(std::move(error));
  }

  /// The report on a copy, as the text of a JSON object.
  std::string report(const ReportOptions &options) {
    llvm::Expected<llvm::json::Value> report(nullptr);
    locked([&] {
      report = makeReport(state->session, *state->module, options);
      state->diagnostics = state->session.takeDiagnostics();
    });
    std::string text;
    llvm::raw_string_ostream(text) << valueOrRaise(std::move(report));
    return text;
  }

  const std::vector<Diagnostic> &getDiagnostics() const {
    return state->diagnostics;
  }

private:
  struct State {
    Session session;
    mlir::OwningOpRef<mlir::ModuleOp> module;
    std::vector<Diagnostic> diagnostics;
    std::mutex mutex;
  };

  template <typename Parse> explicit Module(Parse parse) {
    llvm::Error error = llvm::Error::success();
    {
      nb::gil_scoped_release release;
      state = std::make_unique<State>();
      auto parsed = parse(state->session);
      if (parsed)
        state->module = std::move(*parsed);
      else
        error = parsed.takeError();
    }
    if (error)
      raise(std::move(error));
    state->diagnostics = state->session.takeDiagnostics();
  }

  std::string text(const mlir::OpPrintingFlags &flags) {
    std::string text;
    locked([&] {
      llvm::raw_string_ostream os(text);
      state->module->print(os, flags);
    });
    return text;
  }

  template <typename Work> void locked(Work work) {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(state->mutex);
    work();
  }

  void collect(std::vector<Remark> &remarks) {
    remarks = state->session.takeRemarks();
    state->diagnostics = state->session.takeDiagnostics();
  }

  std::unique_ptr<State> state;
};
} // namespace

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

namespace {
/// A Python object's memory, through the buffer protocol.
class Buffer {
public:
  Buffer(nb::handle object, size_t index) {
    if (PyObject_GetBuffer(object.ptr(), &buffer,
                           PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) {
      PyErr_Clear();
      throw nb::type_error(("argument " + std::to_string(index) +
                            " is not a row-major array of numbers")
                               .c_str());
    }
  }
  ~Buffer() { PyBuffer_Release(&buffer); }
  Buffer(const Buffer &) = delete;

  ArrayView view(size_t index) const;

private:
  Py_buffer buffer;
};
} // namespace

static std::optional<DType> elementType(char code, Py_ssize_t bytes) {
  llvm::StringRef signedCodes = "bhilq", unsignedCodes = "BHILQ";
  std::string npy = code == '?'                             ? "b"
                    : llvm::StringRef("efd").contains(code) ? "f"
                    : signedCodes.contains(code)            ? "i"
                    : unsignedCodes.contains(code)          ? "u"
                                                            : "";
  npy += std::to_string(bytes);
  for (const DTypeInfo &type : allDTypes())
    if (type.npy == npy)
      return type.type;
  return std::nullopt;
}

ArrayView Buffer::view(size_t index) const {
  llvm::StringRef format = buffer.format ? buffer.format : "B";
  std::optional<DType> type;
  if (format.size() == 1)
    type = elementType(format.front(), buffer.itemsize);
  if (!type)
    throw nb::type_error(("argument " + std::to_string(index) +
                          " has elements of unsupported type '" + format.str() +
                          "'")
                             .c_str());
  return {
      *type,
      llvm::SmallVector<int64_t, 4>(buffer.shape, buffer.shape + buffer.ndim),
      buffer.buf, !buffer.readonly};
}

static nb::dlpack::dtype arrayType(DType type) {
  using Code = nb::dlpack::dtype_code;
  uint8_t bits = info(type).bytes * 8;
  if (type == DType::Bool)
    return {uint8_t(Code::Bool), bits, 1};
  if (type == DType::BF16 || type >= DType::U8)
    return {uint8_t(Code::UInt), bits, 1};
  return {uint8_t(type <= DType::F64 ? Code::Float : Code::Int), bits, 1};
}

/// A numpy array that owns `array`.
static nb::object toNumpy(Array array) {
  auto *kept = new Array(std::move(array));
  nb::capsule owner(kept,
                    [](void *p) noexcept { delete static_cast<Array *>(p); });
  const ArrayView &view = kept->view();
  llvm::SmallVector<size_t, 4> shape(view.shape.begin(), view.shape.end());
  return nb::cast(nb::ndarray<nb::numpy>(view.data, shape.size(), shape.data(),
                                         owner, nullptr, arrayType(view.type)));
}

/// Makes constants of arrays, which are named by the index of the argument.
static void freeze(Module &module, const std::string &entry, nb::dict values) {
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::vector<FrozenArgument> arguments;
  for (auto [key, value] : values) {
    auto index = nb::cast<unsigned>(key);
    buffers.push_back(std::make_unique<Buffer>(value, index));
    arguments.push_back({index, buffers.back()->view(index)});
  }
  module.freeze(entry, arguments);
}

static nb::list call(const Executable &executable, nb::sequence arguments,
                     int threads) {
  std::vector<std::unique_ptr<Buffer>> buffers;
  llvm::SmallVector<ArrayView> views;
  for (nb::handle argument : arguments) {
    size_t index = buffers.size();
    buffers.push_back(std::make_unique<Buffer>(argument, index));
    views.push_back(buffers.back()->view(index));
  }
  llvm::Expected<std::vector<Array>> results(std::vector<Array>{});
  {
    nb::gil_scoped_release release;
    results = executable.call(views, threads);
  }
  nb::list list;
  for (Array &array : valueOrRaise(std::move(results)))
    list.append(toNumpy(std::move(array)));
  return list;
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

static void defineReports(nb::module_ &m) {
  nb::class_<Diagnostic>(m, "Diagnostic", "What the compiler reported.")
      .def_ro("severity", &Diagnostic::severity,
              "'error', 'warning', 'remark' or 'note'.")
      .def_ro("location", &Diagnostic::location, "'file.mlir:3:7'.")
      .def_ro("message", &Diagnostic::message)
      .def_ro("notes", &Diagnostic::notes)
      .def("__repr__", [](const Diagnostic &d) { return toString(d); });
  nb::class_<Remark>(m, "Remark", "What a pass did, or did not do and why.")
      .def_ro("kind", &Remark::kind,
              "'passed', 'missed', 'failed' or 'analysis'.")
      .def_ro("name", &Remark::name)
      .def_ro("category", &Remark::category)
      .def_ro("function", &Remark::function)
      .def_ro("location", &Remark::location)
      .def_ro("label", &Remark::label,
              "The outermost name of the location, as in "
              "loc(\"layer.3\"(...)), or ''.")
      .def_ro("message", &Remark::message)
      .def_prop_ro(
          "args",
          [](const Remark &remark) {
            nb::dict args;
            for (const auto &[key, value] : remark.args)
              args[key.c_str()] = value;
            return args;
          },
          "Everything in the remark that has a key, as strings.")
      .def("__repr__", [](const Remark &r) { return toString(r); });
}

static void defineModule(nb::module_ &m) {
  nb::class_<Module>(m, "Module", "An MLIR module, in a context of its own.")
      .def("run", &Module::run, nb::arg("pipeline"),
           "Runs a pass pipeline on the module and returns its remarks.\n\n"
           "Raises CompileError if a pass fails.")
      .def_prop_ro("diagnostics", &Module::getDiagnostics,
                   "What the last successful step reported, warnings mostly.")
      .def("__str__", [](Module &module) { return module.text(); })
      .def("summary", &Module::shortText, nb::arg("max_elements") = 64,
           "The module's text without the elements of larger constants, for "
           "reading.")
      .def_prop_ro("dialects", &Module::dialects,
                   "The dialects of the module's ops.")
      .def("_freeze", &freeze)
      .def("_report",
           [](Module &module, const std::string &before, double rtol,
              const std::string &target) {
             return module.report({before, rtol, target});
           })
      .def("_compile", [](Module &module, const std::string &entry,
                          const std::string &pipeline, const std::string &cpu,
                          unsigned optLevel) {
        auto [executable, remarks] =
            module.compile({entry, pipeline, cpu, optLevel, true});
        return nb::make_tuple(
            nb::cast(executable.release(), nb::rv_policy::take_ownership),
            remarks);
      });
  m.def("parse", &Module::parse, nb::arg("text"), nb::arg("name") = "<input>",
        "Parses a module; `name` stands for the text in locations.");
  m.def("_parse_file", &Module::parseFile);
}

static void defineExecutable(nb::module_ &m) {
  nb::class_<ValueSpec>(m, "ValueSpec", "The type of an argument or result.")
      .def_prop_ro(
          "dtype", [](const ValueSpec &s) { return info(s.type).name.str(); },
          "'f32', 'bf16', 'i64', 'bool', ...")
      .def_prop_ro(
          "shape",
          [](const ValueSpec &s) {
            nb::list shape;
            for (int64_t size : s.shape)
              shape.append(mlir::ShapedType::isDynamic(size)
                               ? nb::none()
                               : nb::object(nb::int_(size)));
            return nb::tuple(shape);
          },
          "Sizes; None where any will do.")
      .def_prop_ro("is_scalar", &ValueSpec::isScalar)
      .def_prop_ro(
          "is_memref",
          [](const ValueSpec &s) { return s.kind == ValueSpec::Kind::Memref; })
      .def("__repr__", [](const ValueSpec &s) { return s.text; });
  auto specs = [](llvm::ArrayRef<ValueSpec> list) {
    return std::vector<ValueSpec>(list.begin(), list.end());
  };
  nb::class_<Executable>(m, "_Executable")
      .def_prop_ro("arguments",
                   [=](const Executable &e) {
                     return specs(e.getSignature().arguments);
                   })
      .def_prop_ro(
          "results",
          [=](const Executable &e) { return specs(e.getSignature().results); })
      .def_prop_ro("seconds",
                   [](const Executable &e) { return e.getTimes().total(); })
      .def("dump_object",
           [](const Executable &e, const std::string &path) {
             if (llvm::Error error = e.dumpObject(path))
               raise(std::move(error));
           })
      .def("call", &call);
}

static void defineProfiling(nb::module_ &m) {
  m.def("_profiling_pipeline", [](const std::string &pipeline) {
    return profilingPipeline(pipeline);
  });
  // The recorded profile as JSON; also in a file, if one is named.
  m.def("_take_profile", [](const std::string &path, bool merge) {
    polyattn::profile::Profile profile;
    if (llvm::Error error = collectProfile(profile, ""))
      throw nb::value_error(llvm::toString(std::move(error)).c_str());
    if (!path.empty())
      if (llvm::Error error =
              polyattn::profile::writeProfile(path, profile, merge))
        throw nb::value_error(llvm::toString(std::move(error)).c_str());
    return polyattn::profile::toJson(profile);
  });
}

NB_MODULE(_polyattn, m) {
  m.doc() = "Compiles MLIR with the attn dialect and calls it with arrays.";
  compileErrorClass = PyErr_NewExceptionWithDoc(
      "polyattn.CompileError",
      "Parsing, a pass or code generation failed. `diagnostics` is a list of "
      "Diagnostic.",
      PyExc_Exception, nullptr);
  m.attr("CompileError") = nb::borrow(compileErrorClass);
  checkErrorClass = PyErr_NewExceptionWithDoc(
      "polyattn.CheckError",
      "An assertion of the program itself failed: an index is out of bounds, "
      "say.",
      PyExc_ValueError, nullptr);
  m.attr("CheckError") = nb::borrow(checkErrorClass);
  defineReports(m);
  defineModule(m);
  defineExecutable(m);
  defineProfiling(m);
  m.def("_set_leak_warnings", &nb::set_leak_warnings);
}
