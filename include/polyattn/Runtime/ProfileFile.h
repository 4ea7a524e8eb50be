// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Profiles as JSON files; docs/profiles.md describes the format.

#ifndef POLYATTN_RUNTIME_PROFILEFILE_H
#define POLYATTN_RUNTIME_PROFILEFILE_H

#include "polyattn/Runtime/Profile.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace polyattn::profile {

/// Of the format. A file of another version is refused.
constexpr int64_t formatVersion = 1;

/// Errors name the file and what in it is wrong.
llvm::Expected<Profile> readProfile(llvm::StringRef path);

/// The file's contents, with keys in order.
std::string toJson(const Profile &profile);

/// Fails where an op has another number of heads.
llvm::Error mergeProfile(Profile &into, const Profile &from);

/// Writes the profile, with `merge` together with what the file holds already
/// if there is one. An old file stays until the new one is complete.
llvm::Error writeProfile(llvm::StringRef path, Profile profile,
                         bool merge = false);

} // namespace polyattn::profile

#endif // POLYATTN_RUNTIME_PROFILEFILE_H
