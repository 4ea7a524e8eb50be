// RUN: not polyattn-opt %s --attn-infer-bounds=assume-inputs=-1 2>&1 | FileCheck %s
// RUN: not polyattn-opt %s --attn-infer-bounds=assume-inputs=nan 2>&1 | FileCheck %s --check-prefix=NAN
// CHECK: error: attn-infer-bounds: assume-inputs must be at least 0, found -1; give a bound of the arguments' elements, or leave it out
// NAN: error: attn-infer-bounds: assume-inputs must be at least 0, found nan
module {}
