// Certificates in words, on standard error: what goes to standard output is the program.
// RUN: polyattn-opt %s --split-input-file --attn-approximate='target=avx512 guard=auto' --attn-print-certificates -o /dev/null 2>&1 | FileCheck %s
// RUN: polyattn-opt %s --split-input-file --attn-approximate='target=avx512 guard=never' --attn-print-certificates -o /dev/null 2>&1 | FileCheck %s --check-prefix=TRUSTED
// RUN: polyattn-opt %s --split-input-file --attn-approximate=target=avx512 --attn-print-certificates 2>/dev/null | polyattn-opt --split-input-file --attn-verify-certificates -o /dev/null
// RUN: mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin %s --split-input-file --pass-pipeline='builtin.module(attn-print-certificates)' -o /dev/null 2>&1 | FileCheck %s --check-prefix=NONE

// NONE-COUNT-2: {{^}}no certificates{{$}}
// NONE-NOT: certified

// CHECK:      {{^}}{{.*}}print-certificates.mlir:[[@LINE+11]]:8: certified attention in @guarded: 8 heads, 16384 queries, 16384 keys, d = 64, f32{{$}}
// CHECK-NEXT: {{^}}  promises: every entry is within 0.009{{[0-9]+}} * max|value| of exact softmax attention: 0.009{{[0-9]+}} from the polynomial of degree 1 (rank 65),
// CHECK-NEXT: {{^}}  assumes: |scale| * |q| * |k| at most 0.5079 for every query q and key k of a head; for each query, over the keys that it sees, a mean of s^2 of at most 0.007{{[0-9]+}} and a mean of s of at least -0.001, where s = scale * q.k; |q| and |k|
// CHECK-NEXT: {{^}}  kept by: a run-time check; inputs that fail it take the exact version{{$}}
// CHECK-NEXT: {{^}}{{.*}}print-certificates.mlir:[[@LINE+7]]:8: certified attention in @guarded: 8 heads, 16384 queries, 16384 keys, d = 64, f32{{$}}
// CHECK-NEXT: {{^}}  promises: every entry is within 0.00533 * max|value| of exact softmax attention: 0.005156 from the polynomial of degree 2 (rank 2145), 0.000174{{[0-9]?}} from rounding; max|value| is that of the entry's column{{$}}
// CHECK-NEXT: {{^}}  assumes: |scale| * |q| * |k| at most 0.5001 for every query q and key k of a head; |q| and |k| at most 262144; at most 16384 keys{{$}}
// CHECK-NEXT: {{^}}  kept by: a run-time check; inputs that fail it take the exact version{{$}}
// TRUSTED: certified attention in @guarded
// TRUSTED: {{^}}  kept by: nobody: the bound is trusted and never checked{{$}}
func.func @guarded(%x: tensor<8x16384x64xf32>) -> tensor<8x16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, declared>
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32>
  return %o : tensor<8x16384x64xf32>
}

// -----
// Named by the model; lengths are not known.
// CHECK: {{^}}"layer.1.attention" at model.py:7:1: certified attention in @proved: 8 heads, ? queries, ? keys, d = 64, f32
// CHECK: at most 262144 keys{{$}}
// CHECK-NEXT: {{^}}  kept by: the program: the bound is proved{{$}}
// TRUSTED: {{^}}  kept by: the program: the bound is proved{{$}}
func.func @proved(%x: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved>
     : tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32> loc("layer.1.attention"("model.py":7:1))
  return %o : tensor<8x?x64xf32>
}
