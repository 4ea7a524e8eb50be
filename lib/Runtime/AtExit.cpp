// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Only in the shared library PolyAttnProfile: a program that is linked with it
// leaves its profile in the file that POLYATTN_PROFILE_OUT names.

#include "polyattn/Runtime/ProfileFile.h"
#include "polyattn/Runtime/Record.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace polyattn::profile;

static void writeAtExit() {
  const char *path = std::getenv("POLYATTN_PROFILE_OUT");
  const char *merge = std::getenv("POLYATTN_PROFILE_MERGE");
  if (!path || !*path)
    return;
  Recorded recorded = takeRecorded();
  if (!recorded.problem.empty()) {
    llvm::errs() << "polyattn: no profile: " << recorded.problem << "\n";
    return;
  }
  bool wantsMerge = merge && llvm::StringRef(merge) == "1";
  if (llvm::Error error =
          writeProfile(path, std::move(recorded.profile), wantsMerge))
    llvm::errs() << "polyattn: no profile: " << llvm::toString(std::move(error))
                 << "\n";
}

[[maybe_unused]] static const int registered = std::atexit(writeAtExit);
