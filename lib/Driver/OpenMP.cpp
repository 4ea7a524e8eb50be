// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "OpenMP.h"

#include <dlfcn.h>

using namespace polyattn::driver;

// Found when polyattn was built; the names beside it serve other machines.
#ifndef POLYATTN_LIBOMP
#define POLYATTN_LIBOMP "libomp.so.5"
#endif
static constexpr const char *candidates[] = {POLYATTN_LIBOMP, "libomp.so.5",
                                             "libomp.so", "libiomp5.so"};
static constexpr const char *probe = "__kmpc_fork_call";

// Local: in the global scope its libgomp entry points would capture the calls
// of libraries that are loaded later.
static void *findRuntime() {
  if (dlsym(RTLD_DEFAULT, probe))
    return dlopen(nullptr, RTLD_LAZY);
  for (int flags : {RTLD_NOLOAD, 0})
    for (const char *name : candidates)
      if (void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL | flags))
        if (dlsym(handle, probe))
          return handle;
  return nullptr;
}

llvm::Expected<const OpenMP *> OpenMP::get() {
  // Never closed: its threads live as long as the process.
  static const OpenMP *runtime = [] {
    auto *found = new OpenMP;
    found->handle = findRuntime();
    // Looked up once: every call of compiled code asks for them.
    if (found->handle) {
      found->setCount =
          reinterpret_cast<void (*)(int)>(found->lookup("omp_set_num_threads"));
      found->getCount =
          reinterpret_cast<int (*)()>(found->lookup("omp_get_max_threads"));
    }
    return found;
  }();
  if (!runtime->handle)
    return llvm::createStringError(
        "parallel code needs LLVM's OpenMP runtime, and there is no "
        "libomp.so.5 "
        "on the library path: install it (libomp5 in Debian) or compile with "
        "the pipeline option threads=false");
  return runtime;
}

void *OpenMP::lookup(llvm::StringRef symbol) const {
  return dlsym(handle, symbol.str().c_str());
}

OpenMP::ThreadCount::ThreadCount(const OpenMP *runtime, int threads)
    : runtime(runtime) {
  if (!runtime || threads <= 0 || !runtime->getCount || !runtime->setCount)
    return;
  before = runtime->getCount();
  runtime->setCount(threads);
}

OpenMP::ThreadCount::~ThreadCount() {
  if (before)
    runtime->setCount(before);
}
