// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The OpenMP runtime that parallel code calls.

#ifndef POLYATTN_LIB_DRIVER_OPENMP_H
#define POLYATTN_LIB_DRIVER_OPENMP_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace polyattn::driver {

class OpenMP {
public:
  /// LLVM's runtime: the one that is in the process already, for two of them
  /// would each start a thread per core, or else one found on this machine.
  static llvm::Expected<const OpenMP *> get();

  /// The address of one of its functions, or null.
  void *lookup(llvm::StringRef symbol) const;

  /// Sets the number of threads of parallel regions that the calling thread
  /// starts, for as long as the object lives. 0 leaves it alone.
  class ThreadCount {
  public:
    ThreadCount(const OpenMP *runtime, int threads);
    ~ThreadCount();
    ThreadCount(const ThreadCount &) = delete;

  private:
    const OpenMP *runtime;
    int before = 0;
  };

private:
  void *handle = nullptr;
  void (*setCount)(int) = nullptr;
  int (*getCount)() = nullptr;
};

} // namespace polyattn::driver

#endif // POLYATTN_LIB_DRIVER_OPENMP_H
