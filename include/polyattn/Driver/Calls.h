// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The arguments of many calls: some the same each time, some from files.

#ifndef POLYATTN_DRIVER_CALLS_H
#define POLYATTN_DRIVER_CALLS_H

#include "polyattn/Driver/Array.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace polyattn::driver {

class Calls {
public:
  /// `specs` are inputs as makeInput takes them, or "@NAME": the array of that
  /// name of each file. Without any, the arguments are a file's arrays in their
  /// order. `path` is a folder whose .npz and .npy files are a call each, in
  /// the order of their names; or one such file; or empty, which is one call
  /// without a file. The array of an .npy file is called arr_0.
  static llvm::Expected<Calls> create(llvm::ArrayRef<std::string> specs,
                                      llvm::StringRef path);

  size_t size() const { return files.empty() ? 1 : files.size(); }
  /// The file of a call, or an empty string.
  llvm::StringRef getFile(size_t index) const {
    return files.empty() ? llvm::StringRef() : files[index];
  }
  /// The arguments of a call, which live until the next one is loaded.
  llvm::Expected<llvm::SmallVector<ArrayView>> load(size_t index);

private:
  /// An argument: an array, or the name of one that each file has.
  struct Argument {
    std::string name;
    std::vector<Array> fixed;
  };
  std::vector<Argument> arguments;
  std::vector<std::string> files;
  std::vector<Array> loaded;
};

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_CALLS_H
