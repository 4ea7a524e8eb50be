// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Calls.h"
#include "polyattn/Driver/Input.h"
#include "polyattn/Driver/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace polyattn::driver;

static bool isArchive(StringRef path) { return path.ends_with(".npz"); }

/// The files of a folder that hold arrays, by name; or the file itself.
static Expected<std::vector<std::string>> listFiles(StringRef path) {
  if (!sys::fs::is_directory(path))
    return std::vector<std::string>{path.str()};
  std::vector<std::string> files;
  std::error_code code;
  for (sys::fs::directory_iterator at(path, code), end; at != end && !code;
       at.increment(code))
    if (isArchive(at->path()) || StringRef(at->path()).ends_with(".npy"))
      files.push_back(at->path());
  if (code)
    return createStringError("'" + path + "': cannot read: " + code.message());
  if (files.empty())
    return createStringError("'" + path +
                             "': no .npz or .npy file in this folder");
  sort(files);
  return files;
}

Expected<Calls> Calls::create(ArrayRef<std::string> specs, StringRef path) {
  Calls calls;
  for (StringRef spec : specs) {
    Argument &argument = calls.arguments.emplace_back();
    if (spec.consume_front("@")) {
      argument.name = spec.str();
      if (path.empty())
        return createStringError("input '@" + spec +
                                 "' names an array of files; give them by "
                                 "--inputs");
      continue;
    }
    auto array = makeInput(spec);
    if (!array)
      return array.takeError();
    argument.fixed.push_back(std::move(*array));
  }
  if (path.empty())
    return calls;
  auto files = listFiles(path);
  if (!files)
    return files.takeError();
  calls.files = std::move(*files);
  return calls;
}

static Expected<std::vector<NamedArray>> readArrays(StringRef path) {
  if (isArchive(path))
    return readNpz(path);
  auto array = readNpy(path);
  if (!array)
    return array.takeError();
  std::vector<NamedArray> arrays;
  arrays.push_back({"arr_0", std::move(*array)});
  return arrays;
}

Expected<SmallVector<ArrayView>> Calls::load(size_t index) {
  std::vector<NamedArray> arrays;
  if (!files.empty()) {
    auto read = readArrays(files[index]);
    if (!read)
      return read.takeError();
    arrays = std::move(*read);
  }
  SmallVector<ArrayView> views;
  for (const Argument &argument : arguments) {
    if (!argument.fixed.empty()) {
      views.push_back(argument.fixed.front().view());
      continue;
    }
    auto found = find_if(
        arrays, [&](const NamedArray &a) { return a.name == argument.name; });
    if (found == arrays.end()) {
      std::string names;
      for (const NamedArray &array : arrays)
        names += (names.empty() ? "'" : ", '") + array.name + "'";
      return createStringError("'" + files[index] + "': no array '" +
                               argument.name + "': it has " +
                               (names.empty() ? "none" : names));
    }
    views.push_back(found->array.view());
  }
  bool takesAll = arguments.empty();
  loaded.clear();
  for (NamedArray &array : arrays) {
    loaded.push_back(std::move(array.array));
    if (takesAll)
      views.push_back(loaded.back().view());
  }
  return views;
}
