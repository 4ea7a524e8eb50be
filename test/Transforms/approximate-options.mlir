// RUN: not polyattn-opt %s --attn-approximate=rtol=0 2>&1 | FileCheck %s --check-prefix=RTOL
// RUN: not polyattn-opt %s --attn-approximate=rtol=nan 2>&1 | FileCheck %s --check-prefix=RTOL
// RUN: not polyattn-opt %s --attn-approximate=rtol=-1 2>&1 | FileCheck %s --check-prefix=RTOL
// RTOL: error: attn-approximate: rtol must be a positive number, found {{0|nan|-1}}; give the largest error
// RUN: not polyattn-opt %s --attn-approximate=atol=-1 2>&1 | FileCheck %s --check-prefix=ATOL
// ATOL: error: attn-approximate: atol must be at least 0, found -1
// RUN: not polyattn-opt %s --attn-approximate=atol=0.1 2>&1 | FileCheck %s --check-prefix=NOMAX
// NOMAX: error: attn-approximate: atol needs max-value
// RUN: not polyattn-opt %s --attn-approximate="atol=0.1 max-value=nan" 2>&1 | FileCheck %s --check-prefix=MAX
// MAX: error: attn-approximate: max-value must be at least 0, found nan
// RUN: not polyattn-opt %s --attn-approximate=max-keys=0 2>&1 | FileCheck %s --check-prefix=KEYS
// KEYS: error: attn-approximate: max-keys must be at least 1, found 0
// RUN: not polyattn-opt %s --attn-approximate=guard=maybe 2>&1 | FileCheck %s --check-prefix=GUARD
// GUARD: error: attn-approximate: unknown guard 'maybe'; give auto, always or never
// RUN: not polyattn-opt %s --attn-approximate=target=abacus 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: unknown target 'abacus'; give one of auto, host, amx, avx512
// RUN: not polyattn-opt %s --attn-schedule=target=abacus 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// SCHEDULE: error: unknown target 'abacus'; give one of auto, host, amx, avx512
// RUN: not polyattn-opt %s --attn-verify-certificates=max-keys=-1 2>&1 | FileCheck %s --check-prefix=VERIFY
// VERIFY: error: attn-verify-certificates: max-keys must be at least 0, found -1

// The tolerance is max(rtol, atol / max-value): degree 2 at 1e-2, degree 3 at 1e-3.
// RUN: polyattn-opt %s --attn-approximate="target=avx512 rtol=1e-3" | FileCheck %s --check-prefix=DEGREE3
// RUN: polyattn-opt %s --attn-approximate="target=avx512 rtol=1e-3 atol=0.1 max-value=10" | FileCheck %s --check-prefix=DEGREE2
// RUN: polyattn-opt %s --attn-approximate="target=avx512 rtol=1e-2 atol=1e-3 max-value=10" | FileCheck %s --check-prefix=DEGREE2
// DEGREE2: kernel poly<[{{[^,]*}}, {{[^,]*}}, {{[^,]*}}]>
// DEGREE3: kernel poly<[{{[^,]*}}, {{[^,]*}}, {{[^,]*}}, {{[^,]*}}]>
func.func @f(%x: tensor<8x16384x16xf32>) -> tensor<8x16384x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 bound <0.5, proved>
     : tensor<8x16384x16xf32>, tensor<8x16384x16xf32>, tensor<8x16384x16xf32> -> tensor<8x16384x16xf32>
  return %o : tensor<8x16384x16xf32>
}
