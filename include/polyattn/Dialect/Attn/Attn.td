// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The whole dialect: one line for each file of operations.

#ifndef POLYATTN_DIALECT_ATTN_ATTN_TD
#define POLYATTN_DIALECT_ATTN_ATTN_TD

include "polyattn/Dialect/Attn/AttnOps.td"
include "polyattn/Dialect/Attn/AttnStateOps.td"
include "polyattn/Dialect/Attn/AttnGradOps.td"
include "polyattn/Dialect/Attn/AttnLoraOps.td"

#endif
